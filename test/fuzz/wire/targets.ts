/** Request targets with every trick to be taken for another path. */
import type { Random } from "../../support/random.ts";
import { one } from "./requests.ts";

const aims = [
  "/api/x",
  "/api",
  "/api/v2/x",
  "/api/v2",
  "/exact/one",
  "/users/7/x",
  "/re/abc",
  "/_sluice/v1/config",
  "/_sluice/v1/services/api",
  "/_sluice/v1/services/api/origins/a",
  "/_sluice/v1/watch",
  "/_sluice/v1/breakers",
  "/_sluice/health",
  "/_sluice",
  "/nothing/x",
];
const bits = [
  "/",
  "//",
  "/./",
  "/../",
  "/..",
  "/.",
  "/%2e%2e/",
  "/.%2E/",
  "/%2e/",
  "/%252e%252e/",
  "/..;/",
  "/..;a=b/",
  ";",
  ";x=y",
  "\\",
  "\\..\\",
  "/..\\",
  "%5c",
  "%5C..%5C",
  "%2f",
  "%2F",
  "%2f..%2f",
  "..%2f",
  "%00",
  "%0d%0a",
  "%0d%0aX-Made-By-Gateway:%20forged",
  "%20",
  "%c0%ae%c0%ae/",
  "%c0%af",
  "%e0%80%af",
  "%uff0e",
  "%ef%bc%8f",
  "\xc3\xa9",
  "\xc0\xaf",
  "\xef\xbc\x8e\xef\xbc\x8e/",
  "\xff",
  "\t",
  "%",
  "%2",
  "%zz",
  "?",
  "?/../_sluice/v1/config",
  "#",
  "#/../x",
  "*",
  "|",
  "^",
  "{}",
  "'",
  '"',
  "<",
  "@",
  ":",
  "~",
  "_sluice",
  "/_sluice",
  "/_sluice/v1/config",
  "%5Fsluice",
  "_SLUICE",
  "api",
  "/api",
  "v2",
  "users",
  "one",
];
const authorities = [
  "http://a.test",
  "http://127.0.0.1",
  "https://_sluice",
  "HTTP://u@a.test:80",
  "ftp://x",
  "x://y",
  "//",
  "///",
];
/** Longest target, in bytes: above it the runtime answers itself. */
const longMax = 40_000;

/** Characters of it are percent-encoded, with hexadecimal digits of either case. */
function recoded(text: string, random: Random, share: number): string {
  return text.replace(/[A-Za-z0-9._~/-]/g, (char) => {
    if (!random.chance(share)) return char;
    const hex = char.charCodeAt(0).toString(16);
    return `%${random.chance(0.5) ? hex : hex.toUpperCase()}`;
  });
}

/** A target without spaces and ends of lines, which would end it. */
export function target(random: Random): Buffer {
  let text = one(random, aims);
  for (let left = random.int(0, 4); left > 0; left--) {
    const at = random.chance(0.4) ? text.length : random.int(0, text.length);
    text = text.slice(0, at) + one(random, bits) + text.slice(at);
  }
  if (random.chance(0.25)) text = recoded(text, random, random.chance(0.5) ? 0.1 : 0.6);
  if (random.chance(0.15)) text = one(random, bits) + text;
  if (random.chance(0.3)) text = `${one(random, ["/x/..", "/api/..", "/a/b/../..", "/_sluice/..", "/."])}${text}`;
  if (random.chance(0.08)) text = one(random, authorities) + text;
  if (random.chance(0.01))
    text = text.replace("/", one(random, ["/", "/../", "/a", "/%2e", ";"]).repeat(random.int(2, longMax / 5)));
  return Buffer.from(text, "latin1");
}

/** Header sections that want to say more than they may; some guess tokens. */

import type { Random } from "../../support/random.ts";
import { type AdminCall, calls, guess, weak, wrong } from "./guesses.ts";
import { one } from "./requests.ts";

const distrusted = [
  "X-Forwarded-For",
  "X-Forwarded-Proto",
  "X-Forwarded-Host",
  "X-Forwarded-Port",
  "Forwarded",
  "X-Real-IP",
];
const reserved = [
  ...distrusted,
  "Sluice-Error",
  "Sluice-Decision",
  "X-Sluice-Route",
  "Proxy-Authorization",
  "Proxy-Connection",
];
const perHop = [
  "Connection",
  "Keep-Alive",
  "TE",
  "Trailer",
  "Upgrade",
  "Expect",
  "Transfer-Encoding",
  "Content-Length",
];
const plain = ["Cookie", "X-Request-Id", "Via", "Origin", "Accept", "Range", "X-A", "Access-Control-Request-Method"];
const lists = [
  "close",
  "keep-alive",
  "Upgrade",
  "x-made-by-gateway, via",
  "host",
  "x-forwarded-for, cookie",
  "Keep-Alive, Close",
];
const lengths = ["0", "2", "3", "00", "+2", "-1", "2, 2", "0x2", "2 ", "18446744073709551616", "", "1e1"];
const codings = [
  "chunked",
  "Chunked",
  "identity",
  "gzip, chunked",
  "chunked, chunked",
  "xchunked",
  "\x0bchunked",
  "chunked;a=b",
  "",
];
const values = [
  "evil",
  "",
  " ",
  "a\x0bb",
  "a\tb",
  "\xe2\x80\xae\xff",
  "6.6.6.6",
  "1.1 sluice",
  "1.1 sluice, 1.1 sluice, 1.1 sluice, 1.1 sluice",
  "1.1 evil\x01",
  "a=1; a=2, b=3",
  "evil.test\nX-Forwarded-For: 6.6.6.6",
  "evil\r\nSluice-Error: evil",
  "websocket",
  "100-continue",
  "a.test",
  "b.test:99999",
  "../..",
];
/** Such as the runtime refuses by itself: rare, as no code of the gateway sees them. */
const refusedValues = ["evil\rX-Real-IP: 6.6.6.6", "evil\0", "evil\r\n folded", "evil\r\n\tfolded"];

/** One header line, or what an attacker takes for one. */
function line(random: Random): string {
  const roll = random.next();
  if (roll < 0.06) return `Connection: ${one(random, lists)}`;
  if (roll < 0.09) return `Content-Length: ${one(random, lengths)}`;
  if (roll < 0.12) return `Transfer-Encoding: ${one(random, codings)}`;
  if (roll < 0.14) return `Host: ${one(random, values)}`;
  let name = one(random, roll < 0.5 ? reserved : roll < 0.6 ? perHop : plain);
  const spelling = random.next();
  if (spelling < 0.2) name = name.replaceAll("-", "_");
  else if (spelling < 0.3) name = name.toUpperCase();
  else if (spelling < 0.32) name = `${name}${one(random, [" ", "\t", "\x0b", "\0", ":", "\xc3", "(", "-"])}`;
  else if (spelling < 0.33) name = `${one(random, [" ", "\t", "_", "\xa0"])}${name}`;
  return `${name}:${random.chance(0.9) ? " " : ""}${one(random, random.chance(0.03) ? refusedValues : values)}`;
}

/** Share of the inputs that guess a token. */
const guessShare = 0.3;
/** Sizes that header sections are known to have, in bytes; each is rare, as a million inputs would be a terabyte. */
const sizes: readonly (readonly [share: number, name: string, bytes: number])[] = [
  [0.0005, "Cookie", 1_000_000],
  [0.001, "X-A", 100_000],
  [0.002, "Cookie", 30_000],
];

function credential(random: Random, call: AdminCall): string {
  const roll = random.next();
  if (roll < 0.2 && call.refused.length > 0) return weak(random, call);
  return roll < 0.85 ? guess(random) : wrong(random);
}

/** One request, its body included. */
export function headed(random: Random): Buffer {
  const call = random.chance(guessShare) ? one(random, calls) : null;
  const { method, path, body } = call ?? { method: "GET", path: "", body: "" };
  const lines = Array.from({ length: random.int(0, call ? 1 : 5) }, () => line(random));
  if (call) lines.splice(random.int(0, lines.length), 0, credential(random, call));
  if (random.chance(0.97)) lines.unshift("Host: headers.test");
  if (body !== "") lines.push(`Content-Length: ${body.length}`);
  for (const [share, name, bytes] of sizes) {
    if (random.chance(share)) lines.push(`${name}: ${"a=1; ".repeat(bytes / 5)}`);
  }
  if (random.chance(0.001)) lines.push(...Array.from({ length: random.int(50, 2_000) }, (_, at) => `X-${at}: a`));
  const target = call ? `/_sluice${path}` : one(random, ["/api/x", "/users/1/x", "/exact/one", "/nothing"]);
  return Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`, "latin1");
}

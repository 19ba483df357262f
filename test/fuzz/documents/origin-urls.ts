/** URLs of origins that mean a private address in another spelling (server-side request forgery), against a model of their hosts. */
import fc from "fast-check";
import { parseOriginUrl } from "../../../src/schema/origin-url.ts";
import { compileDocument } from "../../../src/snapshot/compile.ts";
import type { Fuzzer } from "../fuzzer.ts";
import { isPublicHost } from "./address-model.ts";
import { hosts } from "./hosts.ts";
import { type Count, hunt, type Quarry } from "./hunt.ts";

const schemes = [
  ...Array<string>(24).fill("http"),
  "https",
  "https",
  "HTTP",
  "hTTps",
  "ftp",
  "ws",
  "file",
  "javascript",
  "gopher",
  "blob:http",
  "",
];
const slashes = [...Array<string>(16).fill("://"), ":", ":/", ":///", ":\\\\", "//", ":/\\"];
const users = [
  ...Array<string>(24).fill(""),
  "@",
  "a@",
  "a:b@",
  "example.com@",
  "example.com%40",
  "example.com:80@",
  ":@",
];
const ports = [...Array<string>(16).fill(""), ":80", ":8080", ":0", ":65535", ":65536", ":", ":080", ":a", ":8080:80"];
const rests = [
  ...Array<string>(20).fill(""),
  "/",
  "/a/../b",
  "/latest/meta-data",
  "?a",
  "#a",
  "?",
  "#",
  "\\@example.com",
  "#@example.com",
  "/%00",
  "\t",
  " ",
];
const pick = (some: readonly string[]) => fc.constantFrom(...some);

const inputs = fc
  .tuple(pick(schemes), pick(slashes), pick(users), hosts, pick(ports), pick(rests))
  .map((parts) => parts.join(""));

/** What the fuzzer plays. `parse`: what is under test. */
export function originUrls(parse: typeof parseOriginUrl = parseOriginUrl): Quarry<string> {
  const check = (text: string, count: Count) => {
    const result = parse(text, { allowPrivate: false });
    const expected = expectedOf(text);
    count(expected === null ? "accepted" : expected);
    if (result.ok !== (expected === null))
      return result.ok
        ? `accepted as ${result.url}, though it is ${expected}`
        : `refused (${result.detail}), though public`;
    if (!result.ok) return /[[\]]|\d\.\d/.test(result.detail) ? `the reason names an address: ${result.detail}` : null;
    if (new URL(result.url).href.replace(/\/$/, "") !== new URL(text).href.replace(/[?#]+$/, "").replace(/\/$/, ""))
      return `accepted as another URL: ${result.url}`;
    if (expectedOf(result.url) !== null) return `what is kept is ${expectedOf(result.url)}: ${result.url}`;
    return wrongWithDocument(text);
  };
  return { inputs, check, show: (text) => JSON.stringify(text) };
}

/** Why the URL must be refused; null: it must be accepted. */
function expectedOf(text: string): string | null {
  const url = URL.parse(text);
  if (url === null) return "no URL";
  if (!["http:", "https:"].includes(url.protocol)) return "another scheme";
  if (url.username || url.password) return "with credentials";
  if (url.search || url.hash) return "more than a path";
  return isPublicHost(url.hostname) ? null : "private";
}

/** What may be registered may stand in the document, by the same rule. */
function wrongWithDocument(url: string): string | null {
  const document = { services: { users: { origins: [{ id: "a", url }] } } };
  return compileDocument(JSON.stringify(document), {}).ok ? null : "accepted for registration, refused in the document";
}

export const originUrlsFuzzer: Fuzzer = {
  name: "origin-urls",
  about: "URLs of origins in every spelling of private and public hosts",
  aims: { accepted: 0.07, private: 0.1, "no URL": 0.1 },
  start: async () => ({ run: async (plan) => hunt(originUrls(), plan), stop: async () => {} }),
};

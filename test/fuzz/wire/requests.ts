/** Requests that are HTTP/1.1 to the letter, with what is most often read in two ways. */
import type { Random } from "../../support/random.ts";

export const one = <T>(random: Random, from: readonly T[]): T => from[random.int(0, from.length - 1)]!;

const methods = ["GET", "GET", "GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH"];
const targets = [
  "/api/a",
  "/api/v2/b?q=1&r=%20",
  "/api",
  "/exact/one",
  "/users/7/x",
  "/re/abc",
  "/nothing",
  "/_sluice/health",
  "/_sluice/v1/config",
  "/_sluice/v1/services/api/origins/x",
  "http://other.test/api/a",
  "/api/../users/1/../../api/x",
  "/",
];
const names = [
  "Accept",
  "User-Agent",
  "Cookie",
  "X-Request-Id",
  "Via",
  "Origin",
  "If-None-Match",
  "Range",
  "TE",
  "X-A",
];
const forgeries = [
  "X-Forwarded-For: 6.6.6.6",
  "X_Forwarded_For: 6.6.6.6",
  "X-Forwarded-Proto: https",
  "X-Forwarded-Host: evil.test",
  "Forwarded: for=6.6.6.6",
  "X-Real-IP: 6.6.6.6",
  "Sluice-Error: forged",
  "X-Sluice-Route: forged",
  "sluice_decision: forged",
  "Proxy-Authorization: Basic Zm9v",
  "Connection: x-forwarded-for, x-made-by-gateway",
  "Connection: close",
  "Keep-Alive: timeout=5",
  "Expect: 100-continue",
  "Upgrade: h2c",
  "X-Made-By-Gateway: forged",
  "Trailer: X-A",
  "Transfer-Encoding: identity",
];
const values = ["a", "", "a b", "a, b", "a=1; b=2", '"q"', "\xe9\xff", "1.1 sluice", "gzip;q=0.5", "*/*", "bytes=0-1"];
/** A request inside of a body: no origin may ever take it for one. */
export const inner = "GET /in/api/smuggled HTTP/1.1\r\nHost: x\r\nX-Made-By-Gateway: forged\r\n\r\n";

function bodyOf(random: Random): { readonly lines: readonly string[]; readonly body: string } {
  const content = one(random, ["", "a", "hello", "0\r\n\r\n", inner, `0\r\n\r\n${inner}`]);
  if (random.chance(0.5)) return { lines: [`Content-Length: ${content.length}`], body: content };
  const cut = random.int(0, content.length);
  const chunks = [content.slice(0, cut), content.slice(cut)].filter((part) => part !== "");
  const extension = random.chance(0.2) ? ";a=b" : "";
  const body = chunks.map((part) => `${part.length.toString(16)}${extension}\r\n${part}\r\n`).join("");
  const trailer = random.chance(0.1) ? "X-Forwarded-For: 6.6.6.6\r\n" : "";
  return { lines: ["Transfer-Encoding: chunked"], body: `${body}0\r\n${trailer}\r\n` };
}

/** One request; never one that would change something if it came from an admin, as it has no token. */
export function request(random: Random): Buffer {
  const method = one(random, methods);
  const lines = [`Host: ${one(random, ["a.test", "A.TEST:80", "[::1]:8080", "xn--a.test", "1.2.3.4"])}`];
  for (let left = random.int(0, 4); left > 0; left--) {
    lines.push(random.chance(0.4) ? one(random, forgeries) : `${one(random, names)}: ${one(random, values)}`);
  }
  const hasBody = method !== "GET" && method !== "HEAD" ? random.chance(0.7) : random.chance(0.1);
  const { lines: framing, body } = hasBody ? bodyOf(random) : { lines: [], body: "" };
  const head = [`${method} ${one(random, targets)} HTTP/1.1`, ...lines, ...framing].join("\r\n");
  return Buffer.from(`${head}\r\n\r\n${body}`, "latin1");
}

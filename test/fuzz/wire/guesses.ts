/** Guesses of tokens, and where they are tried. */
import type { Random } from "../../support/random.ts";
import { tokens } from "../../support/tokens.ts";
import { one } from "./requests.ts";

/** Calls of the admin API, with bodies that change something if they are let through. */
export const calls: readonly (readonly [method: string, path: string, body: string])[] = [
  ["GET", "/v1/config", ""],
  ["PUT", "/v1/config", "{}"],
  ["PATCH", "/v1/config", '{"routes":[]}'],
  ["POST", "/v1/config/rollback", '{"revision":1}'],
  ["GET", "/v1/services", ""],
  ["PUT", "/v1/services/api/origins/evil", '{"url":"https://evil.example.com"}'],
  ["POST", "/v1/services/api/origins", '{"url":"https://evil.example.com"}'],
  ["POST", "/v1/services/api/origins/api/drain", "{}"],
  ["DELETE", "/v1/services/api/origins/api", ""],
  ["GET", "/v1/services/api/watch", ""],
  ["GET", "/v1/breakers", ""],
  ["PUT", "/v1/breakers/api", '{"state":"forced-open"}'],
  ["GET", "/v1/events", ""],
  ["GET", "/v1/audit", ""],
  ["GET", "/v1/watch", ""],
  ["POST", "/v1/heartbeats", '{"leases":[]}'],
];

/** Something close to a token, never one. */
export function guess(random: Random): string {
  const token = one(random, Object.values(tokens));
  const cut = random.int(0, token.length - 1);
  const near = one(random, [
    token.slice(0, cut),
    token.slice(cut + 1),
    token + one(random, ["x", "\0", ".", "=", "\xc2\xa0", "%00", "%20", ",", ";"]),
    token.toUpperCase(),
    `${token.slice(0, cut)}${String.fromCharCode(token.charCodeAt(cut) ^ (1 << random.int(0, 4)))}${token.slice(cut + 1)}`,
    token.replace("-", "\xe2\x80\x90"),
    token.split("").reverse().join(""),
    `"${token}"`,
    token.replace("t", "%74"),
    `x ${token}`,
    `${token},${token}`,
    Buffer.from(token).toString("base64"),
    "undefined",
    "null",
    "",
    Array.from({ length: random.int(1, 40) }, () => random.int(0, 35).toString(36)).join(""),
  ]);
  return `${one(random, ["Authorization: Bearer ", "authorization: bearer ", "AUTHORIZATION: BEARER  ", "Authorization: Bearer"])}${near}`;
}

/** The right token in a wrong place. */
export const wrong = (random: Random): string =>
  one(random, [
    `Authorization: Basic ${tokens.admin}`,
    `Authorization: ${tokens.admin}`,
    `X-Authorization: Bearer ${tokens.admin}`,
    `Proxy-Authorization: Bearer ${tokens.admin}`,
    `Cookie: authorization=Bearer ${tokens.admin}`,
    `Authorization_: Bearer ${tokens.admin}`,
    `Authorization: Bearer x\r\nAuthorization: Bearer ${tokens.admin}`,
  ]);

/** Guesses of tokens, and where they are tried. */
import type { Random } from "../../support/random.ts";
import { tokens } from "../../support/tokens.ts";
import { one } from "./requests.ts";

export interface AdminCall {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** Roles that may not make it. */
  readonly refused: readonly ("registrar" | "viewer")[];
}

const [weaker, registrar, viewer, nobody] = [["registrar", "viewer"], ["registrar"], ["viewer"], []] as const;

/** Calls of the admin API, with bodies that change something if they are let through. */
export const calls: readonly AdminCall[] = (
  [
    ["GET", "/v1/config", "", registrar],
    ["PUT", "/v1/config", "{}", weaker],
    ["PATCH", "/v1/config", '{"routes":[]}', weaker],
    ["POST", "/v1/config/rollback", '{"revision":1}', weaker],
    ["GET", "/v1/services", "", nobody],
    ["PUT", "/v1/services/api/origins/evil", '{"url":"https://evil.example.com"}', viewer],
    ["POST", "/v1/services/api/origins", '{"url":"https://evil.example.com"}', viewer],
    ["POST", "/v1/services/api/origins/api/drain", "{}", viewer],
    ["DELETE", "/v1/services/api/origins/api", "", viewer],
    ["GET", "/v1/services/api/watch", "", nobody],
    ["GET", "/v1/breakers", "", registrar],
    ["PUT", "/v1/breakers/api", '{"state":"forced-open"}', weaker],
    ["GET", "/v1/events", "", registrar],
    ["GET", "/v1/audit", "", registrar],
    ["GET", "/v1/watch", "", registrar],
    ["POST", "/v1/heartbeats", '{"leases":[]}', viewer],
  ] as const
).map(([method, path, body, refused]) => ({ method, path, body, refused }));

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

/** The right token of a role that may not make the call. */
export const weak = (random: Random, { refused }: AdminCall): string =>
  `Authorization: Bearer ${tokens[one(random, refused)]}`;

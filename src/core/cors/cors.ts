/** Cross-origin resource sharing (Fetch Standard, "CORS protocol"), in the words of the Gateway API's HTTPCORSFilter. */
import type { RequestFacts } from "../facts.ts";
import { canonicalOrigin, type OriginWildcard, parseOrigin } from "./origin.ts";

/** Compiled `cors` of a route. */
export interface CorsPolicy {
  /** `allowOrigins` has `*`. */
  readonly any: boolean;
  /** Exact origins, as `parseCorsOrigin` writes them. */
  readonly allowOrigins: ReadonlySet<string>;
  readonly wildcards: readonly OriginWildcard[];
  /** Methods as written, or `*`. Empty: GET, HEAD, POST, which the Fetch Standard lets through anyway. */
  readonly allowMethods: readonly string[];
  /** Header names, or `*`. Empty: only those that need no permission. Browsers do not count `Authorization` under `*`. */
  readonly allowHeaders: readonly string[];
  /** Header names, or `*`. Empty: only those that need no permission. */
  readonly exposeHeaders: readonly string[];
  readonly allowCredentials: boolean;
  /** How long a browser may keep the preflight's answer, in seconds. 0 = not at all. */
  readonly maxAgeSeconds: number;
}

/** Headers to put on an answer. `vary` is to be appended to what is there, the others replace. */
export type CorsHeaders = readonly (readonly [name: string, value: string])[];

/** What the gateway takes off an upstream's answer on a route with `cors`, so that nothing is said twice. */
export const corsResponseHeaderNames: readonly string[] = [
  "access-control-allow-origin",
  "access-control-allow-credentials",
  "access-control-allow-methods",
  "access-control-allow-headers",
  "access-control-expose-headers",
  "access-control-max-age",
];

const safelistedMethods = "GET, HEAD, POST";
const varyOrigin = ["vary", "Origin"] as const;

/** Is the request a preflight, which the gateway answers itself? */
export function isPreflight(facts: Pick<RequestFacts, "method" | "header">): boolean {
  if (facts.method !== "OPTIONS") return false;
  return Boolean(facts.header("origin")) && Boolean(facts.header("access-control-request-method"));
}

/**
 * Headers of the answer to a preflight; the status is 204 whether or not the origin is allowed. `requestedMethod` and
 * `requestedHeaders` are the values of Access-Control-Request-Method and -Headers; null when absent.
 */
export function preflightHeaders(
  policy: CorsPolicy,
  origin: string,
  requestedMethod: string,
  requestedHeaders: string | null,
): CorsHeaders {
  if (!allows(policy, origin)) return [varyOrigin];
  const methods =
    policy.allowMethods.length === 0 ? safelistedMethods : listed(policy, policy.allowMethods, requestedMethod);
  const headers = listed(policy, policy.allowHeaders, requestedHeaders);
  return [
    ...grant(policy, origin),
    ...optional("access-control-allow-methods", methods),
    ...optional("access-control-allow-headers", headers),
    ["access-control-max-age", String(policy.maxAgeSeconds)],
  ];
}

/**
 * Headers of every other answer on the route. `origin` is the request's Origin, null when it has none. A plain `*` says the
 * same to every request, with Origin or without; all else varies, so caches must be told even where nothing is granted.
 */
export function responseHeaders(policy: CorsPolicy, origin: string | null): CorsHeaders {
  if (!isPlainAny(policy) && (origin === null || !allows(policy, origin))) return [varyOrigin];
  return [
    ...grant(policy, origin ?? "*"),
    ...optional("access-control-expose-headers", listed(policy, policy.exposeHeaders, null)),
  ];
}

/** Everybody, and nothing that depends on who asks. */
function isPlainAny(policy: CorsPolicy): boolean {
  return policy.any && !policy.allowCredentials;
}

function allows(policy: CorsPolicy, origin: string): boolean {
  if (policy.any || policy.allowOrigins.has(origin)) return true;
  const parts = parseOrigin(origin);
  if (parts === null) return false;
  return (
    policy.allowOrigins.has(canonicalOrigin(parts)) ||
    policy.wildcards.some(
      ({ scheme, suffix, port }) =>
        parts.scheme === scheme &&
        parts.port === port &&
        parts.host.length > suffix.length &&
        parts.host.endsWith(suffix),
    )
  );
}

function grant(policy: CorsPolicy, origin: string): CorsHeaders {
  if (isPlainAny(policy)) return [["access-control-allow-origin", "*"]];
  const allowOrigin = ["access-control-allow-origin", origin] as const;
  return policy.allowCredentials
    ? [allowOrigin, ["access-control-allow-credentials", "true"], varyOrigin]
    : [allowOrigin, varyOrigin];
}

/** A list as a header's value; null: no header. With credentials browsers read `*` as a name, so what was asked is granted. */
function listed(policy: CorsPolicy, names: readonly string[], requested: string | null): string | null {
  if (!names.includes("*")) return names.length > 0 ? names.join(", ") : null;
  return policy.allowCredentials ? requested : "*";
}

function optional(name: string, value: string | null): CorsHeaders {
  return value === null ? [] : [[name, value]];
}

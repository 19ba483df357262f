/** Compiles rewrites, redirects and CORS policies. */
import type { CorsPolicy } from "../core/cors/cors.ts";
import { type OriginWildcard, parseCorsOrigin } from "../core/cors/origin.ts";
import { isWithheld } from "../core/forwarding/headers.ts";
import { type HeaderEdits, mergeHeaderEdits } from "../core/rewriting/headers.ts";
import type { PathModifier } from "../core/rewriting/path.ts";
import { prefixPath } from "../core/routing/matcher.ts";
import { segmentsOf } from "../core/routing/path.ts";
import type { AuthoredRewrite, AuthoredRoute } from "../schema/config.ts";
import type { DocumentPath, Problems } from "./problems.ts";
import type { Rewrite, RouteRedirect } from "./types.ts";

type AuthoredHeaders = Pick<AuthoredRewrite, "setHeaders" | "addHeaders" | "removeHeaders">;
type AuthoredPath = NonNullable<AuthoredRewrite["path"]>;
type AuthoredRedirect = NonNullable<AuthoredRoute["redirect"]>;
type AuthoredCors = NonNullable<AuthoredRoute["cors"]>;

/** Request headers that the gateway or the runtime writes; an edit of them would be undone or believed by an origin. */
const requestReserved = (name: string) => isWithheld(name) || name === "via" || name === "x-request-id";
/** Response headers that describe the transfer or that only the gateway may send. */
const responseReserved = (name: string) =>
  name.startsWith("sluice-") ||
  ["connection", "content-encoding", "content-length", "transfer-encoding", "upgrade"].includes(name);

/** Edits of request headers; null when there are none. */
export const compileRequestHeaders = (authored: AuthoredHeaders, path: DocumentPath, problems: Problems) =>
  compileHeaders(authored, requestReserved, path, problems);

/** Edits of response headers; null when there are none. */
export const compileResponseHeaders = (authored: AuthoredHeaders, path: DocumentPath, problems: Problems) =>
  compileHeaders(authored, responseReserved, path, problems);

function compileHeaders(
  { setHeaders, addHeaders, removeHeaders }: AuthoredHeaders,
  reserved: (name: string) => boolean,
  path: DocumentPath,
  problems: Problems,
): HeaderEdits | null {
  const check = (name: string, at: DocumentPath) => {
    if (reserved(name.toLowerCase()))
      problems.error(at, "is written by the gateway or the runtime and cannot be edited");
  };
  const set = Object.entries(setHeaders ?? {});
  const add = Object.entries(addHeaders ?? {});
  const remove = removeHeaders ?? [];
  for (const [name] of set) check(name, [...path, "setHeaders", name]);
  for (const [name] of add) check(name, [...path, "addHeaders", name]);
  for (const [index, name] of remove.entries()) check(name, [...path, "removeHeaders", index]);
  return set.length + add.length + remove.length === 0 ? null : { set, add, remove };
}

/**
 * A rewrite bound to the prefix by which a request was matched (`matchedSegments`, null for other kinds of path), on top
 * of `base`: header edits come after those of the base, and a path edit takes the place of its.
 */
export function bindRewrite(
  authored: AuthoredRewrite | undefined,
  headers: HeaderEdits | null,
  matchedSegments: number | null,
  base: Rewrite | null,
): Rewrite {
  const merged =
    base?.headers && headers ? mergeHeaderEdits(base.headers, headers) : (headers ?? base?.headers ?? null);
  if (authored?.path === undefined && authored?.stripPrefix === undefined)
    return { path: base?.path ?? null, headers: merged };
  const stripPrefix =
    authored.stripPrefix === undefined ? undefined : segmentsOf(prefixPath(authored.stripPrefix).path);
  return {
    path: { stripPrefix, path: authored.path && pathModifier(authored.path, matchedSegments) },
    headers: merged,
  };
}

/** A redirect bound to the prefix by which a request was matched. */
export function bindRedirect(authored: AuthoredRedirect, matchedSegments: number | null): RouteRedirect {
  const { scheme, hostname, port, path, statusCode } = authored;
  return { scheme, hostname, port, path: path && pathModifier(path, matchedSegments), statusCode };
}

function pathModifier(
  { replaceFullPath, replacePrefixMatch }: AuthoredPath,
  matchedSegments: number | null,
): PathModifier {
  if (replaceFullPath !== undefined) return { kind: "replaceFullPath", value: replaceFullPath };
  return { kind: "replacePrefixMatch", value: replacePrefixMatch ?? "", matchedSegments: matchedSegments ?? 0 };
}

/** A CORS policy. */
export function compileCors(authored: AuthoredCors, path: DocumentPath, problems: Problems): CorsPolicy {
  const exact = new Set<string>();
  const wildcards: OriginWildcard[] = [];
  let any = false;
  for (const [index, text] of authored.allowOrigins.entries()) {
    const origin = parseCorsOrigin(text);
    if (origin.kind === "error") problems.error([...path, "allowOrigins", index], origin.detail);
    if (origin.kind === "any") any = true;
    if (origin.kind === "exact") exact.add(origin.origin);
    if (origin.kind === "wildcard") wildcards.push(origin.wildcard);
  }
  const { allowMethods, allowHeaders, exposeHeaders, allowCredentials, maxAge } = authored;
  const lists = { allowMethods, allowHeaders, exposeHeaders };
  return { any, allowOrigins: exact, wildcards, ...lists, allowCredentials, maxAgeSeconds: maxAge };
}

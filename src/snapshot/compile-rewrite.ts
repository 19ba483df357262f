/** Compiles rewrites, redirects and CORS policies. */
import type { CorsPolicy } from "../core/cors/cors.ts";
import { type OriginWildcard, parseCorsOrigin } from "../core/cors/origin.ts";
import { isWithheld } from "../core/forwarding/headers.ts";
import { type HeaderEdits, mergeHeaderEdits } from "../core/rewriting/headers.ts";
import type { PathModifier } from "../core/rewriting/path.ts";
import { prefixPath } from "../core/routing/matcher.ts";
import { segmentsOf } from "../core/routing/path.ts";
import type { AuthoredRewrite, AuthoredRoute, AuthoredTrafficRule } from "../schema/config.ts";
import type { DocumentPath, Problems } from "./problems.ts";
import type { Rewrite, RouteRedirect } from "./types.ts";

type AuthoredHeaders = Pick<AuthoredRewrite, "setHeaders" | "addHeaders" | "removeHeaders">;
type AuthoredPath = NonNullable<AuthoredRewrite["path"]>;
type AuthoredRedirect = NonNullable<AuthoredRoute["redirect"]>;
type IsReserved = (name: string) => boolean;
type AuthoredCors = NonNullable<AuthoredRoute["cors"]>;

/** Request headers that the gateway or the runtime writes; an edit of them would be undone or believed by an origin. */
const requestReserved = (name: string) => isWithheld(name) || name === "via" || name === "x-request-id";
/** Response headers that describe the transfer or that only the gateway may send. */
const responseReserved = (name: string) =>
  name.startsWith("sluice-") ||
  ["connection", "content-encoding", "content-length", "transfer-encoding", "upgrade"].includes(name);

/** The same for an answer of the gateway's own, which is no origin's to pass on: hop-by-hop fields too. */
const storedReserved = (name: string) => responseReserved(name) || requestReserved(name);

/** Edits of request headers; null when there are none. */
export const compileRequestHeaders = (authored: AuthoredHeaders, path: DocumentPath, problems: Problems) =>
  compileHeaders(authored, requestReserved, path, problems);

/** Edits of response headers; null when there are none. */
export const compileResponseHeaders = (authored: AuthoredHeaders, path: DocumentPath, problems: Problems) =>
  compileHeaders(authored, responseReserved, path, problems);

/** Headers of an answer that the gateway has in store. */
export function compileStoredHeaders(
  authored: Readonly<Record<string, string>>,
  path: DocumentPath,
  problems: Problems,
): [string, string][] {
  const headers = Object.entries(authored);
  for (const [name] of headers) checkName(name, storedReserved, [...path, name], problems);
  return headers;
}

function checkName(name: string, reserved: IsReserved, at: DocumentPath, problems: Problems): void {
  if (reserved(name.toLowerCase())) problems.error(at, "is written by the gateway or the runtime and cannot be edited");
}

function compileHeaders(
  { setHeaders, addHeaders, removeHeaders }: AuthoredHeaders,
  reserved: IsReserved,
  path: DocumentPath,
  problems: Problems,
): HeaderEdits | null {
  const check = (name: string, at: DocumentPath) => checkName(name, reserved, at, problems);
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

const noRewrites: ReadonlyMap<number, readonly Rewrite[]> = new Map();

/**
 * Rewrites of the entries of every split that has some, by the rule's index, as a function of the matched prefix and the
 * route's own rewrite.
 */
export function compileSplitRewrites(
  traffic: readonly AuthoredTrafficRule[],
  path: DocumentPath,
  problems: Problems,
): (matchedSegments: number | null, base: Rewrite) => ReadonlyMap<number, readonly Rewrite[]> {
  const splits = traffic.flatMap((rule, index) => {
    if (!("split" in rule) || rule.split.every(({ rewrite }) => rewrite === undefined)) return [];
    const entries = rule.split.map(({ rewrite }, entry) => {
      const at = [...path, index, "split", entry, "rewrite"];
      return { rewrite, headers: rewrite ? compileRequestHeaders(rewrite, at, problems) : null };
    });
    return [{ index, entries }];
  });
  if (splits.length === 0) return () => noRewrites;
  return (matchedSegments, base) =>
    new Map(
      splits.map(({ index, entries }) => [
        index,
        entries.map(({ rewrite, headers }) => bindRewrite(rewrite, headers, matchedSegments, base)),
      ]),
    );
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

/** A route of Kong as routes of ours. A condition that we do not have leaves the route out: it must not fit more requests. */
import type { Part } from "../reader.ts";
import type { Match, Route } from "../types.ts";
import { headersOf, hostOf, listOf, methodOf } from "./conditions.ts";
import { everyPath, type PathContext, type TranslatedPath, translatePath } from "./path.ts";

/** What Kong orders routes by beside their paths. */
export interface Conditions {
  readonly hosts: readonly string[] | undefined;
  readonly methods: string[] | undefined;
  readonly headers: NonNullable<Match["headers"]> | undefined;
}

/** Paths that are rewritten alike, each with the rest of the conditions. */
export interface TranslatedRoute extends Conditions {
  readonly paths: readonly TranslatedPath[];
  readonly regexPriority: number;
}

/** Translates the conditions of a route; undefined, with a note, when they cannot be. */
export function translateRoute(part: Part, context: Omit<PathContext, "isStripped">): TranslatedRoute | undefined {
  const problem = problemOf(part);
  if (problem !== undefined) {
    part.drop(problem, "The route was left out, as it would fit more requests without that condition.");
    return undefined;
  }
  const isStripped = part.get("strip_path").flag() ?? true;
  const paths = listOf(part.get("paths"), (at) => translatePath(at, { ...context, isStripped }));
  const hosts = listOf(part.get("hosts"), hostOf);
  const methods = listOf(part.get("methods"), methodOf);
  const headers = headersOf(part.get("headers"));
  if (!paths.ok || !hosts.ok || !methods.ok || !headers.ok) {
    const hint = "None of its paths, hosts, methods or headers could be said, so the route was left out.";
    part.lose("route with a condition that is not supported", hint);
    return undefined;
  }
  if (!paths.value && !hosts.value && !methods.value && !headers.value) {
    part.drop("route without a condition", "It fitted no request.");
    return undefined;
  }
  remarkOthers(part);
  return {
    paths: paths.value ?? [everyPath({ ...context, isStripped })],
    hosts: hosts.value,
    methods: methods.value,
    headers: headers.value,
    regexPriority: Number(part.get("regex_priority").value ?? 0),
  };
}

function problemOf(part: Part): string | undefined {
  const conditions = ["expression", "sources", "destinations"].filter((name) => !isEmpty(part.get(name)));
  const hosts = part
    .get("hosts")
    .items()
    .map(({ value }) => value);
  if (
    part
      .get("snis")
      .items()
      .some(({ value }) => !hosts.includes(value))
  )
    conditions.push("snis");
  if (conditions.length > 0) return `route chosen by ${conditions.join(", ")}`;
  const protocols = part
    .get("protocols")
    .items()
    .map((item) => item.value);
  const isHttp =
    protocols.length === 0 || protocols.some((name) => ["http", "https", "ws", "wss"].includes(String(name)));
  return isHttp ? undefined : `route for ${protocols.join(", ")}`;
}

const isEmpty = (part: Part): boolean => !part.exists || (Array.isArray(part.value) && part.value.length === 0);

/** What changes nothing about which requests the route gets, or next to nothing. */
function remarkOthers(part: Part): void {
  const protocols = part.get("protocols");
  if (protocols.exists) protocols.bend("protocols of a route", "The route answers over HTTP and HTTPS alike.");
  const status = part.get("https_redirect_status_code");
  if (status.exists) status.drop("redirect to HTTPS", "Let Cloudflare do it (Always Use HTTPS).");
  const preserve = part.get("preserve_host");
  if (preserve.flag() === true) {
    preserve.drop("preserve_host", "Host is the origin's; the client's is in x-forwarded-host.");
  } else if (preserve.exists) preserve.drop("preserve_host", "As in the original, Host is the origin's.");
  if (!isEmpty(part.get("snis"))) part.get("snis").drop("snis", "Requests are told apart by their host alone.");
  const priority = part.get("regex_priority");
  if (priority.exists)
    priority.bend("regex_priority", "Expressions are ordered by the characters that they begin with.");
  const handling = part.get("path_handling");
  if (handling.exists)
    handling.bend("path_handling", "The path of the service and that of the request are joined as v0 does.");
  for (const name of ["request_buffering", "response_buffering"]) {
    if (part.get(name).exists) part.get(name).drop(name, "Bodies are streamed.");
  }
}

/** Paths in groups that one route of ours can have: all of a group are rewritten alike. */
export function groupPaths(paths: readonly TranslatedPath[]): TranslatedPath[][] {
  const groups = Map.groupBy(paths, ({ rewrite }) => JSON.stringify(rewrite) ?? "");
  return [...groups.values()];
}

/** The matches and the rewrite of such a group. */
export function matchesOf(
  group: readonly TranslatedPath[],
  { methods, headers }: Conditions,
): Pick<Route, "matches" | "rewrite"> {
  const rewrite = group[0]?.rewrite;
  const matches = group.map(({ match }) => ({ path: match, ...(methods && { methods }), ...(headers && { headers }) }));
  return { matches, ...(rewrite && { rewrite: { path: rewrite } }) };
}

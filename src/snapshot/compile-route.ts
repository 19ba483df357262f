/** Compiles `routes` into entries of the route table. */
import { bounds } from "../bounds.ts";
import { conditionKey, type RouteEntry } from "../core/routing/entry.ts";
import type { PathMatcher } from "../core/routing/matcher.ts";
import { segmentsOf } from "../core/routing/path.ts";
import { pointerOf } from "../errors.ts";
import type { AuthoredRoute, Config } from "../schema/config.ts";
import { checkPaths, checkTarget } from "./check-route.ts";
import { compileFailures } from "./compile-failures.ts";
import { type CompiledMatch, compileHost, compileMatch } from "./compile-match.ts";
import {
  bindRedirect,
  bindRewrite,
  compileCors,
  compileRequestHeaders,
  compileResponseHeaders,
  compileSplitRewrites,
} from "./compile-rewrite.ts";
import { type CompileTraffic, trafficCompiler } from "./compile-traffic.ts";
import type { DocumentPath, Problems } from "./problems.ts";
import type { CompiledLimit, Route } from "./types.ts";

type Limits = ReadonlyMap<string, CompiledLimit>;

/** What a route may refer to. */
interface Scope {
  readonly config: Config;
  readonly limits: Limits;
  readonly traffic: CompileTraffic;
}

/** Every host x match of every route, in document order. More of them than `routeEntriesMax` are refused before they are made. */
export function compileRoutes(config: Config, limits: Limits, problems: Problems): RouteEntry<Route>[] {
  const count = config.routes.reduce(
    (sum, { hosts, matches }) => sum + (hosts?.length ?? 1) * (matches?.length ?? 1),
    0,
  );
  if (count > bounds.routeEntriesMax) {
    problems.error(["routes"], `${count} entries (hosts x matches), at most ${bounds.routeEntriesMax}`);
    return [];
  }
  const entries: RouteEntry<Route>[] = [];
  const scope: Scope = { config, limits, traffic: trafficCompiler(problems) };
  const seenNames = new Set<string>();
  /** First entry of each set of conditions, to warn of those that can never win. */
  const seen = new Map<string, number>();
  for (const [index, authored] of config.routes.entries()) {
    const at = ["routes", index];
    if (seenNames.has(authored.name)) problems.error([...at, "name"], "another route has this name");
    seenNames.add(authored.name);
    checkTarget(authored, config, at, problems);
    for (const entry of compileRoute(authored, scope, entries.length, at, problems)) {
      const key = conditionKey(entry);
      const first = seen.get(key);
      if (first === undefined) seen.set(key, index);
      else if (first === index) problems.warn(at, "two of its matches are equal");
      else {
        const other = pointerOf(["routes", first]);
        problems.warn(at, `can never win for some requests: ${other} has an equal match and stands before it`);
      }
      entries.push(entry);
    }
  }
  return entries;
}

function compileRoute(
  route: AuthoredRoute,
  scope: Scope,
  order: number,
  at: DocumentPath,
  problems: Problems,
): RouteEntry<Route>[] {
  const hosts = route.hosts?.map((host, index) => compileHost(host, [...at, "hosts", index], problems)) ?? [null];
  const matches = (route.matches ?? [{}]).map((match, index) =>
    compileMatch(match, [...at, "matches", index], problems),
  );
  const bind = compileTarget(route, scope, matches, at, problems);
  const entries: RouteEntry<Route>[] = [];
  for (const { path, methods, criteria } of matches) {
    const target = bind(path);
    for (const host of new Set(hosts)) {
      entries.push({ route: target, host, path, methods, criteria, order: order + entries.length });
    }
  }
  return entries;
}

/** What follows the match, as a function of the path that matched: only a prefix can be replaced. */
function compileTarget(
  route: AuthoredRoute,
  { config, limits, traffic: trafficOf }: Scope,
  matches: readonly CompiledMatch[],
  at: DocumentPath,
  problems: Problems,
): (path: PathMatcher) => Route {
  const scope = { service: route.service ?? "", params: paramsOf(matches) };
  const traffic = trafficOf(route.traffic ?? [], scope, [...at, "traffic"]);
  const headers = route.rewrite ? compileRequestHeaders(route.rewrite, [...at, "rewrite"], problems) : null;
  const bindSplits = compileSplitRewrites(route.traffic ?? [], [...at, "traffic"], problems);
  const response = route.response ? compileResponseHeaders(route.response, [...at, "response"], problems) : null;
  const cors = route.cors ? compileCors(route.cors, [...at, "cors"], problems) : null;
  const routeLimits = limitsOf(route, limits, at, problems);
  const failures = compileFailures(route, config, at, problems);
  checkPaths(route, matches, at, problems);
  return (path) => {
    const matchedSegments = path.kind === "prefix" ? segmentsOf(path.path).length : null;
    const rewrite = bindRewrite(route.rewrite, headers, matchedSegments, null);
    return {
      name: route.name,
      service: route.service ?? null,
      redirect: route.redirect ? bindRedirect(route.redirect, matchedSegments) : null,
      traffic,
      rewrite,
      splitRewrites: bindSplits(matchedSegments, rewrite),
      response,
      cors,
      limits: routeLimits,
      requestTimeoutMs: route.timeouts.requestMs,
      attemptTimeoutMs: route.timeouts.attemptMs,
      idleTimeoutMs: route.timeouts.idleMs,
      ...failures,
    };
  };
}

/** The limits that the route names, each once. */
function limitsOf(route: AuthoredRoute, limits: Limits, at: DocumentPath, problems: Problems): CompiledLimit[] {
  const names = route.rateLimits ?? [];
  return names.flatMap((name, index) => {
    const limit = limits.get(name);
    if (limit === undefined) problems.error([...at, "rateLimits", index], "no rate limit has this name");
    if (names.indexOf(name) !== index) problems.error([...at, "rateLimits", index], "is named before");
    return limit === undefined ? [] : [limit];
  });
}

/** Parameters that at least one match has. */
function paramsOf(matches: readonly CompiledMatch[]): Set<string> {
  const segments = matches.flatMap(({ path }) => (path.kind === "pattern" ? path.segments : []));
  return new Set(segments.flatMap((segment) => (segment.kind === "param" ? [segment.name] : [])));
}

/** What the schema cannot say of a route: parts that exclude each other, references, path edits that can never fit. */
import type { PathMatcher } from "../core/routing/matcher.ts";
import { prefixPath } from "../core/routing/matcher.ts";
import { segmentsOf } from "../core/routing/path.ts";
import type { AuthoredRewrite, AuthoredRoute, Config } from "../schema/config.ts";
import { type CompiledMatch, isHost } from "./compile-match.ts";
import type { DocumentPath, Problems } from "./problems.ts";

/** A route has a service or a redirect; what it refers to is there. */
export function checkTarget(route: AuthoredRoute, config: Config, at: DocumentPath, problems: Problems): void {
  const { service, redirect, timeouts } = route;
  if ((service === undefined) === (redirect === undefined)) problems.error(at, "needs either a service or a redirect");
  if (service !== undefined && !Object.hasOwn(config.services, service)) {
    problems.error([...at, "service"], "no service has this name");
  } else if (service !== undefined && config.services[service]!.maxConcurrentRequests > 0 && timeouts.idleMs === 0) {
    problems.warn(
      [...at, "timeouts", "idleMs"],
      "without it a client that stops sending keeps one of its service's maxConcurrentRequests",
    );
  }
  if (redirect === undefined) return;
  for (const part of ["traffic", "rewrite", "retries", "hedging", "mirror", "fallback"] as const) {
    if (route[part] !== undefined) problems.error([...at, part], "has no meaning for a redirect");
  }
  const { scheme, hostname, port, path } = redirect;
  if (scheme === undefined && hostname === undefined && port === undefined && path === undefined) {
    problems.error([...at, "redirect"], "would send the client to where it is: change scheme, hostname, port or path");
  }
  if (hostname !== undefined && !isHost(hostname)) problems.error([...at, "redirect", "hostname"], "not a host name");
}

/** Path edits that no match of the route can ever fit. */
export function checkPaths(
  route: AuthoredRoute,
  matches: readonly CompiledMatch[],
  at: DocumentPath,
  problems: Problems,
): void {
  const rewrites: [DocumentPath, AuthoredRewrite][] = [];
  if (route.rewrite) rewrites.push([[...at, "rewrite"], route.rewrite]);
  for (const [index, rule] of (route.traffic ?? []).entries()) {
    if (!("split" in rule)) continue;
    for (const [entry, { rewrite }] of rule.split.entries()) {
      if (rewrite) rewrites.push([[...at, "traffic", index, "split", entry, "rewrite"], rewrite]);
    }
  }
  for (const [path, rewrite] of rewrites) {
    const prefix = rewrite.stripPrefix;
    if (prefix !== undefined && !matches.some((match) => mayBeginWith(match.path, prefixPath(prefix).path))) {
      problems.error([...path, "stripPrefix"], "no request of this route begins with it");
    }
    requirePrefix(rewrite.path?.replacePrefixMatch, matches, [...path, "path", "replacePrefixMatch"], problems);
  }
  const replacement = route.redirect?.path?.replacePrefixMatch;
  requirePrefix(replacement, matches, [...at, "redirect", "path", "replacePrefixMatch"], problems);
}

function requirePrefix(
  replacement: string | undefined,
  matches: readonly CompiledMatch[],
  path: DocumentPath,
  problems: Problems,
): void {
  if (replacement === undefined || matches.every((match) => match.path.kind === "prefix")) return;
  problems.error(path, "every match of the route must then be a prefix");
}

/** Can a path that is matched begin with the prefix? A regex might. */
function mayBeginWith(path: PathMatcher, prefix: string): boolean {
  const wanted = segmentsOf(prefix);
  switch (path.kind) {
    case "regex":
      return true;
    case "exact":
      return segmentsOf(path.path).slice(0, wanted.length).join("/") === wanted.join("/");
    case "prefix":
      return segmentsOf(path.path).every((segment, index) => index >= wanted.length || segment === wanted[index]);
    case "pattern": {
      const { segments } = path;
      const open = segments.at(-1)?.kind === "rest";
      if (!open && segments.length < wanted.length) return false;
      return wanted.every((text, index) => {
        const segment = segments[index];
        return segment?.kind !== "literal" || segment.text === text;
      });
    }
  }
}

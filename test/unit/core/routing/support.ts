import type { Criterion, RequestFacts } from "../../../../src/core/facts.ts";
import type { RouteEntry } from "../../../../src/core/routing/entry.ts";
import {
  exactPath,
  type PathMatcher,
  patternPath,
  prefixPath,
  regexPath,
} from "../../../../src/core/routing/matcher.ts";
import { parsePattern } from "../../../../src/core/routing/pattern.ts";
import { matchRoute, type RouteMatch, type RouteTable } from "../../../../src/core/routing/table.ts";

/** A request; `host` is normalised, as the pipeline would. */
export interface Asked {
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
}

export function factsOf(asked: Asked): RequestFacts {
  return {
    method: asked.method ?? "GET",
    host: asked.host ?? "any.test",
    path: asked.path ?? "/",
    header: (name) => asked.headers?.[name] ?? null,
    query: (name) => asked.query?.[name] ?? null,
    cookie: () => null,
    clientIp: null,
    continent: null,
    country: null,
    region: null,
    colo: null,
  };
}

export function pattern(text: string): PathMatcher {
  const parsed = parsePattern(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.problem}`);
  return patternPath(parsed.segments);
}

export function regex(source: string): PathMatcher {
  const whole = new RegExp(`^(?:${source})$`);
  return regexPath(source, (path) => whole.test(path));
}

export const pathOf: Readonly<Record<PathMatcher["kind"], (text: string) => PathMatcher>> = {
  exact: exactPath,
  prefix: prefixPath,
  pattern,
  regex,
};

export function criterion(
  source: "header" | "query",
  name: string,
  kind: "exact" | "present" = "present",
  expected = "true",
): Criterion {
  return { source, name, kind, expected };
}

/** An entry that fits everything, but for what is given. */
export function entry(route: string, given: Partial<RouteEntry<string>> = {}): RouteEntry<string> {
  return { route, host: null, path: prefixPath("/"), methods: null, criteria: [], order: 0, ...given };
}

export function winner(table: RouteTable<string>, asked: Asked): RouteMatch<string> | null {
  return matchRoute(table, factsOf(asked)).match;
}

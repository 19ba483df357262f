/** `matchRoute` over 10 to 10,000 routes. */
import type { RouteEntry } from "../../../src/core/routing/entry.ts";
import { exactPath, type PathMatcher, patternPath, prefixPath } from "../../../src/core/routing/matcher.ts";
import { parsePattern } from "../../../src/core/routing/pattern.ts";
import { buildRouteTable, matchRoute } from "../../../src/core/routing/table.ts";
import type { Case } from "../measure.ts";
import { byTurns, factsOf } from "./facts.ts";

interface Shape {
  readonly given: (n: number) => Partial<RouteEntry<number>>;
  readonly path: (n: number) => string;
}

const shapes: Readonly<Record<string, Shape>> = {
  exact: { given: (n) => ({ path: exactPath(`/v1/r${n}/list`) }), path: (n) => `/v1/r${n}/list` },
  prefix: { given: (n) => ({ path: prefixPath(`/v1/r${n}`) }), path: (n) => `/v1/r${n}/users/4711` },
  pattern: { given: (n) => ({ path: pattern(`/v1/r${n}/users/:id`) }), path: (n) => `/v1/r${n}/users/4711` },
  "with criteria": {
    given: (n) => ({
      path: prefixPath(`/v1/r${n}`),
      methods: ["GET", "HEAD"],
      criteria: [{ source: "header", name: "x-beta", kind: "exact", expected: "1" }],
    }),
    path: (n) => `/v1/r${n}/users/4711`,
  },
};

export function routing(): Case[] {
  const sizes = [10, 1_000, 10_000];
  const matches = Object.entries(shapes).flatMap(([name, shape]) => sizes.map((size) => matchCase(name, shape, size)));
  return [...matches, wildcardCase()];
}

function matchCase(name: string, { given, path }: Shape, size: number): Case {
  const table = buildRouteTable(Array.from({ length: size }, (_, n) => entryOf(n, given(n))));
  const asked = byTurns((index) => factsOf({ path: path((index * 7919) % size), headers: { "x-beta": "1" } }));
  return {
    name: `match ${name}, ${size} routes`,
    run: (index) => matchRoute(table, asked(index)).match,
    work: () => matchRoute(table, asked(0)).examined,
  };
}

function wildcardCase(): Case {
  const given = (n: number) => ({ host: `*.h${n}.example.com`, path: prefixPath("/") });
  const table = buildRouteTable(Array.from({ length: 1_000 }, (_, n) => entryOf(n, given(n))));
  const asked = byTurns((index) => factsOf({ host: `a.b.h${index}.example.com`, path: "/x" }));
  return {
    name: "match wildcard host, 1000 routes",
    run: (index) => matchRoute(table, asked(index)).match,
    work: () => matchRoute(table, asked(0)).examined,
  };
}

function entryOf(n: number, given: Partial<RouteEntry<number>>): RouteEntry<number> {
  return { route: n, host: "api.example.com", path: prefixPath("/"), methods: null, criteria: [], order: n, ...given };
}

function pattern(text: string): PathMatcher {
  const parsed = parsePattern(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return patternPath(parsed.segments);
}

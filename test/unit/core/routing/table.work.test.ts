import { describe, expect, test } from "vitest";
import type { RouteEntry } from "../../../../src/core/routing/entry.ts";
import { exactPath, prefixPath } from "../../../../src/core/routing/matcher.ts";
import { buildRouteTable, matchRoute, type RouteTable } from "../../../../src/core/routing/table.ts";
import { type Asked, criterion, entry, factsOf, pattern, regex } from "./support.ts";

/** How the n-th of many routes is written, and a request for it. */
interface Shape {
  readonly given: (n: number) => Partial<RouteEntry<string>>;
  readonly asked: (n: number) => Asked;
}

const shapes: Record<string, Shape> = {
  "exact paths": { given: (n) => ({ path: exactPath(`/r${n}/x`) }), asked: (n) => ({ path: `/r${n}/x` }) },
  prefixes: { given: (n) => ({ path: prefixPath(`/r${n}/x`) }), asked: (n) => ({ path: `/r${n}/x/y/z` }) },
  "nested prefixes": {
    given: (n) => ({ path: prefixPath(`/a/b/c/r${n}`) }),
    asked: (n) => ({ path: `/a/b/c/r${n}/y` }),
  },
  patterns: { given: (n) => ({ path: pattern(`/r${n}/:id/*`) }), asked: (n) => ({ path: `/r${n}/1/y` }) },
  "patterns with the parameter first": {
    given: (n) => ({ path: pattern(`/:id/r${n}`) }),
    asked: (n) => ({ path: `/1/r${n}` }),
  },
  "expressions with a literal segment": {
    given: (n) => ({ path: regex(`/r${n}/(a|b)\\d+`) }),
    asked: (n) => ({ path: `/r${n}/b12` }),
  },
  hosts: { given: (n) => ({ host: `h${n}.test` }), asked: (n) => ({ host: `h${n}.test` }) },
  wildcards: { given: (n) => ({ host: `*.h${n}.test` }), asked: (n) => ({ host: `x.y.h${n}.test` }) },
};

function tableOf(shape: Shape, routes: number): RouteTable<string> {
  return buildRouteTable(Array.from({ length: routes }, (_, n) => entry(`r${n}`, { ...shape.given(n), order: n })));
}

function workFor(table: RouteTable<string>, shape: Shape, n: number): number {
  const { match, examined } = matchRoute(table, factsOf(shape.asked(n)));
  expect(match?.entry.route).toBe(`r${n}`);
  return examined;
}

describe.each(Object.entries(shapes))("%s", (_name, shape) => {
  test("the work is the same for the first and the last route, and for 10, 1,000 and 10,000", () => {
    const few = workFor(tableOf(shape, 10), shape, 0);
    expect(few).toBeLessThanOrEqual(10);
    for (const routes of [1_000, 10_000]) {
      const table = tableOf(shape, routes);
      for (const n of [0, routes / 2, routes - 1]) expect(workFor(table, shape, n)).toBe(few);
    }
  });
});

test("a request that nothing fits costs no more", () => {
  const search = matchRoute(tableOf(shapes.prefixes!, 10_000), factsOf({ path: "/unknown" }));
  expect(search).toEqual({ match: null, examined: 2 });
});

test("what cannot beat the best so far is not looked at", () => {
  let tested = 0;
  const slow = regex(".*");
  const counted = { ...slow, test: () => ++tested > 0 };
  const table = buildRouteTable([
    entry("prefix", { path: prefixPath("/a") }),
    ...Array.from({ length: 100 }, (_, n) => entry(`regex${n}`, { path: counted, order: n })),
  ]);
  const { match, examined } = matchRoute(table, factsOf({ path: "/a/b" }));
  expect(match?.entry.route).toBe("prefix");
  expect({ tested, examined }).toEqual({ tested: 0, examined: 4 });
});

test("nor is a part of the trie that holds nothing better", () => {
  const table = buildRouteTable([
    entry("best", { path: pattern("/a/b") }),
    entry("better elsewhere", { path: pattern("/:p/cc/dddd") }),
    entry("worse", { path: pattern("/:p/b") }),
  ]);
  const { match, examined } = matchRoute(table, factsOf({ path: "/a/b" }));
  expect(match?.entry.route).toBe("best");
  // The group, the root, a, b, the entry, and the parameter at the root; not b below it.
  expect(examined).toBe(6);
});

test("nor is another host group", () => {
  const entries = ["a.b.test", "*.b.test", "*.test", null].map((host) => entry(String(host), { host }));
  const { match, examined } = matchRoute(buildRouteTable(entries), factsOf({ host: "a.b.test" }));
  expect(match?.entry.route).toBe("a.b.test");
  expect(examined).toBe(3);
});

test("literals and parameters at every level do not multiply the work once the best is found", () => {
  const levels = 10;
  const all = Array.from({ length: 2 ** levels }, (_, bits) => {
    const segments = Array.from({ length: levels }, (_, level) => ((bits >> level) & 1 ? `:p${level}` : "a"));
    return entry(`r${bits}`, { path: pattern(`/${segments.join("/")}`), order: bits });
  });
  const { match, examined } = matchRoute(buildRouteTable(all), factsOf({ path: "/a".repeat(levels) }));
  expect(match?.entry.route).toBe("r0");
  expect(examined).toBe(levels + 3);
});

test("entries of one path are tried in the order of their precedence, up to the first that fits", () => {
  const entries = ["a", "b", "c", "d"].map((name, order) =>
    entry(name, { path: exactPath("/x"), criteria: [criterion("header", name)], order }),
  );
  const { match, examined } = matchRoute(
    buildRouteTable(entries),
    factsOf({ path: "/x", headers: { b: "1", c: "1" } }),
  );
  expect(match?.entry.route).toBe("b");
  expect(examined).toBe(3);
});

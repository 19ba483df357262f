import { describe, expect, test } from "vitest";
import type { Criterion } from "../../../../src/core/facts.ts";
import type { RouteEntry } from "../../../../src/core/routing/entry.ts";
import { exactPath, type PathMatcher, prefixPath } from "../../../../src/core/routing/matcher.ts";
import { buildRouteTable, matchRoute } from "../../../../src/core/routing/table.ts";
import { type Asked, criterion, entry, factsOf, pathOf, pattern, regex, winner } from "./support.ts";

type Given = Partial<RouteEntry<string>>;

function fits(given: Given, asked: Asked): boolean {
  return winner(buildRouteTable([entry("it", given)]), asked) !== null;
}

describe("hosts", () => {
  test.each<[string | null, string, boolean]>([
    [null, "any.test", true],
    [null, "", true],
    ["api.example.com", "api.example.com", true],
    ["api.example.com", "example.com", false],
    ["api.example.com", "x.api.example.com", false],
    ["*.example.com", "api.example.com", true],
    ["*.example.com", "a.b.c.example.com", true],
    ["*.example.com", "example.com", false],
    ["*.example.com", ".example.com", false],
    ["*.example.com", "badexample.com", false],
    ["*.example.com", "api.example.com.evil.test", false],
    ["192.0.2.1", "192.0.2.1", true],
    ["[::1]", "[::1]", true],
    ["__proto__", "constructor", false],
  ])("an entry for %j and a request for %j: %j", (host, asked, expected) => {
    expect(fits({ host }, { host: asked })).toBe(expected);
  });
});

describe("paths", () => {
  test.each<[PathMatcher["kind"], string, string, boolean]>([
    ["exact", "/a", "/a", true],
    ["exact", "/a", "/a/", false],
    ["exact", "/a", "/a/b", false],
    ["exact", "/a", "/A", false],
    ["exact", "/", "/", true],
    ["exact", "/ap%69", "/%61pi", true],
    ["exact", "/é", "/%c3%a9", true],
    ["exact", "/a/b", "/a%2Fb", false],
    ["exact", "/a%2fb", "/a%2Fb", true],
    ["exact", "/a/b", "/a//b", false],
    ["exact", "/__proto__", "/constructor", false],
    ["prefix", "/", "/", true],
    ["prefix", "/", "/any//thing", true],
    ["prefix", "/v2", "/v2", true],
    ["prefix", "/v2", "/v2/", true],
    ["prefix", "/v2", "/v2/x", true],
    ["prefix", "/v2", "/v2example", false],
    ["prefix", "/v2", "/V2", false],
    ["prefix", "/v2/", "/v2", true],
    ["prefix", "/v2/", "/v2/x", true],
    ["prefix", "/a/b", "/a", false],
    ["prefix", "/a", "/a%2Fb", false],
    ["prefix", "/a/b", "/a//b", false],
    ["prefix", "/a", "//a", false],
    ["prefix", "/a//", "/a//b", true],
    ["prefix", "/a//", "/a/b", false],
    ["prefix", "/__proto__", "/__proto__/x", true],
    ["prefix", "/__proto__", "/constructor", false],
    ["pattern", "/users/:id", "/users/1", true],
    ["pattern", "/users/:id", "/users/", false],
    ["pattern", "/users/:id", "/users", false],
    ["pattern", "/users/:id", "/users/1/", false],
    ["pattern", "/users/:id", "/users/1/x", false],
    ["pattern", "/users/:id", "/users/a%2Fb", true],
    ["pattern", "/users/:id/*", "/users/1", true],
    ["pattern", "/users/:id/*", "/users/1/", true],
    ["pattern", "/users/:id/*", "/users/1/x/y", true],
    ["pattern", "/users/:id/*", "/users/", false],
    ["pattern", "/users/:id/*", "/users//x", false],
    ["pattern", "/:a/b/:c", "/x/b/y", true],
    ["pattern", "/:a/b/:c", "/x/c/y", false],
    ["pattern", "/*", "/", true],
    ["pattern", "/", "/", true],
    ["pattern", "/", "/a", false],
    ["pattern", "/us%65rs", "/users", true],
    ["regex", "/users/\\d+", "/users/12", true],
    ["regex", "/users/\\d+", "/users/12/x", false],
    ["regex", "/users/\\d+", "/x/users/12", false],
    ["regex", "/(a|b)/x", "/b/x", true],
    ["regex", "/a|/b", "/b", true],
    ["regex", "/a/?", "/a", true],
    ["regex", "/api", "/ap%69", true],
    ["regex", "/a/[^/]+", "/a/b%2fc", true],
  ])("%s %s and a request for %s: %j", (kind, text, asked, expected) => {
    expect(fits({ path: pathOf[kind](text) }, { path: asked })).toBe(expected);
  });
});

describe("methods, headers and query parameters", () => {
  const tenant = criterion("header", "x-tenant", "exact", "acme");
  test.each<[string, Given, Asked, boolean]>([
    ["no methods: every one", {}, { method: "PURGE" }, true],
    ["a method", { methods: ["GET", "PUT"] }, { method: "PUT" }, true],
    ["a wrong method is no match", { methods: ["GET"] }, { method: "PUT" }, false],
    ["HEAD is not GET", { methods: ["GET"] }, { method: "HEAD" }, false],
    ["methods are case-sensitive", { methods: ["GET"] }, { method: "get" }, false],
    ["a header", { criteria: [tenant] }, { headers: { "x-tenant": "acme" } }, true],
    ["another value", { criteria: [tenant] }, { headers: { "x-tenant": "acme2" } }, false],
    ["no header", { criteria: [tenant] }, {}, false],
    ["a bare parameter is present", { criteria: [criterion("query", "mobile")] }, { query: { mobile: "" } }, true],
    ["all must be met", { criteria: [tenant, criterion("query", "b")] }, { headers: { "x-tenant": "acme" } }, false],
    ["also on an expression", { path: regex("/.*"), methods: ["PUT"] }, { method: "GET" }, false],
  ])("%s", (_guarantee, given, asked, expected) => {
    expect(fits(given, asked)).toBe(expected);
  });
});

describe("the better entry wins, wherever it is in the document", () => {
  const header = (name: string): Criterion => criterion("header", name);
  const query = (name: string): Criterion => criterion("query", name);
  const asked: Asked = {
    host: "a.b.example.com",
    path: "/users/1/x",
    headers: { h1: "1", h2: "2" },
    query: { q1: "1", q2: "2" },
  };
  test.each<[string, Given, Given]>([
    [
      "exact host over wildcard",
      { host: "a.b.example.com" },
      { host: "*.b.example.com", path: exactPath("/users/1/x") },
    ],
    ["longer wildcard", { host: "*.b.example.com" }, { host: "*.example.com", path: exactPath("/users/1/x") }],
    ["wildcard over none", { host: "*.com" }, { path: exactPath("/users/1/x") }],
    [
      "exact path over a longer expression",
      { path: exactPath("/users/1/x") },
      { path: regex("/users/1/x"), methods: ["GET"] },
    ],
    ["longer prefix", { path: prefixPath("/users/1") }, { path: prefixPath("/users"), methods: ["GET"] }],
    ["longer prefix over pattern", { path: prefixPath("/users/1/x") }, { path: pattern("/users/:id/*") }],
    ["longer pattern over prefix", { path: pattern("/users/:id/x") }, { path: prefixPath("/users/1") }],
    ["longer expression over prefix", { path: regex("/users/1/.*") }, { path: prefixPath("/users/1") }],
    ["any prefix over an expression without literals", { path: prefixPath("/") }, { path: regex(".*users.*") }],
    ["pattern over prefix on a tie", { path: pattern("/users/:id/*") }, { path: prefixPath("/users/1") }],
    ["prefix over expression on a tie", { path: prefixPath("/users/1") }, { path: regex("/users/1.*") }],
    ["pattern over expression on a tie", { path: pattern("/users/:id/:x") }, { path: regex("/users/.*") }],
    ["method over headers", { methods: ["GET"] }, { criteria: [header("h1"), header("h2")] }],
    ["most headers over query parameters", { criteria: [header("h1")] }, { criteria: [query("q1"), query("q2")] }],
    ["most headers", { criteria: [header("h1"), header("h2")] }, { criteria: [header("h1"), query("q1")] }],
    ["most query parameters", { criteria: [query("q1"), query("q2")] }, { criteria: [query("q1")] }],
    ["order in the document", { criteria: [query("q1")], order: 0 }, { criteria: [query("q2")], order: 1 }],
  ])("%s", (_guarantee, better, worse) => {
    const entries = [entry("worse", { order: 5, path: pattern("/users/*"), ...worse })];
    entries.push(entry("better", { order: 6, path: pattern("/users/*"), ...better }));
    // Nobody wins because the other does not fit.
    for (const each of entries) expect(winner(buildRouteTable([each]), asked)).not.toBeNull();
    expect(winner(buildRouteTable(entries), asked)?.entry.route).toBe("better");
    expect(winner(buildRouteTable(entries.reverse()), asked)?.entry.route).toBe("better");
  });
});

describe("a host outranks, it does not hide", () => {
  const table = buildRouteTable([
    entry("exact", { host: "a.b.test", path: prefixPath("/exact") }),
    entry("long", { host: "*.b.test", path: prefixPath("/long") }),
    entry("short", { host: "*.test", path: prefixPath("/short") }),
    entry("none", { path: prefixPath("/"), methods: ["GET"] }),
  ]);
  test.each([
    ["a.b.test", "/exact/x", "exact"],
    ["a.b.test", "/long", "long"],
    ["a.b.test", "/short", "short"],
    ["a.b.test", "/", "none"],
    ["c.b.test", "/exact", "none"],
    ["b.test", "/short", "short"],
    ["b.test", "/long", "none"],
  ])("%s%s gets %s", (host, path, expected) => {
    expect(winner(table, { host, path })?.entry.route).toBe(expected);
  });

  test("nothing fits: no match, and the work is still counted", () => {
    const search = matchRoute(table, factsOf({ host: "a.b.test", path: "/x", method: "PUT" }));
    // 4 groups with a node each, and the one entry whose path fits.
    expect(search).toEqual({ match: null, examined: 9 });
  });
});

describe("what a match reports", () => {
  test.each<[PathMatcher["kind"], string, string, Record<string, string>]>([
    ["pattern", "/users/:id", "/us%65rs/a%2fb%41", { id: "a%2FbA" }],
    ["pattern", "/:a/x/:b/*", "/1/x/2/y/z", { a: "1", b: "2" }],
    ["pattern", "/:__proto__", "/1", Object.fromEntries([["__proto__", "1"]])],
    ["prefix", "/users", "/users/1", {}],
  ])("%s %s on %s: %j", (kind, text, asked, params) => {
    const match = winner(buildRouteTable([entry("it", { path: pathOf[kind](text) })]), { path: asked });
    expect({ ...match?.params }).toEqual(params);
    expect(Object.getPrototypeOf(match?.params)).toBeNull();
  });

  test("the path as it was compared", () => {
    const match = winner(buildRouteTable([entry("it")]), { path: "/ap%69/%2f" });
    expect(match?.normalizedPath).toBe("/api/%2F");
  });
});

test.each(["a.b.test", "*.b.test", null])("all entries of host %j are found", (host) => {
  const table = buildRouteTable(["/a", "/b"].map((path) => entry(path, { host, path: prefixPath(path) })));
  for (const path of ["/a", "/b"]) expect(winner(table, { host: "a.b.test", path })?.entry.route).toBe(path);
});

test("an empty table matches nothing at no cost", () => {
  expect(matchRoute(buildRouteTable([]), factsOf({}))).toEqual({ match: null, examined: 0 });
});

test("a parameter early in the path wins by more literals behind it", () => {
  const table = buildRouteTable([
    entry("literal first", { path: pattern("/a/:b/:c") }),
    entry("parameter first", { path: pattern("/:a/bb/cc") }),
  ]);
  expect(winner(table, { path: "/a/bb/cc" })?.entry.route).toBe("parameter first");
  expect(winner(table, { path: "/a/bb/c" })?.entry.route).toBe("literal first");
});

test("equals go by the document even when they were given in another order", () => {
  const table = buildRouteTable([entry("second", { order: 2 }), entry("first", { order: 1 })]);
  expect(winner(table, {})?.entry.route).toBe("first");
});

test("entries of one place in the document keep the order in which they were given", () => {
  const table = buildRouteTable([entry("first"), entry("second")]);
  expect(winner(table, {})?.entry.route).toBe("first");
});

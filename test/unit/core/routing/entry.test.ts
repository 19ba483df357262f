import { describe, expect, test } from "vitest";
import { conditionKey, type RouteEntry } from "../../../../src/core/routing/entry.ts";
import { exactPath, prefixPath } from "../../../../src/core/routing/matcher.ts";
import { criterion, entry, pattern, regex } from "./support.ts";

type Row = [string, Partial<RouteEntry<string>>, Partial<RouteEntry<string>>];

describe("entries that ask for the same have one key", () => {
  test.each<Row>([
    ["whatever their route and order", { order: 1 }, { order: 2 }],
    ["a trailing / of a prefix", { path: prefixPath("/a/") }, { path: prefixPath("/%61") }],
    ["names of parameters", { path: pattern("/:a/:b/*") }, { path: pattern("/:b/:c/*") }],
    ["expressions of one text", { path: regex("/a.*") }, { path: regex("/a.*") }],
    ["order of methods", { methods: ["GET", "PUT"] }, { methods: ["PUT", "GET", "GET"] }],
    [
      "order of criteria",
      { criteria: [criterion("header", "a"), criterion("query", "b")] },
      { criteria: [criterion("query", "b"), criterion("header", "a")] },
    ],
  ])("%s", (_name, a, b) => {
    expect(conditionKey(entry("a", a))).toBe(conditionKey(entry("b", b)));
  });
});

describe("entries that differ have different keys", () => {
  test.each<Row>([
    ["host", { host: "a.test" }, { host: "b.test" }],
    ["any host", { host: "null" }, {}],
    ["kind of path", { path: exactPath("/a") }, { path: prefixPath("/a") }],
    ["path", { path: exactPath("/a") }, { path: exactPath("/A") }],
    ["parameter and literal", { path: pattern("/:param") }, { path: pattern("/param") }],
    ["literals of a pattern", { path: pattern("/a/:x") }, { path: pattern("/b/:x") }],
    ["parameter and rest", { path: pattern("/a/:x") }, { path: pattern("/a/*") }],
    ["the prefixes / and //", { path: prefixPath("/") }, { path: prefixPath("//") }],
    ["expression", { path: regex("/a") }, { path: regex("/b") }],
    ["methods", { methods: ["GET"] }, { methods: null }],
    ["methods that are given", { methods: ["GET"] }, { methods: ["PUT"] }],
    ["source", { criteria: [criterion("header", "a")] }, { criteria: [criterion("query", "a")] }],
    ["name", { criteria: [criterion("header", "a")] }, { criteria: [criterion("header", "b")] }],
    ["kind", { criteria: [criterion("header", "a", "exact")] }, { criteria: [criterion("header", "a")] }],
    [
      "value",
      { criteria: [criterion("header", "a", "exact", "1")] },
      { criteria: [criterion("header", "a", "exact", "2")] },
    ],
  ])("%s", (_name, a, b) => {
    expect(conditionKey(entry("a", a))).not.toBe(conditionKey(entry("b", b)));
  });
});

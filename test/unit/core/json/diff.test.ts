import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { diffJson, type JsonChange } from "../../../../src/core/json/diff.ts";
import type { JsonValue } from "../../../../src/core/json/types.ts";
import { applyChanges } from "./apply-changes.ts";
import { canonicalJson } from "./canonical.ts";

const changes = (from: JsonValue, to: JsonValue) => {
  const { changes, truncated } = diffJson(from, to, 1_000);
  expect(truncated).toBe(false);
  return changes;
};
const route = (name: string, more: Record<string, JsonValue> = {}) => ({ name, service: "s", ...more });

describe("diffJson", () => {
  test.each<[string, JsonValue, JsonValue, JsonChange[]]>([
    ["the same", { a: [1, { b: null }] }, { a: [1, { b: null }] }, []],
    ["another order of members", { a: 1, b: 2 }, { b: 2, a: 1 }, []],
    ["roots", 1, "1", [{ op: "replace", path: "", from: 1, to: "1" }]],
    ["null and object", { a: null }, { a: {} }, [{ op: "replace", path: "/a", from: null, to: {} }]],
    ["array and object", { a: [] }, { a: {} }, [{ op: "replace", path: "/a", from: [], to: {} }]],
    ["object and array", { a: {} }, { a: [] }, [{ op: "replace", path: "/a", from: {}, to: [] }]],
    [
      "members",
      { a: 1, b: { c: 2, d: 3 } },
      { b: { c: 4, d: 3 }, e: [5] },
      [
        { op: "remove", path: "/a", from: 1 },
        { op: "replace", path: "/b/c", from: 2, to: 4 },
        { op: "add", path: "/e", to: [5] },
      ],
    ],
    [
      "names that a pointer escapes",
      { "a/b~c": 1 },
      { "a/b~c": 2 },
      [{ op: "replace", path: "/a~1b~0c", from: 1, to: 2 }],
    ],
    ["names that objects inherit", {}, { constructor: 1 }, [{ op: "add", path: "/constructor", to: 1 }]],
    ["an item appended", { a: ["GET"] }, { a: ["GET", "POST"] }, [{ op: "add", path: "/a/1", to: "POST" }]],
    ["an item inserted", ["b", "c"], ["a", "b", "c"], [{ op: "add", path: "/0", to: "a" }]],
    ["an array inserted before equal ones", [[1], [2]], [[0], [1], [2]], [{ op: "add", path: "/0", to: [0] }]],
    [
      "an object inserted before equal ones",
      [{ a: 1, b: { c: [] } }, { a: 2 }],
      [{ a: 0 }, { b: { c: [] }, a: 1 }, { a: 2 }],
      [{ op: "add", path: "/0", to: { a: 0 } }],
    ],
    ["an item taken out", ["a", "b", "c"], ["a", "c"], [{ op: "remove", path: "/1", from: "b" }]],
    ["an item changed", [[1], [2], [3]], [[1], [4], [3]], [{ op: "replace", path: "/1/0", from: 2, to: 4 }]],
    ["an item that grew", [[1]], [[1, 2]], [{ op: "add", path: "/0/1", to: 2 }]],
    ["a member more in an item", [{ a: 1 }], [{ a: 1, b: 2 }], [{ op: "add", path: "/0/b", to: 2 }]],
    ["a member less in an item", [{ a: 1, b: 2 }], [{ a: 1 }], [{ op: "remove", path: "/0/b", from: 2 }]],
    ["equal items", [1, 1], [1, 1, 1], [{ op: "add", path: "/2", to: 1 }]],
    [
      "a route inserted, one changed behind it",
      [route("a"), route("b")],
      [route("new"), route("a"), route("b", { service: "t" })],
      [
        { op: "add", path: "/0", to: route("new") },
        { op: "replace", path: "/2/service", from: "s", to: "t" },
      ],
    ],
    [
      "a route removed, by its old index",
      [route("a"), route("b"), route("c")],
      [route("a"), route("c")],
      [{ op: "remove", path: "/1", from: route("b") }],
    ],
    [
      "routes in another order",
      ["a", "b", "c", "d"].map((name) => route(name)),
      ["a", "c", "b", "d"].map((name) => route(name)),
      [{ op: "reorder", path: "", by: "name", from: ["b", "c"], to: ["c", "b"] }],
    ],
    [
      "origins by id",
      [
        { id: "x", url: "1" },
        { id: "y", url: "2" },
      ],
      [{ id: "y", url: "3" }],
      [
        { op: "remove", path: "/0", from: { id: "x", url: "1" } },
        { op: "replace", path: "/0/url", from: "2", to: "3" },
      ],
    ],
    [
      "what is inside an item that moved: removals in the old value, all else in the new",
      [route("a"), route("b", { x: 1, y: 1 })],
      [route("b", { y: 2 })],
      [
        { op: "remove", path: "/0", from: route("a") },
        { op: "remove", path: "/1/x", from: 1 },
        { op: "replace", path: "/0/y", from: 1, to: 2 },
      ],
    ],
    [
      "a name that appears twice is no identity",
      [route("a"), route("a")],
      [route("b"), route("a")],
      [{ op: "replace", path: "/0/name", from: "a", to: "b" }],
    ],
    [
      "a name that is no string is no identity",
      [{ name: 1 }],
      [{ name: 2 }],
      [{ op: "replace", path: "/0/name", from: 1, to: 2 }],
    ],
  ])("%s", (_, from, to, expected) => {
    expect(changes(from, to)).toEqual(expected);
  });

  test("is cut off at changesMax, and says so", () => {
    const to = Array.from({ length: 10 }, (_, index) => index);
    expect(diffJson([], to, 10)).toMatchObject({ truncated: false });
    expect(diffJson([], to, 9)).toEqual({
      changes: to.slice(0, 9).map((value) => ({ op: "add", path: `/${value}`, to: value })),
      truncated: true,
    });
    expect(diffJson({ a: 1, b: 1 }, { a: 2, b: 2 }, 1).changes).toHaveLength(1);
    expect(diffJson([1], [1], 0)).toEqual({ changes: [], truncated: false });
  });

  test("takes time proportional to size times depth, not a power of the depth", () => {
    const deep = (leaf: number) => {
      let value: JsonValue = leaf;
      for (let depth = 0; depth < 32; depth++) value = [0, value, 0];
      return value;
    };
    expect(changes(deep(1), deep(2))).toHaveLength(1);
  });
});

/** Values with few different parts, so that equal and nearly equal ones are common. */
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<JsonValue>(null, true, 0, 1, "a", "b"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom("a", "b", "name", "id", "~/"), tie("value"), { maxKeys: 3 }),
    fc.array(fc.record({ name: fc.constantFrom("a", "b", "c", "d"), x: tie("value") }), { maxLength: 4 }),
  ),
}));

test("is empty exactly when the canonical texts are equal", () => {
  fc.assert(
    fc.property(value, value, (from, to) => {
      expect(changes(from, to).length === 0).toBe(canonicalJson(from) === canonicalJson(to));
      expect(changes(from, structuredClone(from) as JsonValue)).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

test("the changes make the new value of the old", () => {
  fc.assert(
    fc.property(value, value, (from, to) => {
      expect(canonicalJson(applyChanges(from, changes(from, to)))).toBe(canonicalJson(to));
    }),
    { numRuns: 5_000 },
  );
});

test("every change says what is at its place: removals in the old value, all else in the new", () => {
  const at = (root: JsonValue, pointer: string): unknown =>
    pointer
      .split("/")
      .slice(1)
      .reduce<unknown>(
        (node, step) => (node as Record<string, unknown>)[step.replaceAll("~1", "/").replaceAll("~0", "~")],
        root,
      );
  fc.assert(
    fc.property(value, value, (from, to) => {
      for (const change of changes(from, to)) {
        if (change.op === "remove") expect(at(from, change.path)).toEqual(change.from);
        else if (change.op === "reorder") expect([...change.from].sort()).toEqual([...change.to].sort());
        else expect(at(to, change.path)).toEqual(change.to);
      }
    }),
    { numRuns: 1_000 },
  );
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyOverlay } from "../../../../cli/files/overlay.ts";
import { canonicalText, jsonOf } from "../../../../cli/files/part.ts";
import { locationText } from "../../../../cli/files/place.ts";
import { find } from "../../../../cli/files/pointer.ts";
import { isArray, type JsonValue } from "../../../../src/core/json/types.ts";
import { jsonValue, parsed, partOf, said } from "./support.ts";

const apply = (base: string, overlay: string) => applyOverlay(parsed(base, "base.yaml"), parsed(overlay, "over.yaml"));

describe("the rules", () => {
  test.each<[string, string, string, unknown]>([
    [
      "objects merge, at every depth",
      "a: {b: {c: 1, d: 2}}",
      "a: {b: {c: 3, e: 4}}",
      { a: { b: { c: 3, d: 2, e: 4 } } },
    ],
    ["null takes a member away", "a: {b: 1, c: 2}", "a: {b: null}", { a: { c: 2 } }],
    ["null of what is not there changes nothing", "a: 1", "b: null\nc: {d: null}", { a: 1, c: {} }],
    [
      "another kind of value replaces",
      "a: {b: 1}\nc: [1]\nd: 1",
      "a: [1]\nc: {e: 1}\nd: {f: 1}",
      { a: [1], c: { e: 1 }, d: { f: 1 } },
    ],
    [
      "a list of other things is replaced whole",
      "a: [1, 2, 3]\nb: [{x: 1}]",
      "a: [4]\nb: [{y: 1}, {z: null}]",
      { a: [4], b: [{ y: 1 }, { z: null }] },
    ],
    ["an empty list replaces", "routes: [{name: x}]", "routes: []", { routes: [] }],
    [
      "items merge by name",
      "routes: [{name: x, s: 1}, {name: y, s: 1}]",
      "routes: [{name: y, s: 2, t: 3}]",
      {
        routes: [
          { name: "x", s: 1 },
          { name: "y", s: 2, t: 3 },
        ],
      },
    ],
    [
      "items merge by id",
      "origins: [{id: x, url: a}]",
      "origins: [{id: x, url: b}]",
      { origins: [{ id: "x", url: "b" }] },
    ],
    [
      "null takes a member of an item away",
      "routes: [{name: x, s: 1}]",
      "routes: [{name: x, s: null}]",
      { routes: [{ name: "x" }] },
    ],
    [
      "new items are appended in their order",
      "r: [{name: x}, {name: y}]",
      "r: [{name: b}, {name: x, s: 1}, {name: a}]",
      { r: [{ name: "x", s: 1 }, { name: "y" }, { name: "b" }, { name: "a" }] },
    ],
    [
      "new items have no members that are null",
      "r: [{name: x}]",
      "r: [{name: y, s: null, t: {u: null}}]",
      { r: [{ name: "x" }, { name: "y", t: {} }] },
    ],
    [
      "$remove takes an item away",
      "r: [{name: x}, {name: y}]",
      "r: [{name: x, $remove: true}]",
      { r: [{ name: "y" }] },
    ],
    [
      "a list that was not there or empty",
      "a: []",
      "a: [{name: x}]\nb: [{id: y}]",
      { a: [{ name: "x" }], b: [{ id: "y" }] },
    ],
    [
      "a list of unnamed items is replaced by one of named items",
      "a: [1, 2]",
      "a: [{name: x}]",
      { a: [{ name: "x" }] },
    ],
    [
      "a name that the document's list has twice is none: replaced whole",
      "h: [{name: x, a: 1}, {name: x, b: 1}]",
      "h: [{name: x, c: 1}]",
      { h: [{ name: "x", c: 1 }] },
    ],
    [
      "a new list may have a name twice",
      "a: 1",
      "h: [{name: x, b: 1}, {name: x, c: 1}]",
      {
        a: 1,
        h: [
          { name: "x", b: 1 },
          { name: "x", c: 1 },
        ],
      },
    ],
  ])("%s", (_, base, overlay, expected) => {
    const { document, problems } = apply(base, overlay);
    expect(said(problems)).toEqual([]);
    expect(jsonOf(document)).toEqual(expected);
  });
});

describe("nonsense is a problem at its place", () => {
  test.each<[string, string, string, string[]]>([
    [
      "$remove of what is not there",
      "r: [{name: x}]",
      "r:\n  - {name: y, $remove: true}",
      ["over.yaml:2:5 there is no such item to take away @/r/y"],
    ],
    [
      "$remove from a list that is not there",
      "a: 1",
      "r: [{name: y, $remove: true}]",
      ["over.yaml:1:5 there is no such item to take away @/r/y"],
    ],
    [
      "$remove that is not true",
      "r: [{name: x}]",
      "r: [{name: x, $remove: false}]",
      ["over.yaml:1:24 $remove must be true @/r/x"],
    ],
    [
      "$remove beside other things",
      "r: [{name: x}]",
      "r: [{name: x, $remove: true, s: 1}]",
      ["over.yaml:1:30 beside $remove there is only the name @/r/x"],
    ],
    [
      "$remove in an object",
      "s: {x: {}}",
      "s: {x: {$remove: true}}",
      ["over.yaml:1:9 $remove is for an item of a list that merges by name or id @/s/x"],
    ],
    [
      "$remove in a list that does not merge",
      "a: [1]",
      "a: [{b: [{$remove: true}]}]",
      ["over.yaml:1:11 $remove is for an item of a list that merges by name or id @/a"],
    ],
    [
      "an item without the name by which the list merges",
      "r: [{name: x}]",
      "r: [{s: 1}, {name: x}, 5]",
      ["over.yaml:1:5", "over.yaml:1:24"].map((at) => `${at} an item without the name by which this list merges @/r`),
    ],
    [
      "a new list of mixed items",
      "a: 1",
      "r: [{name: x}, {s: 1}]",
      ["over.yaml:1:16 an item without name, which others have @/r"],
    ],
    [
      "an item twice",
      "r: [{name: x}]",
      "r:\n  - {name: x}\n  - {name: y}\n  - {name: x}",
      ["over.yaml:4:5 this is in over.yaml:2:5 already @/r/x"],
    ],
    [
      "an item changed and taken away",
      "r: [{name: x}]",
      "r: [{name: x}, {name: x, $remove: true}]",
      ["over.yaml:1:16 this is in over.yaml:1:5 already @/r/x"],
    ],
    ["an overlay that is no object", "a: 1", "- a", ["over.yaml:1:1 an overlay is an object; {} changes nothing"]],
  ])("%s", (_, base, overlay, expected) => {
    expect(said(apply(base, overlay).problems)).toEqual(expected);
  });
});

test("what the overlay says stands there, all else where it stood", () => {
  const { document } = apply(
    "services:\n  users: {}\nroutes:\n  - name: x\n    service: users\n    timeouts: {requestMs: 1}",
    "routes:\n  - name: x\n    timeouts:\n      requestMs: 2\n  - name: y",
  );
  const place = (pointer: string) => locationText(find(document, pointer).part.at);
  expect(place("/services/users")).toBe("base.yaml:2:10");
  expect(place("/routes/0")).toBe("base.yaml:4:5");
  expect(place("/routes/0/service")).toBe("base.yaml:5:14");
  expect(place("/routes/0/timeouts")).toBe("base.yaml:6:15");
  expect(place("/routes/0/timeouts/requestMs")).toBe("over.yaml:4:18");
  expect(place("/routes/1")).toBe("over.yaml:5:5");
  const keyOf = (pointer: string) => locationText(find(document, pointer).key!);
  expect(keyOf("/routes/0/timeouts")).toBe("base.yaml:6:5");
  expect(keyOf("/routes/0/timeouts/requestMs")).toBe("over.yaml:4:7");
});

const object = fc.dictionary(fc.constantFrom("a", "b", "c", "name", "id"), jsonValue, { maxKeys: 4 });
const result = (base: JsonValue, overlay: JsonValue) => {
  const { document, problems } = applyOverlay(partOf(base), partOf(overlay));
  return { text: canonicalText(document), value: jsonOf(document), problems };
};

test("an empty overlay changes nothing, not even a place", () => {
  fc.assert(
    fc.property(object, (base) => {
      const document = partOf(base);
      expect(applyOverlay(document, partOf({}))).toEqual({ document, problems: [] });
    }),
  );
});

test("a member set to null is gone, and nothing else", () => {
  fc.assert(
    fc.property(object, jsonValue, (base, added) => {
      const set = result({ outer: base }, { outer: { added } });
      fc.pre(set.problems.length === 0);
      expect(result(set.value, { outer: { added: null } }).text).toBe(canonicalText(partOf({ outer: base })));
    }),
  );
});

test("an overlay without lists does what RFC 7396 says, and so does one whose lists do not merge", () => {
  fc.assert(
    fc.property(object, object, (base, overlay) => {
      const { value, problems } = result(base, overlay);
      fc.pre(problems.length === 0 && !JSON.stringify([base, overlay]).match(/"name"|"id"/));
      expect(value).toEqual(JSON.parse(JSON.stringify(mergePatch(base, overlay))));
    }),
    { numRuns: 300 },
  );
});

test("an overlay applied twice is as applied once, removals of items aside", () => {
  fc.assert(
    fc.property(object, object, (base, overlay) => {
      const once = result(base, overlay);
      fc.pre(once.problems.length === 0);
      const twice = result(once.value, overlay);
      expect(twice.problems).toEqual([]);
      expect(twice.text).toBe(once.text);
    }),
    { numRuns: 300 },
  );
});

/** The procedure of RFC 7396, section 2. */
function mergePatch(target: JsonValue, patch: JsonValue): JsonValue {
  if (typeof patch !== "object" || patch === null || isArray(patch)) return patch;
  const isObject = typeof target === "object" && target !== null && !isArray(target);
  const merged: Record<string, JsonValue> = isObject ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name] ?? null, value);
  }
  return merged;
}

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyHeaderEdits, type HeaderEdits, mergeHeaderEdits } from "../../../../src/core/rewriting/headers.ts";

const none: HeaderEdits = { set: [], add: [], remove: [] };

function edited(edits: readonly HeaderEdits[], before: Record<string, string>): Record<string, string> {
  const headers = new Headers(before);
  for (const edit of edits) applyHeaderEdits(edit, headers);
  return Object.fromEntries(headers);
}

describe("one edit", () => {
  test.each<[string, HeaderEdits, Record<string, string>]>([
    ["nothing changes nothing", none, { a: "1", b: "2" }],
    ["set replaces, whatever the case", { ...none, set: [["A", "9"]] }, { a: "9", b: "2" }],
    ["set makes", { ...none, set: [["c", "3"]] }, { a: "1", b: "2", c: "3" }],
    ["add appends, comma-joined", { ...none, add: [["a", "9"]] }, { a: "1, 9", b: "2" }],
    ["add makes", { ...none, add: [["c", "3"]] }, { a: "1", b: "2", c: "3" }],
    ["remove removes", { ...none, remove: ["A", "x"] }, { b: "2" }],
    [
      "remove comes before set and add",
      { remove: ["a", "b"], set: [["a", "8"]], add: [["b", "9"]] },
      { a: "8", b: "9" },
    ],
    ["set comes before add", { ...none, set: [["a", "8"]], add: [["a", "9"]] }, { a: "8, 9", b: "2" }],
    [
      "of two sets the last stays",
      {
        ...none,
        set: [
          ["a", "8"],
          ["A", "9"],
        ],
      },
      { a: "9", b: "2" },
    ],
  ])("%s", (_guarantee, edits, expected) => {
    expect(edited([edits], { a: "1", b: "2" })).toEqual(expected);
  });
});

test("what is added to a header joins its line, but to Set-Cookie it is a line of its own", () => {
  const lines = new Map([["a", ["1"]]]);
  const linesOf = (name: string) => lines.get(name.toLowerCase()) ?? [];
  const headers = {
    get: (name: string) => linesOf(name).join(", ") || null,
    set: (name: string, value: string) => void lines.set(name.toLowerCase(), [value]),
    append: (name: string, value: string) => void lines.set(name.toLowerCase(), [...linesOf(name), value]),
    delete: (name: string) => void lines.delete(name.toLowerCase()),
  };
  const add = ["a", "b", "b", "set-cookie", "Set-Cookie"].map((name, index) => [name, `v${index}`] as const);
  applyHeaderEdits({ ...none, add }, headers);
  expect(Object.fromEntries(lines)).toEqual({ a: ["1, v0"], b: ["v1, v2"], "set-cookie": ["v3", "v4"] });
});

test("a merged edit does what the two do one after the other", () => {
  const name = fc.constantFrom("a", "A", "b", "B", "c");
  const pair = fc.tuple(name, fc.constantFrom("1", "2", "3"));
  const edits: fc.Arbitrary<HeaderEdits> = fc.record({
    set: fc.array(pair, { maxLength: 3 }),
    add: fc.array(pair, { maxLength: 3 }),
    remove: fc.array(name, { maxLength: 2 }),
  });
  const before = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("0", "9"));
  fc.assert(
    fc.property(edits, edits, before, (first, second, headers) => {
      expect(edited([mergeHeaderEdits(first, second)], headers)).toEqual(edited([first, second], headers));
    }),
    { numRuns: 500 },
  );
});

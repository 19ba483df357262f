import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "../../../../cli/files/parse.ts";
import { canonicalText, jsonOf } from "../../../../cli/files/part.ts";
import { bounds } from "../../../../src/bounds.ts";
import { scanJson } from "../../../../src/core/json/scan.ts";
import { canonicalJson } from "../../core/json/canonical.ts";
import { jsonValue, parsed, pointersOf, said, textAt, valueAt } from "./support.ts";

const json = (text: string) => parse({ name: "a.json", text });
const problems = (text: string) => said(json(text).problems);

test("the value is what JSON.parse says, however the text is laid out", () => {
  fc.assert(
    fc.property(
      jsonValue,
      fc.constantFrom(undefined, 2, "\t"),
      fc.constantFrom("\n", "\r\n"),
      (value, indent, newline) => {
        const text = JSON.stringify(value, null, indent).replaceAll("\n", newline);
        expect(jsonOf(parsed(text, "a.json"))).toEqual(JSON.parse(text));
      },
    ),
  );
});

test("what stands at the place of any part parses to that part", () => {
  fc.assert(
    fc.property(jsonValue, (value) => {
      const root = parsed(JSON.stringify(value, null, 1), "a.json");
      for (const pointer of pointersOf(value)) {
        expect(canonicalJson(JSON.parse(textAt(root, pointer)))).toBe(canonicalJson(valueAt(value, pointer)));
      }
    }),
  );
});

test("the canonical text is that of RFC 8785", () => {
  fc.assert(
    fc.property(jsonValue, (value) => {
      expect(canonicalText(parsed(JSON.stringify(value), "a.json"))).toBe(canonicalJson(value));
    }),
  );
});

/** Texts that are JSON but for a few characters. */
const nearlyJson = fc
  .tuple(
    jsonValue,
    fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'{}[]",:\\/0.-e\n\t tu\u0001\u0085\ud800'), fc.boolean()), {
      maxLength: 3,
    }),
  )
  .map(([value, edits]) =>
    edits.reduce((text, [at, character, replaces]) => {
      const index = at % (text.length + 1);
      return text.slice(0, index) + character + text.slice(replaces ? index + 1 : index);
    }, JSON.stringify(value)),
  );

test("it takes exactly the texts that JSON.parse takes and in which scanJson finds nothing", () => {
  const outcomes = new Set<boolean>();
  fc.assert(
    fc.property(nearlyJson, (text) => {
      const isRight = isJson(text) && scanJson(text).total === 0;
      outcomes.add(isRight);
      expect(json(text).problems.length === 0, text).toBe(isRight);
    }),
    { numRuns: 2_000, seed: 5 },
  );
  expect(outcomes.size).toBe(2);
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("what is wrong is said with line and column", () => {
  test.each<[string, string, string]>([
    ["a comma too many in an object", '{\n  "a": 1,\n}', "a.json:2:9 not JSON: a comma before the closing }"],
    ["a comma too many in a list", "[1,\n2,]", "a.json:2:2 not JSON: a comma before the closing ]"],
    ["a comma too few", '{\n  "a": 1\n  "b": 2\n}', 'a.json:3:3 not JSON: expected , or }, found "'],
    ["no colon", '{"a" 1}', "a.json:1:6 not JSON: expected :, found 1"],
    ["a name without quotes", "{a: 1}", "a.json:1:2 not JSON: expected a name in double quotes, found a"],
    ["no value", '{"a": }', "a.json:1:7 not JSON: expected a value, found }"],
    ["a comment", "{} // no", "a.json:1:4 not JSON: expected the end of the document, found /"],
    ["an end too early", '{"a": [1', "a.json:1:9 not JSON: expected , or ], found the end"],
    ["a string without end", '["a]', "a.json:1:2 not JSON: a string that does not end"],
    [
      "a line break in a string",
      '["a\nb"]',
      "a.json:1:4 not JSON: a control character or line break in a string; it must be escaped",
    ],
    ["an escape that is none", '["a\\x"]', "a.json:1:4 not JSON: no escape of a string"],
    ["nothing", "", "a.json:1:1 not JSON: expected a value, found the end"],
    [
      "a name twice",
      '{\n  "a": 1,\n  "\\u0061": 2\n}',
      'a.json:3:3 the name "a" stands in this object already, in 2:3',
    ],
    ["half a surrogate pair", '["\\ud800"]', "a.json:1:2 half a surrogate pair, which is no Unicode character"],
    ["a number that is too large", "[1e999]", "a.json:1:2 the number is too large"],
    ["a number that would be 0", "[1e-999]", "a.json:1:2 the number is too small: it would be 0"],
    [
      "an integer that would be another one",
      "[9007199254740993]",
      "a.json:1:2 the number would be another one: 9007199254740992",
    ],
    ["__proto__", '{"__proto__": {"a": 1}}', "a.json:1:2 the name __proto__ is not allowed"],
  ])("%s", (_, text, problem) => {
    expect(problems(text)).toEqual([problem]);
  });

  test("all oddities are, up to the first error of syntax", () => {
    expect(problems('{"a": 1e999, "a": "\\udc00", }')).toHaveLength(4);
  });
});

test("nesting ends at the gateway's bound, and the stack holds", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  expect(problems(nested(bounds.jsonDepthMax))).toEqual([]);
  const deep = `a.json:1:${bounds.jsonDepthMax + 1} not JSON: nested more than ${bounds.jsonDepthMax} deep`;
  expect(problems(nested(bounds.jsonDepthMax + 1))).toEqual([deep]);
  expect(problems("[".repeat(1_000_000))).toEqual([deep]);
});

test("__proto__ reaches no prototype", () => {
  const { documents } = json('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}');
  expect(jsonOf(documents[0]!)).toEqual({ constructor: { prototype: { polluted: true } } });
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

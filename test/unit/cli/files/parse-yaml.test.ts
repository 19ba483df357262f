import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse as parseOracle, stringify } from "yaml";
import { limits } from "../../../../cli/files/limits.ts";
import { parse } from "../../../../cli/files/parse.ts";
import { jsonOf } from "../../../../cli/files/part.ts";
import { locationOf } from "../../../../cli/files/place.ts";
import { find } from "../../../../cli/files/pointer.ts";
import { bounds } from "../../../../src/bounds.ts";
import { canonicalJson } from "../../core/json/canonical.ts";
import { jsonValue, parsed, pointersOf, said, textAt, valueAt } from "./support.ts";

const yaml = (text: string) => parse({ name: "a.yaml", text });
const problems = (text: string) => said(yaml(text).problems);
const value = (text: string) => jsonOf(parsed(text));

/** `line:column`, and where it is written if that is elsewhere. */
function place(text: string, pointer: string): string {
  const { at } = find(parsed(text), pointer).part;
  const [here, there] = [at, at.written].map((piece) => piece && Object.values(locationOf(piece)).slice(1).join(":"));
  return there ? `${here} from ${there}` : here!;
}

test("a value written as YAML is read as that value, in block and in flow style", () => {
  fc.assert(
    fc.property(jsonValue, fc.constantFrom("block", "flow"), (written, collectionStyle) => {
      // The library writes this name without the quotes that make it a name.
      fc.pre(!JSON.stringify(written).includes('"<<":'));
      const text = stringify(written, { collectionStyle, aliasDuplicateObjects: false, lineWidth: 40 });
      expect(canonicalJson(value(text))).toBe(canonicalJson(written));
    }),
  );
});

test("JSON is YAML: what stands at the place of any part parses to that part", () => {
  fc.assert(
    fc.property(jsonValue, (written) => {
      const root = parsed(JSON.stringify(written, null, 1), "a.yml");
      for (const pointer of pointersOf(written)) {
        expect(canonicalJson(JSON.parse(textAt(root, pointer)))).toBe(canonicalJson(valueAt(written, pointer)));
      }
    }),
  );
});

test.each<[string, string, unknown]>([
  [
    "the core schema of YAML 1.2",
    "a: [yes, no, on, 0o17, 0x1f, 010, 1_000, 1:30, ~, TRUE, 2020-01-01]",
    { a: ["yes", "no", "on", 15, 31, 10, "1_000", "1:30", null, true, "2020-01-01"] },
  ],
  [
    "hexadecimal and octal integers that a double holds",
    "[0x20000000000000, 0o400000000000000000]",
    [2 ** 53, 2 ** 53],
  ],
  ["names are strings", "1: a\ntrue: b\nnull: c\n1.0: d", { 1: "a", true: "b", null: "c", "1.0": "d" }],
  [
    "core tags",
    "a: !!str 1\nb: !!int '2'\nc: !!map {}\nd: !!seq []\ne: !!float 1.5\nf: !!bool 'true'\ng: !!null ''",
    { a: "1", b: 2, c: {}, d: [], e: 1.5, f: true, g: null },
  ],
  ["no values", "a:\nb: {c, d: 1}", { a: null, b: { c: null, d: 1 } }],
  ["strings over several lines", "a: |\n  b\n  c\nd: >-\n  e\n  f", { a: "b\nc\n", d: "e f" }],
  ["an escaped pair of surrogates", 'a: "\\ud83d\\ude00"', { a: "😀" }],
])("%s", (_, text, expected) => {
  expect(value(text)).toEqual(expected);
});

describe("anchors, aliases and merge keys", () => {
  test.each<[string, string]>([
    ["an alias of each kind", "- &a 1\n- &b [x]\n- &c {y: 1}\n- [*a, *b, *c]"],
    ["an anchor inside an alias's target", "a: &a {b: &b [1]}\nc: *a\nd: *b"],
    ["an anchor set again", "- &a 1\n- *a\n- &a 2\n- *a"],
    ["an anchor of nothing", "- &a\n- *a"],
    ["an anchor on a name", "&k a: 1\nb: *k"],
    ["a merge", "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}"],
    ["a merge behind what it would replace", "a: &a {x: 1, y: 2}\nb: {y: 3, <<: *a}"],
    ["merges in order", "a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b]}"],
    ["a merge of what was merged", "a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b}"],
    ["a merge of an object in place", "a: {<<: {x: 1}, y: 2}"],
  ])("%s: as the library alone would have it", (_, text) => {
    expect(value(text)).toEqual(parseOracle(text, { merge: true }));
  });

  test("a quoted << is a name", () => {
    expect(value("a: {'<<': 1}")).toEqual({ a: { "<<": 1 } });
  });

  test("what came by alias stands at the alias and knows where it is written", () => {
    const text = "base: &base\n  x: 1\n  y: [2]\nroute:\n  all: *base\n  some:\n    <<: *base\n    x: 3\n";
    expect(place(text, "/base/x")).toBe("2:6");
    expect(place(text, "/route/all")).toBe("5:8 from 2:3");
    expect(place(text, "/route/all/y/0")).toBe("5:8 from 3:7");
    expect(place(text, "/route/some/y")).toBe("7:9 from 3:6");
    expect(place(text, "/route/some/x")).toBe("8:8");
  });

  test("an alias of an alias is written where the first one's target is", () => {
    expect(place("a: &a [1]\nb: &b [*a]\nc: *b", "/c/0/0")).toBe("3:4 from 1:8");
  });

  test("each document has its own anchors", () => {
    expect(problems("a: &a 1\n---\nb: *a")).toEqual(["a.yaml:3:4 there is no anchor &a before this alias"]);
  });

  test("a small file that stands for a huge document is refused, and that once", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let level = 1; level < 30; level++)
      lines.push(
        `a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(", ")}]`,
      );
    const detail = `the aliases of this file stand for more than ${limits.aliasPartsMax} values`;
    expect(problems(lines.join("\n"))).toEqual([`a.yaml:6:25 ${detail}`]);
  });

  test("aliases nest no deeper than anything else", () => {
    const half = bounds.jsonDepthMax / 2;
    const text = (depth: number) =>
      `- &a ${"[".repeat(depth)}${"]".repeat(depth)}\n- ${"[".repeat(half)}*a${"]".repeat(half)}`;
    expect(problems(text(half - 1))).toEqual([]);
    expect(problems(text(half))).toEqual([`a.yaml:2:${3 + half} nested more than ${bounds.jsonDepthMax} deep`]);
  });
});

describe("what is wrong is said with line and column", () => {
  test.each<[string, string, string[]]>([
    ["a name twice", "a: 1\nb: 2\na: 3", ['a.yaml:3:1 the name "a" stands in this object already, in 1:1']],
    [
      "a name twice, once as a number",
      "1: 1\n'1': 2",
      ['a.yaml:2:1 the name "1" stands in this object already, in 1:1'],
    ],
    ["an unknown tag", "a: !env HOME", ["a.yaml:1:4 not YAML 1.2: Unresolved tag: !env"]],
    ["a tag of YAML 1.1", "a: !!binary aGk=", ["a.yaml:1:4 not YAML 1.2: Unresolved tag: tag:yaml.org,2002:binary"]],
    [
      "a core tag on what it does not fit",
      "a: !!int x",
      ["a.yaml:1:4 not YAML 1.2: Unresolved tag: tag:yaml.org,2002:int"],
    ],
    ["a tag without a name", "a: ! 12", ["a.yaml:1:6 the tag ! is not known"]],
    ["YAML 1.1", "%YAML 1.1\n---\na: yes", ["a.yaml:1:1 YAML 1.1 is not read, since values mean something else there"]],
    [
      "no number of JSON",
      "a: .nan\nb: -.inf\nc: 1e999",
      ["1:4", "2:4", "3:4"].map((at) => `a.yaml:${at} the number is too large, or none that JSON has`),
    ],
    [
      "a number that would be another one",
      "a: 9007199254740993\nb: 1e-999\nc: +9007199254740993",
      [
        "a.yaml:1:4 the number would be another one: 9007199254740992",
        "a.yaml:2:4 the number is too small: it would be 0",
        "a.yaml:3:4 the number would be another one: 9007199254740992",
      ],
    ],
    [
      "an integer in hexadecimal or octal digits that would be another one",
      "a: 0xE0000000000001F\nb: 0o400000000000000001",
      [
        "a.yaml:1:4 the number would be another one: 1008806316530991100",
        "a.yaml:2:4 the number would be another one: 9007199254740992",
      ],
    ],
    ["half a surrogate pair", 'a: "\\ud800"', ["a.yaml:1:4 half a surrogate pair, which is no Unicode character"]],
    [
      "half a surrogate pair in a name",
      '"\\ud800": 1',
      ["a.yaml:1:1 half a surrogate pair, which is no Unicode character"],
    ],
    ["__proto__", "a:\n  __proto__: {x: 1}", ["a.yaml:2:3 the name __proto__ is not allowed"]],
    ["a name that is no scalar", "? [a]\n: 1", ["a.yaml:1:3 not YAML 1.2: With stringKeys, all keys must be strings"]],
    ["an alias without an anchor", "a:\n  - *b", ["a.yaml:2:5 there is no anchor &b before this alias"]],
    ["an alias within its target", "a: &a [1, [*a]]", ["a.yaml:1:12 this alias is part of what it stands for, &a"]],
    ["a merge of a scalar", "a: {<<: 1}", ["a.yaml:1:9 << merges an object, or a list of objects"]],
    [
      "a merge of a list with other things",
      "a: {<<: [{}, 1]}",
      ["a.yaml:1:9 << merges an object, or a list of objects"],
    ],
    ["a merge of an unknown alias, once", "a: {<<: *b}", ["a.yaml:1:9 there is no anchor &b before this alias"]],
    [
      "wrong indentation",
      "a:\n  b: 1\n c: 2",
      ["a.yaml:3:1 not YAML 1.2: All mapping items must start at the same column"],
    ],
  ])("%s", (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  test.each([
    ["[", "]"],
    ["- ", "a"],
  ])(
    "nesting by `%s` ends at the gateway's bound, and the stack holds",
    (opening, closing) => {
      const max = bounds.jsonDepthMax;
      const nested = (depth: number) => opening.repeat(depth) + closing.repeat(opening === "[" ? depth : 1);
      expect(problems(nested(max))).toEqual([]);
      expect(problems(nested(max + 1))).toEqual([`a.yaml:1:${max * opening.length + 1} nested more than ${max} deep`]);
      expect(problems(nested(100_000))).toEqual([expect.stringMatching(`nested more than ${max} deep$`)]);
    },
    30_000,
  );
});

test("several documents come apart, without those that say nothing", () => {
  expect(yaml("# only a comment\n---\na: 1\n---\n# nothing\n---\nb: 2\n...\n").documents.map(jsonOf)).toEqual([
    { a: 1 },
    { b: 2 },
  ]);
  expect(yaml("").documents).toEqual([]);
  expect(yaml("# nothing").documents).toEqual([]);
  expect(yaml("null").documents.map(jsonOf)).toEqual([null]);
});

test("the format is that of the ending, else of the first character", () => {
  const read = (name: string, text: string) => said(parse({ name, text }).problems).length === 0;
  expect([read("a.JSON", "a: 1"), read("a.json", "{}")]).toEqual([false, true]);
  expect([read("a.yml", "{a: 1}"), read("a.YAML", "a: 1")]).toEqual([true, true]);
  expect([read("stdin", "\n {a: 1}"), read("stdin", "a: 1"), read("stdin", '{"a": 1}')]).toEqual([false, true, true]);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { isSpotless, scanJson } from "../../../../src/core/json/scan.ts";

/** Issues as "kind /path"; the text must be one that JSON.parse accepts. */
function found(text: string, depthMax?: number): string[] {
  JSON.parse(text);
  return scanJson(text, depthMax).issues.map(({ kind, path }) => `${kind} /${path.join("/")}`);
}

describe("scanJson", () => {
  test.each([
    "1",
    "null",
    '""',
    "{}",
    "[]",
    ' { "a" : [ true , false , null , -0.5e-3 , "x" ] , "b" : { "a" : { } } } ',
    '{"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":1}]}',
    '{"a":"a","b":"b: {\\"a\\": 1, \\"a\\": 2}, ["}',
    '{"a\\\\":1,"a\\"":2,"a":3}',
    '{"constructor":1,"prototype":2,"toString":3}',
    '["😀","\\ud83d\\ude00","\\u0000"]',
    '{"":1,"A":2,"a":3}',
    "[1e308,-1e308,5e-324,-0,0e5,0.0,1e22]",
    "[9007199254740991,-9007199254740992,9007199254740994,18446744073709552000,1000000000000000000000]",
    "[102030000000000000000000]",
    `[0.${"3".repeat(500)},1.50]`,
  ])("finds nothing in %s", (text) => {
    expect(found(text)).toEqual([]);
  });

  test.each([
    ['{"a":1,"a":1}', ["duplicate /a"]],
    ['{"a":1,"b":2,"a":3,"a":4}', ["duplicate /a", "duplicate /a"]],
    ['{"a":1,"\\u0061":2}', ["duplicate /a"]],
    ['{"a/b":1,"a\\/b":2}', ["duplicate /a/b"]],
    ['{"routes":[{},{"name":"x","hosts":[1,{"k":{},"k":[]}]}]}', ["duplicate /routes/1/hosts/1/k"]],
    ['{"a":{"b":1,"b":2},"a":[{"c":1,"c":2}]}', ["duplicate /a/b", "duplicate /a", "duplicate /a/0/c"]],
    ['{"toString":1,"toString":2}', ["duplicate /toString"]],
    ['{"__proto__":1}', ["name /__proto__"]],
    ['{"a":{"\\u005f_proto__":{"b":1}}}', ["name /a/__proto__"]],
    ['{"__proto__":1,"__proto__":2}', ["name /__proto__", "name /__proto__", "duplicate /__proto__"]],
    ['["__proto__"]', []],
    ['[0,"\\ud800"]', ["surrogate /1"]],
    ['"\udc00x"', ["surrogate /"]],
    ['["\\ude00\\ud83d"]', ["surrogate /0"]],
    ['{"a":{"\\ud83dx":1}}', ["surrogate /a/\ud83dx"]],
    ["[1,1e999]", ["number /1"]],
    ['{"a":-1e400}', ["number /a"]],
    ["1E+400", ["number /"]],
    ["10e999", ["number /"]],
    ["9e999", ["number /"]],
    ["9".repeat(400), ["number /"]],
    ["[1e-400,-0.0001E-330,0.00]", ["number /0", "number /1"]],
    ["[9007199254740993,-9007199254740993]", ["number /0", "number /1"]],
    ['{"id":18446744073709551616,"a":123456789012345678901234567890}', ["number /id", "number /a"]],
  ])("finds in %s: %j", (text, issues) => {
    expect(found(text)).toEqual(issues);
  });

  test("counts nesting from the outermost container and reports where it is too deep", () => {
    expect(found("[[[]]]", 3)).toEqual([]);
    expect(found("[[[]]]", 2)).toEqual(["deep /0/0"]);
    expect(found('{"a":[1,{"b":[1]},2]}', 2)).toEqual(["deep /a/1"]);
    expect(found("[".repeat(bounds.jsonDepthMax) + "]".repeat(bounds.jsonDepthMax))).toEqual([]);
    expect(found("[".repeat(bounds.jsonDepthMax + 1) + "]".repeat(bounds.jsonDepthMax + 1))).toHaveLength(1);
  });

  test("does not look into what is too deep, and goes on after it", () => {
    expect(found('[[{"a":1,"a":"]}\\"","b":[{}]},{"c":1}],{"d":1,"d":2}]', 2)).toEqual([
      "deep /0/0",
      "deep /0/1",
      "duplicate /1/d",
    ]);
  });

  test("a million brackets exhaust no stack", () => {
    const text = "[".repeat(1_000_000) + "]".repeat(1_000_000);
    expect(scanJson(text).total).toBe(1);
    expect(scanJson(text, 2_000_000).total).toBe(0);
  });

  test("lists at most issuesMax and counts the rest", () => {
    const { issues, total } = scanJson(`{${'"a":1,'.repeat(500)}"a":1}`);
    expect(issues).toHaveLength(bounds.issuesMax);
    expect(total).toBe(500);
    expect(scanJson('{"a":1,"a":2}', 32, 0)).toEqual({ issues: [], total: 1 });
  });

  test("says of every finding what it is", () => {
    const text = '{"__proto__":1,"a":[[1]],"a":1e999,"b":"\\ud800","c":1e-999,"d":9007199254740993}';
    expect(scanJson(text, 2).issues.map(({ detail }) => detail)).toEqual([
      "the name __proto__ is not allowed",
      "nested more than 2 deep",
      "the name appears twice in its object",
      "the number is too large",
      "half a surrogate pair, which is no Unicode character",
      "the number is too small: it would be 0",
      "the number would be another one: 9007199254740992",
    ]);
  });

  test("ends on any text, accepted or not", () => {
    expect(scanJson("[[", 1).total).toBe(1);
    const pieces = fc.array(fc.constantFrom("{", "}", "[", "]", ",", ":", '"', "-", "1", "e", '"a"', " ", "t"));
    fc.assert(fc.property(pieces, (parts) => scanJson(parts.join("")).total >= 0));
  });
});

/** A JSON text as a tree that, unlike a value, can hold a name twice. */
type Tree =
  | { readonly kind: "leaf"; readonly text: string }
  | { readonly kind: "array"; readonly items: readonly Tree[] }
  | { readonly kind: "object"; readonly members: readonly (readonly [string, Tree])[] };

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    fc
      .oneof(fc.json({ maxDepth: 0 }), fc.constantFrom("1e999", "1e-999", "9007199254740993", '"\\ud800"'))
      .map((text): Tree => ({ kind: "leaf", text })),
    fc.array(tie("tree"), { maxLength: 4 }).map((items): Tree => ({ kind: "array", items })),
    fc
      .array(
        fc.tuple(
          fc.oneof(fc.constantFrom("a", "b", "__proto__", '"', "\\"), fc.string({ unit: "binary", maxLength: 3 })),
          tie("tree"),
        ),
        { maxLength: 5 },
      )
      .map((members): Tree => ({ kind: "object", members })),
  ),
}));

function write(node: Tree, isEscaped: boolean): string {
  const name = (text: string) =>
    isEscaped
      ? `"${[...Array(text.length).keys()].map((at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`).join("")}"`
      : JSON.stringify(text);
  if (node.kind === "leaf") return node.text;
  if (node.kind === "array") return `[ ${node.items.map((item) => write(item, isEscaped)).join(" ,\n")} ]`;
  return `{ ${node.members.map(([key, value]) => `${name(key)} : ${write(value, isEscaped)}`).join(",\t")} }`;
}

const isEncodable = (text: string) => Buffer.from(text, "utf8").toString("utf8") === text;

const lostNumbers = ["1e999", "1e-999", "9007199254740993"];

function oracle(node: Tree, path: readonly (string | number)[], depth: number, depthMax: number): string[] {
  if (node.kind === "leaf") {
    const value: unknown = JSON.parse(node.text);
    if (typeof value === "number" && lostNumbers.includes(node.text)) return [`number ${JSON.stringify(path)}`];
    return typeof value === "string" && !isEncodable(value) ? [`surrogate ${JSON.stringify(path)}`] : [];
  }
  if (depth > depthMax) return [`deep ${JSON.stringify(path)}`];
  if (node.kind === "array")
    return node.items.flatMap((item, index) => oracle(item, [...path, index], depth + 1, depthMax));
  return node.members.flatMap(([name, value], index) => {
    const at = JSON.stringify([...path, name]);
    return [
      ...(name === "__proto__" ? [`name ${at}`] : []),
      ...(node.members.slice(0, index).some(([earlier]) => earlier === name) ? [`duplicate ${at}`] : []),
      ...(isEncodable(name) ? [] : [`surrogate ${at}`]),
      ...oracle(value, [...path, name], depth + 1, depthMax),
    ];
  });
}

test("finds what a walk over the tree finds that the text was written from", () => {
  fc.assert(
    fc.property(tree, fc.boolean(), fc.integer({ min: 1, max: 4 }), (node, isEscaped, depthMax) => {
      const text = write(node, isEscaped);
      JSON.parse(text);
      const issues = scanJson(text, depthMax, 1_000).issues.map(({ kind, path }) => `${kind} ${JSON.stringify(path)}`);
      expect(issues).toEqual(oracle(node, [], 1, depthMax));
    }),
    { numRuns: 500 },
  );
});

test("a text is spotless only if a scan finds nothing, and every compact text without a finding is", () => {
  const outcomes = new Set<boolean>();
  fc.assert(
    fc.property(tree, fc.boolean(), fc.integer({ min: 1, max: 4 }), (node, isCompact, depthMax) => {
      const written = write(node, false);
      const value: unknown = JSON.parse(written);
      // Compact is what a name that comes twice cannot be: JSON.parse has dropped the first.
      const text = isCompact ? JSON.stringify(value) : written.replaceAll(/ ([[{}\],:]|$) ?|([[{,:]) /g, "$1$2");
      const spotless = isSpotless(text, JSON.parse(text), depthMax);
      outcomes.add(spotless);
      const { total } = scanJson(text, depthMax);
      if (spotless) expect(total).toBe(0);
      else if (isCompact) expect(total > 0 || /\\ud|__proto__/.test(text) || reordered(text)).toBe(true);
    }),
    { seed: 1, numRuns: 1_000 },
  );
  expect(outcomes.size).toBe(2);
});

const deep = (depth: number, open = "[", close = "]") => open.repeat(depth) + close.repeat(depth);
const deepObjects = (depth: number) => `${deep(depth - 1, '{"a":', "").trim()}{}${"}".repeat(depth - 1)}`;

test.each([
  '{"a":1,"a":1}',
  '{"__proto__":1}',
  '["\\ud800"]',
  '["\ud800"]',
  "[1e999]",
  "[1e-999]",
  "[9007199254740993]",
  deep(bounds.jsonDepthMax + 1),
  deepObjects(bounds.jsonDepthMax + 1),
])("%s is not spotless", (text) => expect(isSpotless(text, JSON.parse(text))).toBe(false));

test.each([
  deep(bounds.jsonDepthMax),
  deepObjects(bounds.jsonDepthMax),
  JSON.stringify(Array(99).fill(["a"])),
  JSON.stringify(Array(99).fill({ a: {} })),
  JSON.stringify([deep(99), deep(99, "{", "}")]),
])("%s is spotless: what counts is how deep it is, not how often, nor what stands in texts", (text) =>
  expect(isSpotless(text, JSON.parse(text))).toBe(true),
);

test("a million brackets are not spotless, and exhaust no stack", () => {
  expect(isSpotless(deep(1_000_000), null)).toBe(false);
});

/** Names that are indexes are written first, whatever their place; such a text is scanned. */
const reordered = (text: string) => JSON.stringify(JSON.parse(text)) !== text;

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "../../../../cli/files/limits.ts";
import { canonicalText } from "../../../../cli/files/part.ts";
import { placeIn } from "../../../../cli/files/place.ts";
import { find } from "../../../../cli/files/pointer.ts";
import { problemsOf, problemText, reportOf } from "../../../../cli/files/problems.ts";
import { compileDocument } from "../../../../src/snapshot/compile.ts";
import { jsonValue, nowhere, parsed, partOf, pointersOf, said, valueAt } from "./support.ts";

const text = `services:
  users:
    registration: {}
routes:
  - name: users
    matches:
      - path: {prefix: /users}
    service: 5
    timeouts:
      requestMs: -1
      idleS: 3
  - name: orders
    service: users
    rewrite:
      stripPrefix: 1
`;

/** What the compiler says of a YAML text, as people see it. */
function compiled(text: string): string[] {
  const root = parsed(text);
  const result = compileDocument(canonicalText(root), {});
  return result.ok ? [] : problemsOf(result.issues, root).map(problemText);
}

describe("issues of the compiler", () => {
  test("stand at the value, at the name of what is unknown, with the line and a mark", () => {
    const all = compiled(text);
    expect(all).toContainEqual(
      expect.stringMatching(
        /^a\.yaml:8:14: .*expected string.* \(at \/routes\/users\/service\)\n {2}8 \| {5}service: 5\n {4}\| {14}\^$/,
      ),
    );
    expect(all).toContain(
      "a.yaml:11:7: unknown key (at /routes/users/timeouts/idleS)\n  11 |       idleS: 3\n     |       ^^^^^",
    );
    expect(all).toContainEqual(expect.stringMatching(/^a\.yaml:10:18: .*requestMs\)\n {2}10 \| .*\n {5}\| {18}\^\^$/));
  });

  test("stand at the parent where a member is missing, with the path of the member", () => {
    const [first = "", ...others] = compiled("services: {}\nroutes:\n  - matches: []\n");
    expect([first, ...others].join("\n")).toContain("a.yaml:3:5: missing: expected string (at /routes/0/name)");
    expect(compiled("services:\n  users:\n    origins:\n      - url: http://a.example\n").join()).toContain(
      "a.yaml:4:9: missing: expected string (at /services/users/origins/0/id)",
    );
  });

  test("stand at the name of an object, which may be on another line than its content", () => {
    expect(said(problemsOf([{ detail: "no", pointer: "#/services/users" }], parsed(text)))).toEqual([
      "a.yaml:2:3 no @/services/users",
    ]);
    expect(said(problemsOf([{ detail: "no", pointer: "#/services/users/registration/a/b" }], parsed(text)))).toEqual([
      "a.yaml:3:5 no @/services/users/registration/a/b",
    ]);
    expect(said(problemsOf([{ detail: "no", pointer: "#" }], parsed(text)))).toEqual(["a.yaml:1:1 no"]);
  });

  test("tell of an alias where it stands and where its value is written", () => {
    const root = parsed("services: {users: {}}\nbase: &base\n  idleS: 1\nroutes:\n  - timeouts: *base");
    const [problem] = problemsOf([{ detail: "no", pointer: "#/routes/0/timeouts/idleS" }], root);
    expect(problemText(problem!)).toBe(
      "a.yaml:5:15: no (at /routes/0/timeouts/idleS)\n  5 |   - timeouts: *base\n    |               ^^^^^\n  written in a.yaml:3:10",
    );
    expect(reportOf(problem!)).toEqual({
      file: "a.yaml",
      line: 5,
      column: 15,
      detail: "no",
      path: "/routes/0/timeouts/idleS",
      written: { file: "a.yaml", line: 3, column: 10 },
    });
  });
});

test("a pointer leads to its part, one with a step more to the same as its nearest parent", () => {
  fc.assert(
    fc.property(jsonValue, fc.constantFrom("missing~0", "-", "00", "1e0", "length"), (value, step) => {
      const root = partOf(value);
      for (const pointer of pointersOf(value)) {
        const found = find(root, `#${pointer}`);
        expect(found.isExact).toBe(true);
        expect(JSON.stringify(valueAt(value, pointer))).toBe(
          JSON.stringify(JSON.parse(found.part.at.source.text.slice(found.part.at.start, found.part.at.end))),
        );
        const beyond = find(root, `${pointer}/${step}/x`);
        expect([beyond.part, beyond.key, beyond.isExact]).toEqual([found.part, found.key, false]);
        expect(beyond.path.endsWith(`/${step}/x`)).toBe(true);
      }
    }),
  );
});

describe("what people see", () => {
  const shown = (text: string, start: number, end: number) =>
    problemText({ detail: "no", at: placeIn({ name: "a", text }, start, end) });

  test("of a long line only what is around the place", () => {
    const line = "x".repeat(1_000);
    const [, excerpt = "", mark = ""] = shown(`{}\n${line}!${line}`, 1_003, 1_004).split("\n");
    expect(excerpt.length).toBeLessThanOrEqual(limits.excerptLengthMax + 10);
    expect(excerpt).toMatch(/^ {2}2 \| …x+!x+…$/);
    expect(mark.indexOf("^")).toBe(excerpt.indexOf("!"));
    expect(mark.endsWith("^")).toBe(true);
  });

  test("of what goes over lines the first", () => {
    expect(shown("a\r\nbc\r\nd", 4, 8)).toBe("a:2:2: no\n  2 | bc\n    |  ^");
  });

  test("a mark even where there is nothing, and at the end", () => {
    expect(shown("a:\nb", 2, 2)).toBe("a:1:3: no\n  1 | a:\n    |   ^");
    expect(shown("a\n", 2, 2)).toBe("a:2:1: no\n  2 | \n    | ^");
  });

  test("tabs and characters of two units keep the mark in its place", () => {
    expect(shown("\t😀: x", 5, 6)).toBe("a:1:6: no\n  1 |  😀: x\n    |     ^");
  });

  test("nothing that a terminal would obey", () => {
    const text = "\u001b[31m\u0007\u202e\u2028";
    const line = problemText({ detail: text, at: placeIn({ name: text, text }, 0, 1) });
    for (const character of ["\u001b", "\u0007", "\u202e", "\u2028"]) expect(line).not.toContain(character);
    expect(line.split("\n")).toHaveLength(3);
  });

  test("only the name of a file that has no text", () => {
    expect(problemText({ detail: "no such file", at: nowhere("b.yaml") })).toBe("b.yaml: no such file");
  });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { segmentsOf } from "../../../../src/core/routing/path.ts";
import { mandatorySegments, regexLiteral } from "../../../../src/core/routing/regex.ts";

test.each([".", "^", "$", "*", "+", "?", "(", ")", "[", "]", "{", "}", "|", "\\"])(
  "%s ends the literal",
  (character) => {
    expect(regexLiteral(`^/a${character}b`)).toBe("/a");
  },
);

test.each([
  ["/api/users", ["api"]],
  ["/api/users/", ["api", "users"]],
  ["^/api/v\\d+/x", ["api"]],
  ["/api/.*", ["api"]],
  ["/api/?", []],
  ["/api/*x", []],
  ["/api/+x", []],
  ["/api/{0,1}x", []],
  ["/api/v1?", ["api"]],
  ["/api/(a|b)/.*", ["api"]],
  ["/api/([|]|\\))x|y", []],
  ["/api/x|/b", []],
  ["/api/[(]|x", []],
  ["/api/\\(|x", []],
  ["/api/[\\](]|x", []],
  ["/api/[\\\\]|[(]x", []],
  ["/api/[|]", ["api"]],
  ["/api/\\|", ["api"]],
  ["/api/[[:alpha:]]+", ["api"]],
  ["/api/([[:alpha:](]|x)", []],
  ["/api/([](]|x)", []],
  ["/api/\\Q(\\E|x", []],
  ["(/api/)", []],
  [".*", []],
  ["", []],
  ["api", []],
])("every path of %s begins with %j", (source, expected) => {
  expect(mandatorySegments(source)).toEqual(expected);
});

test("no path that an expression matches is outside the segments it is filed under", () => {
  const token = fc.constantFrom(
    ..."/ab|()[]?*+.\\^".split(""),
    "/a",
    "/b/",
    "(?:",
    "{0,1}",
    "[^a]",
    "[(]",
    "\\(",
    "\\|",
  );
  const source = fc
    .array(token, { minLength: 1, maxLength: 10 })
    .map((tokens) => `/a/${tokens.join("")}`)
    .filter(compiles);
  const path = fc
    .array(fc.constantFrom("a", "b", "", "(", "|"), { maxLength: 5 })
    .map((parts) => `/${parts.join("/")}`);
  fc.assert(
    fc.property(source, fc.array(path, { minLength: 10, maxLength: 20 }), (text, paths) => {
      const expression = new RegExp(`^(?:${text})$`);
      const mandatory = mandatorySegments(text);
      for (const matched of paths.filter((each) => expression.test(each))) {
        expect(segmentsOf(matched).slice(0, mandatory.length)).toEqual(mandatory);
      }
    }),
    { numRuns: 2_000 },
  );
});

function compiles(source: string): boolean {
  try {
    return new RegExp(source) !== null;
  } catch {
    return false;
  }
}

import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { compileRegex } from "../../../../src/core/regex/regex.ts";
import { RegexError } from "../../../../src/core/regex/types.ts";

function refusalOf(source: string): string {
  try {
    compileRegex(source);
  } catch (error) {
    if (error instanceof RegexError) return error.message;
    throw error;
  }
  return "";
}

describe("an expression matches whole texts only", () => {
  test.each([
    ["a|bc", ["a", "bc"], ["", "ab", "bca", "xa"]],
    ["/users/[0-9]+(?:/.*)?", ["/users/7", "/users/7/a/b"], ["/users/", "/users/7a", "/api/users/7"]],
    ["(?i)gold-\\d{2,3}", ["gold-12", "GOLD-123"], ["gold-1", "gold-1234"]],
    ["", [""], ["a"]],
    ["\\bfoo\\b.*", ["foo", "foo bar"], ["food"]],
    ["(?m)a$\\n^b", ["a\nb"], ["ab"]],
    ["(?s).", ["\n", "😀"], ["", "ab"]],
    [".", ["a", "😀", "\uffff"], ["\n", "\uffffa"]],
    // The low half of U+10061 is that of "a", which is part of a word.
    ["\uffffa\\b.", ["\uffffa\u{10061}"], ["\uffffab", "\uffff.a"]],
    ["\\p{Greek}+", ["Ωω"], ["Oo"]],
    ["\\Qa.b\\E+", ["a.b", "a.bb"], ["aab", "a.ba.b"]],
    ["(?:){3}a{0}b*?", ["", "bb"], ["a"]],
    // RE2 looks for the end of a named class behind `[:`, so its ":" is not that of `:]`. re2js refuses these two.
    ["[[:]", ["[", ":"], ["", "[:", "]"]],
    ["[[:]]", ["[]", ":]"], ["[", ":", "[:]"]],
  ])("%s", (source, fitting, others) => {
    const matches = compileRegex(source);
    expect(fitting.filter((text) => !matches(text))).toEqual([]);
    expect(others.filter(matches)).toEqual([]);
  });
});

describe("what RE2 refuses is refused, and why", () => {
  test.each([
    ["(?=a)", "invalid or unsupported Perl syntax"],
    ["(?<=a)b", "invalid named capture"],
    ["(a)\\1", "invalid escape sequence"],
    ["(a", "missing closing )"],
    ["a)", "unexpected )"],
    ["[a", "missing closing ]"],
    ["a**", "invalid nested repetition operator"],
    ["a{1001}", "invalid repeat count"],
    ["{1001,}", "invalid repeat count"],
    ["{1,1001}", "invalid repeat count"],
    ["\\x{110000}", "invalid escape sequence"],
    ["(a{500}){3}", "invalid repeat count"],
    ["+", "missing argument to repetition operator"],
    ["a\\", "trailing backslash at end of expression"],
    ["[z-a]", "invalid character class range"],
    ["[[::]]", "invalid character class range"],
    ["\\p{Nothing}", "invalid character class range"],
    ["(?P<a>x)(?P<a>y)", "duplicate capture group name"],
  ])("%s", (source, reason) => expect(refusalOf(source)).toBe(reason));
});

describe("nothing is without a bound", () => {
  test("one step too many is refused", () => {
    const steps = (count: number) => `${"a{1000}".repeat(Math.floor(count / 1_000))}${"a".repeat(count % 1_000)}`;
    expect(refusalOf(steps(bounds.regexStepsMax - 1))).toBe("");
    expect(refusalOf(steps(bounds.regexStepsMax))).toBe("expression too large");
  });
  test("as deep as the longest expression can be", () => {
    const depth = bounds.patternLengthMax / 2 - 1;
    expect(compileRegex(`${"(".repeat(depth)}a${")".repeat(depth)}`)("a")).toBe(true);
  });
  test("what is forgotten is worked out again", () => {
    const matches = compileRegex(".*a.{12}b");
    const text = (index: number) =>
      [...`${index.toString(2)}${"0".repeat(14)}`].map((bit) => (bit === "1" ? "a" : "x"));
    for (let index = 0; index < 3_000; index++) {
      const characters = text(index);
      const expected = characters.at(-14) === "a";
      expect(matches([...characters.slice(0, -1), "b"].join(""))).toBe(expected);
    }
  });
});

import { describe, expect, test } from "vitest";
import { exactPath, literalLength, type PathMatcher, prefixPath } from "../../../../src/core/routing/matcher.ts";
import { parsePattern, readParams } from "../../../../src/core/routing/pattern.ts";
import { pattern, regex } from "./support.ts";

describe("a text that is no pattern says why", () => {
  test.each([
    ["users/:id", 'a pattern begins with "/"'],
    ["", 'a pattern begins with "/"'],
    ["/*/users", '"*" may only be the last segment'],
    ["/users/*/", '"*" may only be the last segment'],
    ["/users*", '"*" must be a whole segment, not a part of "users*"'],
    ["/**", '"*" must be a whole segment, not a part of "**"'],
    ["/:id*", '"*" must be a whole segment, not a part of ":id*"'],
    ["/v:major", 'a parameter must be a whole segment, not a part of "v:major"'],
    ["/:", '":" is no parameter: its name is made of letters, digits and "_" and begins with no digit'],
    ["/:1st", '":1st" is no parameter: its name is made of letters, digits and "_" and begins with no digit'],
    ["/:user-id", '":user-id" is no parameter: its name is made of letters, digits and "_" and begins with no digit'],
    ["/:a:b", '":a:b" is no parameter: its name is made of letters, digits and "_" and begins with no digit'],
    ["/:id/x/:id", 'the parameter ":id" occurs twice'],
  ])("%j: %s", (text, problem) => {
    expect(parsePattern(text)).toEqual({ ok: false, problem });
  });
});

test("literal segments are normalised, empty ones stay", () => {
  expect(parsePattern("/ap%69//:_id9/é/*")).toEqual({
    ok: true,
    segments: [
      { kind: "literal", text: "api" },
      { kind: "literal", text: "" },
      { kind: "param", name: "_id9" },
      { kind: "literal", text: "%C3%A9" },
      { kind: "rest" },
    ],
  });
});

test("a pattern keeps its normalised text", () => {
  expect(pattern("/ap%69/:id/*")).toMatchObject({ kind: "pattern", path: "/api/:id/*" });
});

test("parameters named like parts of an object are only values", () => {
  const parsed = parsePattern("/:__proto__/:constructor/x");
  const params = readParams(parsed.ok ? parsed.segments : [], "/a/b/x");
  expect(Object.getPrototypeOf(params)).toBeNull();
  expect(Object.entries(params)).toEqual([
    ["__proto__", "a"],
    ["constructor", "b"],
  ]);
});

test.each<[string, PathMatcher, number]>([
  ["exact /a", exactPath("/%61"), 2],
  ["prefix /", prefixPath("/"), 1],
  ["prefix /v2", prefixPath("/v2"), 3],
  ["prefix /v2/", prefixPath("/v2/"), 3],
  ["prefix //", prefixPath("//"), 1],
  ["pattern /users/:id/*", pattern("/users/:id/*"), 8],
  ["pattern /:a/:b", pattern("/:a/:b"), 2],
  ["pattern /*", pattern("/*"), 1],
  ["pattern /", pattern("/"), 1],
  ["pattern /ap%69/:id", pattern("/ap%69/:id"), 5],
  ["regex /users/\\d+", regex("/users/\\d+"), 7],
  ["regex ^/users", regex("^/users"), 6],
  ["regex /a|/b", regex("/a|/b"), 2],
  ["regex .*", regex(".*"), 0],
])("%s has so many literal characters", (_name, path, expected) => {
  expect(literalLength(path)).toBe(expected);
});

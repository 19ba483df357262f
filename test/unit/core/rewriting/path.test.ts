import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type PathRewrite, rewritePath } from "../../../../src/core/rewriting/path.ts";
import { prefixPath } from "../../../../src/core/routing/matcher.ts";
import { segmentsOf } from "../../../../src/core/routing/path.ts";

const segmentsOfPrefix = (prefix: string) => segmentsOf(prefixPath(prefix).path);

const replacePrefix = (prefix: string, value: string): PathRewrite => ({
  path: { kind: "replacePrefixMatch", value, matchedSegments: segmentsOfPrefix(prefix).length },
});

describe("replacePrefixMatch", () => {
  test.each([
    // The table of HTTPPathModifier.
    ["/foo/bar", "/foo", "/xyz", "/xyz/bar"],
    ["/foo/bar", "/foo", "/xyz/", "/xyz/bar"],
    ["/foo/bar", "/foo/", "/xyz", "/xyz/bar"],
    ["/foo/bar", "/foo/", "/xyz/", "/xyz/bar"],
    ["/foo", "/foo", "/xyz", "/xyz"],
    ["/foo/", "/foo", "/xyz", "/xyz/"],
    ["/foo/bar", "/foo", "", "/bar"],
    ["/foo/", "/foo", "", "/"],
    ["/foo", "/foo", "", "/"],
    ["/foo/", "/foo", "/", "/"],
    ["/foo", "/foo", "/", "/"],
    // Beyond it.
    ["/foo/bar", "/foo", "/", "/bar"],
    ["/foo", "/foo", "/xyz/", "/xyz"],
    ["/foo/bar", "/", "/xyz", "/xyz/foo/bar"],
    ["/", "/", "/xyz", "/xyz/"],
    ["/a/b/c", "/a/b", "/x/y/z", "/x/y/z/c"],
    ["/f%6Fo/b%61r%2Fq", "/foo", "/xyz", "/xyz/b%61r%2Fq"],
    ["/foo//bar", "/foo", "/xyz", "/xyz//bar"],
  ])("%s matched by %s and replaced by %j is %s", (path, prefix, value, expected) => {
    expect(rewritePath(replacePrefix(prefix, value), path)).toBe(expected);
  });
});

describe("stripPrefix", () => {
  test.each([
    ["/api/users", "/api", "/users"],
    ["/api/users", "/api/", "/users"],
    ["/api", "/api", "/"],
    ["/api/", "/api", "/"],
    ["/api//x", "/api", "//x"],
    ["/apis/users", "/api", "/apis/users"],
    ["/v1/api", "/api", "/v1/api"],
    ["/API/users", "/api", "/API/users"],
    ["/a/b/c", "/a/b", "/c"],
    ["/a", "/a/b", "/a"],
    ["/a/x/c", "/a/b", "/a/x/c"],
    ["/x/b/c", "/a/b", "/x/b/c"],
    ["/users", "/", "/users"],
    ["/ap%69/users", "/api", "/users"],
    ["/api/us%65rs%2f1", "/ap%69", "/us%65rs%2f1"],
    ["/a%2fb/c", "/a%2Fb", "/c"],
    ["/a%2Fb/c", "/a/b", "/a%2Fb/c"],
    ["/%C3%A6/c", "/æ", "/c"],
  ])("%s without %s is %s", (path, prefix, expected) => {
    expect(rewritePath({ stripPrefix: segmentsOfPrefix(prefix) }, path)).toBe(expected);
  });
});

describe("replaceFullPath", () => {
  test.each([
    ["/anything/at/all", "/new", "/new"],
    ["/", "/new/", "/new/"],
    ["/a", "", "/"],
  ])("%s replaced by %j is %s", (path, value, expected) => {
    expect(rewritePath({ path: { kind: "replaceFullPath", value } }, path)).toBe(expected);
  });
});

describe("stripPrefix comes before the other", () => {
  test.each([
    // path, stripped, matched prefix, replacement, expected
    ["/api/users/1", "/api", "/api/users", "/v3", "/v3/1"],
    ["/api/users", "/api", "/api/users", "/v3", "/v3"],
    ["/api/users/1", "/api", "/api", "/v3", "/v3/users/1"],
    ["/api", "/api", "/api", "/v3", "/v3"],
    ["/api/users/1", "/api/users", "/api", "/v3", "/v3/1"],
    ["/api/users/1", "/other", "/api", "/v3", "/v3/users/1"],
    ["/api/users/1", "/", "/api", "/v3", "/v3/users/1"],
  ])("%s without %s, matched by %s, with %s is %s", (path, strip, prefix, value, expected) => {
    const rewrite = { stripPrefix: segmentsOfPrefix(strip), ...replacePrefix(prefix, value) };
    expect(rewritePath(rewrite, path)).toBe(expected);
  });

  test("a full path replaces whatever was stripped", () => {
    expect(rewritePath({ stripPrefix: ["a"], path: { kind: "replaceFullPath", value: "/n" } }, "/a/b")).toBe("/n");
  });
});

test("without any change a path leaves as it was received", () => {
  const piece = fc.constantFrom("/", "%61", "%2f", "a", "%", "..", ";x");
  fc.assert(fc.property(fc.array(piece), (pieces) => rewritePath({}, `/${pieces.join("")}`) === `/${pieces.join("")}`));
});

test("stripping a prefix undoes putting it in front", () => {
  const segment = fc.constantFrom("a", "b%2Fc", "%61", "", "users");
  const path = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => `/${parts.join("/")}`);
  const plain = fc.array(fc.constantFrom("a", "b%2Fc", "x"), { maxLength: 4 });
  fc.assert(
    fc.property(plain, path, (prefix, rest) => {
      const received = prefix.map((part) => `/${part}`).join("") + rest;
      expect(rewritePath({ stripPrefix: prefix }, received)).toBe(rest);
    }),
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { normalizePath, segmentsOf } from "../../../../src/core/routing/path.ts";

test.each([
  ["/plain/path-._~!$&'()*+,;=:@", "/plain/path-._~!$&'()*+,;=:@"],
  ["/ap%69", "/api"],
  ["/%41%5A%61%7a%30%39%2D%2e%5f%7E", "/AZaz09-._~"],
  ["/a%2fb", "/a%2Fb"],
  ["/a%2Fb", "/a%2Fb"],
  ["/%c3%a6", "/%C3%A6"],
  ["/%zz%4", "/%zz%4"],
  ["/100%", "/100%"],
  ["/%2541", "/%2541"],
  ["/a//b/", "/a//b/"],
  ["/æ/日本/😀", "/%C3%A6/%E6%97%A5%E6%9C%AC/%F0%9F%98%80"],
  ["/\ud800x\udc00", "/%EF%BF%BDx%EF%BF%BD"],
  ["/\u007f\u0080", "/\u007f%C2%80"],
  ["", ""],
])("%j is compared as %j", (path, expected) => {
  expect(normalizePath(path)).toBe(expected);
});

test("a path without encodings is itself", () => {
  const path = "/api/users/1";
  expect(normalizePath(path)).toBe(path);
});

test("the number of segments never changes", () => {
  const piece = fc.constantFrom("/", "%2F", "%2f", "%", "%6", "a", "%61", "æ", "%C3", "..", "%2E");
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const path = `/${pieces.join("")}`;
      expect(segmentsOf(normalizePath(path))).toHaveLength(segmentsOf(path).length);
    }),
  );
});

test("text is compared as its percent-encoded UTF-8, and twice as once", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const path = `/${text.replaceAll("%", "")}`;
      const once = normalizePath(path);
      expect(decodeURIComponent(once)).toBe(path);
      expect(normalizePath(once)).toBe(once);
    }),
  );
});

test.each([
  ["", []],
  ["/", [""]],
  ["/a", ["a"]],
  ["/a/", ["a", ""]],
  ["//a", ["", "a"]],
])("%j has the segments %j", (path, expected) => {
  expect(segmentsOf(path)).toEqual(expected);
});

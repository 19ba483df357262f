import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { acceptVersion } from "../../../../src/core/traffic/accept.ts";

describe("acceptVersion", () => {
  test.each([
    ["application/json;version=v2", "v2"],
    ['application/json;version="v2"', "v2"],
    ["application/json ; version=v2 ; q=0.5", "v2"],
    ["application/json; VERSION=V2", "V2"],
    ["text/html, application/json;version=v2", "v2"],
    ["application/json;version=v1, application/json;version=v2", "v1"],
    ["application/json;q=0.1;version=v1, application/json;version=v2;q=1", "v1"],
    ['text/plain;title="a, b; version=v9", application/json;version=v2', "v2"],
    ['text/plain;title="quote \\" ;version=v9";version=v2', "v2"],
    ['application/json;version="2, \\"beta\\""', '2, "beta"'],
    ["a/b;version=, c/d;version=v2", "v2"],
    ['a/b;version="", c/d;version=v2', "v2"],
    ["a/b;version=v 1, c/d;version=v2", "v2"],
    ["a/b;version = v1, c/d;version=v2", "v2"],
    ["a/b;aversion=v1;versions=v1, c/d;version=v2", "v2"],
  ])("%s -> %s", (accept, version) => {
    expect(acceptVersion(accept)).toBe(version);
  });

  test.each([
    "",
    "*/*",
    "application/json",
    "application/json;charset=utf-8",
    "version=v2",
    "a/b, version=v2",
    'a/b;version="v2',
    'a/b;version="v2\\',
    ";",
    "a/b;version",
    'a/b;version=v"2',
  ])("%s has none", (accept) => {
    expect(acceptVersion(accept)).toBeNull();
  });

  test("reads back whatever a quoted string can hold, between other parameters", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (version, title) => {
        const quote = (text: string) => `"${text.replace(/["\\]/g, "\\$&")}"`;
        expect(
          acceptVersion(`text/html;q=0.1, a/b; title=${quote(title)} ;version=${quote(version)};q=0.3, c/d;version=x`),
        ).toBe(version);
      }),
    );
  });

  test("ends on any text", () => {
    const pieces = fc
      .array(fc.constantFrom('"', "\\", ",", ";", "version=", "v2", " ", "a/b"))
      .map((parts) => parts.join(""));
    fc.assert(fc.property(pieces, (accept) => acceptVersion(accept) !== ""));
  });
});

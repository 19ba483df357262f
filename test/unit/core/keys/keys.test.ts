import { describe, expect, test } from "vitest";
import { keyOf, parseKeySource, valueOfKey } from "../../../../src/core/keys/keys.ts";
import { factsOf } from "./facts.ts";

describe("parseKeySource", () => {
  test.each([
    ["ip", { kind: "ip" }],
    ["path", { kind: "path" }],
    ["route", { kind: "route" }],
    ["global", { kind: "global" }],
    ["header:X-User-Id", { kind: "header", name: "x-user-id" }],
    ["cookie:Session", { kind: "cookie", name: "Session" }],
    ["query:user id", { kind: "query", name: "user id" }],
    ["query:a:b", { kind: "query", name: "a:b" }],
    ["path-param:tenant", { kind: "path-param", name: "tenant" }],
  ])("reads %s", (text, source) => {
    expect(parseKeySource(text)).toEqual(source);
  });

  test.each([
    "",
    ":",
    "header",
    "header:",
    "header:x y",
    "header:x:y",
    "cookie:a;b",
    "query:",
    "path-param:",
    "ip:",
    "ip:x",
    "path:x",
    "IP",
    "Header:x",
    " ip",
    "body:x",
    ":x",
    "constructor:x",
  ])("refuses %j", (text) => {
    expect(parseKeySource(text)).toBeNull();
  });
});

describe("keyOf", () => {
  const params = { tenant: "acme", empty: "" };
  const facts = factsOf({
    headers: { "x-user": "ada", "x-empty": "" },
    cookies: { session: "s1" },
    query: { q: "one", bare: "" },
    clientIp: "192.0.2.1",
    path: "/us%65rs/%2f7",
  });
  const key = (...texts: string[]) =>
    keyOf(
      texts.map((text) => parseKeySource(text)!),
      facts,
      { params, route: "users" },
    );

  test.each([
    ["ip", "192.0.2.1"],
    ["path", "/users/%2F7"],
    ["route", "users"],
    ["global", "global"],
    ["header:X-USER", "ada"],
    ["cookie:session", "s1"],
    ["query:q", "one"],
    ["path-param:tenant", "acme"],
  ])("%s reads its own part of the request", (text, value) => {
    expect(key(text)).toBe(value);
  });

  test("the first source that is present counts", () => {
    expect(key("header:x-user", "ip")).toBe("ada");
    expect(key("header:x-missing", "cookie:nope", "ip")).toBe("192.0.2.1");
  });

  test("a source that is present and empty is passed over", () => {
    expect(key("header:x-empty", "query:bare", "path-param:empty", "ip")).toBe("192.0.2.1");
    expect(valueOfKey({ kind: "query", name: "bare" }, facts, { params, route: "users" })).toBe("");
  });

  test("none present, or no source at all, is null", () => {
    expect(key("header:x-missing", "path-param:nope")).toBeNull();
    expect(key()).toBeNull();
    expect(keyOf([{ kind: "ip" }], factsOf(), { params, route: "users" })).toBeNull();
  });

  test("what objects inherit is no parameter", () => {
    expect(key("path-param:constructor")).toBeNull();
    expect(key("path-param:__proto__")).toBeNull();
  });
});

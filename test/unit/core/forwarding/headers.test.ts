import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  cookieOf,
  isDistrusted,
  isForged,
  isRequestId,
  isWithheld,
  mendCookies,
  passesOf,
  viaWith,
} from "../../../../src/core/forwarding/headers.ts";

describe("what does not cross", () => {
  it.each([
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "transfer_encoding",
    "upgrade",
    "expect",
    "host",
    "content-length",
    "content_length",
    "forwarded",
    "x-real-ip",
    "x_real_ip",
    "proxy-authorization",
    "proxy-",
    "x-forwarded-for",
    "x_forwarded-for",
    "x-forwarded-anything",
    "x-sluice-x",
    "sluice-decision",
    "sluice_error",
  ])("%s", (name) => expect(isWithheld(name)).toBe(true));

  it.each([
    "accept",
    "x-forwarded",
    "x-real-ips",
    "proxy",
    "sluice",
    "x_custom",
    "cookie",
    "via",
    "x-request-id",
    "tea",
  ])("but %s does", (name) => expect(isWithheld(name)).toBe(false));

  it("no decision rests on what anybody can send: of these, all but the fields of the connection", () => {
    const names = [
      "forwarded",
      "x_real_ip",
      "x-forwarded-for",
      "x-sluice-x",
      "sluice-x",
      "connection",
      "proxy-x",
      "accept",
    ];
    expect(names.filter(isDistrusted)).toEqual(names.slice(0, 5));
  });

  it("an underscore never makes a difference", () => {
    const name = fc.stringMatching(/^(x[-_])?(forwarded|sluice|real|proxy|te|host|content)[-_](for|ip|length|a)$/);
    fc.assert(fc.property(name, (text) => isWithheld(text) === isWithheld(text.replaceAll("_", "-"))));
  });

  it("of a response: the gateway's own family", () => {
    expect(["sluice-error", "sluice-x", "x-sluice-a", "server"].filter(isForged)).toEqual(["sluice-error", "sluice-x"]);
  });
});

describe("Via", () => {
  it.each<[string | null, number]>([
    [null, 0],
    ["", 0],
    ["1.1 sluice", 1],
    ["1.0 fred, 1.1 sluice", 1],
    ["HTTP/1.1 SLUICE (a comment)", 1],
    ["1.1 sluice,1.1\tsluice ,  2 sluice", 3],
    ["1.1  sluice", 1],
    ["1.1 sluices, 1.1 x-sluice, sluice, 1.1", 0],
  ])("%j names the gateway %i times", (via, passes) => expect(passesOf(via)).toBe(passes));

  it("counts one more with every pass", () => {
    let via: string | null = "1.0 fred";
    for (let passes = 1; passes <= 5; passes++) {
      via = viaWith(via);
      expect(passesOf(via)).toBe(passes);
    }
    expect([viaWith(null), viaWith(" ")]).toEqual(["1.1 sluice", "1.1 sluice"]);
  });
});

describe("cookies", () => {
  it.each([
    ["a=1", "a=1"],
    ["a=1, b=2", "a=1; b=2"],
    ["a=1; b=2, c=3, d=4", "a=1; b=2; c=3; d=4"],
    ["a=x,y; b=1", "a=x,y; b=1"],
    ["a=x, y", "a=x, y"],
    ['a="1, 2"', 'a="1, 2"'],
  ])("%s is mended to %s", (joined, mended) => expect(mendCookies(joined)).toBe(mended));

  it("lines joined by the runtime come apart as they were", () => {
    const token = fc.stringMatching(/^[a-z0-9_.-]{1,5}$/);
    const pair = fc.tuple(token, token).map(([name, value]) => `${name}=${value}`);
    const line = fc.array(pair, { minLength: 1, maxLength: 3 }).map((pairs) => pairs.join("; "));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), (cookieLines) => {
        expect(mendCookies(cookieLines.join(", "))).toBe(cookieLines.join("; "));
      }),
    );
  });

  it.each<[string | null, string, string | null]>([
    [null, "a", null],
    ["", "a", null],
    ["a=1; b=2", "b", "2"],
    ["a=1; a=2", "a", "1"],
    ["a=1, b=2", "b", "2"],
    ["a==x=", "a", "=x="],
    ["a=", "a", ""],
    ["aa=1", "a", null],
    ["a", "a", null],
    ["=1; a=2", "", null],
    [";a=1", "a", "1"],
    ["a; b=1", "a; b", null],
    ['a="q"', "a", '"q"'],
    [" a = 1 ", "a", "1"],
  ])("of %j, %s is %j", (header, name, value) => expect(cookieOf(header, name)).toBe(value));
});

it.each<[string | null, boolean]>([
  [null, false],
  ["", false],
  ["a", true],
  ["Az09._-", true],
  ["x".repeat(128), true],
  ["x".repeat(129), false],
  ["a b", false],
  ["a,b", false],
  ["a\n", false],
  ["é", false],
])("the request id %j is kept: %s", (id, kept) => expect(isRequestId(id)).toBe(kept));

import { describe, expect, it } from "vitest";
import { keyText } from "../../../../src/core/keys/key-text.ts";
import { parseKeySource } from "../../../../src/core/keys/keys.ts";

describe("keyText", () => {
  it.each([
    ["global", "global", "global"],
    ["route", "users", "route=users"],
    ["path", "/users/7", "path=/users/7"],
    ["ip", "192.0.2.7", "ip=192.0.2.7"],
    ["ip", "2001:db8:1:2:3:4:5:6", "ip=2001:db8:1:2::/64"],
    ["ip", "2001:DB8::1", "ip=2001:db8:0:0::/64"],
    // Twice is once.
    ["ip", "2001:db8:0:0::/64", "ip=2001:db8:0:0::/64"],
    ["header:X-Client-Id", "Gold", "header:x-client-id=Gold"],
    ["header:X-Ip", "2001:db8::1", "header:x-ip=2001:db8::1"],
    ["cookie:Sid", "a=b", "cookie:Sid=a=b"],
    ["query:k", "", "query:k="],
    ["path-param:id", "7|8", "path-param:id=7|8"],
  ])("of %s with %j is %s", (source, value, text) => {
    expect(keyText(parseKeySource(source)!, value)).toBe(text);
  });
});

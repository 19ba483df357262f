import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, test } from "vitest";
import { canonicalAddress } from "../../../../src/core/forwarding/address.ts";

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["192.0.2.7:4711", "192.0.2.7"],
  ["192.0.002.007", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["[::ffff:192.0.2.7]:80", "192.0.2.7"],
  ["2001:DB8::1", "2001:db8::1"],
  ["[2001:db8::1]", "2001:db8::1"],
  ["[2001:db8::1]:443", "2001:db8::1"],
  ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["::", "::"],
  ["::1", "::1"],
  ["1::", "1::"],
  ["::1.2.3.255", "::102:3ff"],
  ["::ffff:255.2.3.4", "255.2.3.4"],
  ["1:0:0:0:0:ffff:102:304", "1::ffff:102:304"],
])("%s is %s", (text, address) => expect(canonicalAddress(text)).toBe(address));

describe("is no address", () => {
  test.each([
    "",
    "unknown",
    "_hidden",
    "192.0.2",
    "192.0.2.",
    "192.0.2.256",
    "192.0.2.7.1",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "12345::",
    "g::",
    "fe80::1%eth0",
    ":1",
    "1:2:3:4:5:6:7::8",
    "[::1",
    "::1]",
    "1.2.3.4:x",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1:2:3:4:5:6:7:8:",
    ":1:2:3:4:5:6:7",
    "::1::2",
    "1:::2",
    "-1::",
    "1/::",
    "1@::",
    "x[::1]",
    "[::1]x",
    "[::1]:80x",
    "::1..2.3",
    "::.1.2.3",
    "::1.2.3.0004",
    "::1.2.3.256",
    "::1.2.3.4:5",
  ])("%j", (text) => expect(canonicalAddress(text)).toBeNull());
});

test("agrees with ipaddr.js on every IPv6 address, however it is written", () => {
  const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  });
  fc.assert(
    fc.property(groups, (parts) => {
      fc.pre(!(parts.slice(0, 5).every((part) => part === 0) && parts[5] === 0xffff));
      const long = parts.map((part) => part.toString(16).padStart(4, "0")).join(":");
      const expected = ipaddr.IPv6.parse(long).toRFC5952String();
      expect(canonicalAddress(long.toUpperCase())).toBe(expected);
      expect(canonicalAddress(expected)).toBe(expected);
    }),
  );
});

test("what is one character away from an IPv4 address is one exactly if it is written like one", () => {
  const byte = fc.constantFrom("0", "00", "1", "9", "10", "99", "100", "199", "249", "255", "256", "260", "300");
  const edit = fc.record({ at: fc.nat(15), without: fc.nat(1), sign: fc.constantFrom("", ..."0129./:;-@a ") });
  const numbers = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?::\d+)?$/;
  const expected = (text: string) => {
    const bytes = numbers.exec(text)?.slice(1).map(Number) ?? [256];
    return bytes.every((each) => each <= 255) ? bytes.join(".") : null;
  };
  fc.assert(
    fc.property(fc.tuple(byte, byte, byte, byte), edit, (bytes, { at, without, sign }) => {
      const whole = bytes.join(".");
      const text = whole.slice(0, at) + sign + whole.slice(at + without);
      expect(canonicalAddress(text)).toBe(expected(text));
    }),
    { numRuns: 5_000, seed: 1 },
  );
});

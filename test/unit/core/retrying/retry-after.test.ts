import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { retryAfterMs } from "../../../../src/core/retrying/retry-after.ts";

const nowMs = Date.UTC(1994, 10, 6, 8, 49, 30);
const asked = (text: string | null) => retryAfterMs(text, nowMs, Date.parse);

describe("retryAfterMs", () => {
  test.each([
    ["0", 0],
    ["120", 120_000],
    [" 7\t", 7_000],
    ["007", 7_000],
    ["99999999999999999999999", 2 ** 31 * 1_000],
    // The three forms of RFC 9110 5.6.7.
    ["Sun, 06 Nov 1994 08:49:37 GMT", 7_000],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 7_000],
    ["Sun Nov  6 08:49:37 1994", 7_000],
    ["Sun Nov 16 08:49:30 1994", 864_000_000],
    ["Sun, 06 Nov 1994 08:49:29 GMT", 0],
    ["Fri, 31 Dec 9999 23:59:59 GMT", 2 ** 31 * 1_000],
  ])("%j is %d ms", (text, ms) => {
    expect(asked(text)).toBe(ms);
  });

  test.each([
    [null],
    [""],
    ["-1"],
    ["1.5"],
    ["1e3"],
    ["0x10"],
    ["120, 120"],
    ["soon"],
    ["tomorrow 3"],
    ["1994-11-06T08:49:37Z"],
    ["Sun, 06 Nov 1994 08:49:37"],
    ["Sun, 06 Nov 1994 08:49:37 CET"],
    ["Sun, 06 Foo 1994 08:49:37 GMT"],
    ["Sun Foo  6 08:49:37 1994"],
    // What a lenient reader takes for a date.
    ["maybe Sun, 06 Nov 1994 08:49:37 GMT"],
    ["Sun, 06 Nov 1994 08:49:37 GMT+0100"],
    ["maybe Sun Nov  6 08:49:37 1994"],
    ["Sun Nov  6 08:49:37 19945"],
  ])("%j says nothing", (text) => {
    expect(asked(text)).toBeNull();
  });

  test("any text gives null or a number that can be waited for", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\dA-Za-z ,:-]{0,40}$/)), (text) => {
        const ms = asked(text);
        if (ms === null) return;
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(2 ** 31 * 1_000);
      }),
    );
  });

  test("any moment survives the way through an HTTP date", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seconds) => {
        const text = new Date(nowMs + seconds * 1_000).toUTCString();
        expect(asked(text)).toBe(seconds * 1_000);
      }),
    );
  });
});

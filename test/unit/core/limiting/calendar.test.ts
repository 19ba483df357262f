import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { calendarWindow } from "../../../../src/core/limiting/calendar.ts";
import type { CalendarUnit } from "../../../../src/core/limiting/types.ts";

const iso = (ms: number) => new Date(ms).toISOString().slice(0, 19);
const windowAt = (unit: CalendarUnit, timeZone: string, text: string) => {
  const { startMs, endMs } = calendarWindow(unit, timeZone, Date.parse(`${text}Z`));
  return [iso(startMs), iso(endMs)];
};

describe("calendarWindow", () => {
  test.each<[CalendarUnit, string, string, string, string]>([
    ["minute", "UTC", "2026-02-28T23:59:30", "2026-02-28T23:59:00", "2026-03-01T00:00:00"],
    ["hour", "UTC", "2026-02-28T23:59:30", "2026-02-28T23:00:00", "2026-03-01T00:00:00"],
    ["day", "UTC", "2026-02-28T23:59:30", "2026-02-28T00:00:00", "2026-03-01T00:00:00"],
    ["month", "UTC", "2026-02-28T23:59:30", "2026-02-01T00:00:00", "2026-03-01T00:00:00"],
    ["month", "UTC", "2024-02-29T12:00:00", "2024-02-01T00:00:00", "2024-03-01T00:00:00"],
    ["month", "UTC", "2026-12-31T23:59:59", "2026-12-01T00:00:00", "2027-01-01T00:00:00"],
    ["month", "UTC", "2027-01-01T00:00:00", "2027-01-01T00:00:00", "2027-02-01T00:00:00"],
    // Summer time: begins on 29 March, ends on 25 October 2026 in Oslo.
    ["day", "Europe/Oslo", "2026-03-29T12:00:00", "2026-03-28T23:00:00", "2026-03-29T22:00:00"],
    ["day", "Europe/Oslo", "2026-10-25T12:00:00", "2026-10-24T22:00:00", "2026-10-25T23:00:00"],
    ["day", "Europe/Oslo", "2026-10-24T22:00:00", "2026-10-24T22:00:00", "2026-10-25T23:00:00"],
    ["day", "Europe/Oslo", "2026-10-24T21:59:59", "2026-10-23T22:00:00", "2026-10-24T22:00:00"],
    ["month", "Europe/Oslo", "2026-10-15T00:00:00", "2026-09-30T22:00:00", "2026-10-31T23:00:00"],
    ["month", "America/New_York", "2026-03-01T04:59:59", "2026-02-01T05:00:00", "2026-03-01T05:00:00"],
    // The hour that the clock shows twice is two windows; the hour that it skips is none.
    ["hour", "Europe/Oslo", "2026-10-25T00:30:00", "2026-10-25T00:00:00", "2026-10-25T01:00:00"],
    ["hour", "Europe/Oslo", "2026-10-25T01:30:00", "2026-10-25T01:00:00", "2026-10-25T02:00:00"],
    // Quarter-hour offsets.
    ["hour", "Asia/Kathmandu", "2026-05-05T10:20:00", "2026-05-05T10:15:00", "2026-05-05T11:15:00"],
    ["minute", "Asia/Kathmandu", "2026-05-05T10:20:30", "2026-05-05T10:20:00", "2026-05-05T10:21:00"],
    // Midnight skipped: the day begins at 01:00 local (Sao Paulo, 4 November 2018; Cairo, 24 April 2026).
    ["day", "America/Sao_Paulo", "2018-11-04T03:00:00", "2018-11-04T03:00:00", "2018-11-05T02:00:00"],
    ["day", "America/Sao_Paulo", "2018-11-04T02:59:59", "2018-11-03T03:00:00", "2018-11-04T03:00:00"],
    // Set back from midnight to 23:00: the day is 25 hours long and ends at the second midnight.
    ["day", "America/Sao_Paulo", "2018-02-18T02:30:00", "2018-02-17T02:00:00", "2018-02-18T03:00:00"],
    // Set back just after midnight (00:01 -> 23:01): the day that has begun goes on.
    ["day", "America/St_Johns", "2010-11-07T02:30:30", "2010-11-07T02:30:00", "2010-11-08T03:30:00"],
    ["day", "America/St_Johns", "2010-11-07T03:00:00", "2010-11-07T02:30:00", "2010-11-08T03:30:00"],
    // A day that was skipped altogether (Samoa crossed the date line).
    ["day", "Pacific/Apia", "2011-12-30T09:59:59", "2011-12-29T10:00:00", "2011-12-30T10:00:00"],
    ["day", "Pacific/Apia", "2011-12-30T10:00:00", "2011-12-30T10:00:00", "2011-12-31T10:00:00"],
  ])("%s in %s at %s", (unit, timeZone, text, start, end) => {
    expect(windowAt(unit, timeZone, text)).toEqual([start, end]);
  });

  test("windows follow one another without a gap, each moment in its own", () => {
    const zones = ["UTC", "Europe/Oslo", "America/New_York", "Asia/Kathmandu", "America/Sao_Paulo", "Africa/Cairo"];
    const units: CalendarUnit[] = ["minute", "hour", "day", "month"];
    const from = Date.UTC(2000, 0);
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...units),
        fc.integer({ min: from, max: Date.UTC(2040, 0) }),
        (timeZone, unit, nowMs) => {
          const { startMs, endMs } = calendarWindow(unit, timeZone, nowMs);
          expect(startMs).toBeLessThanOrEqual(nowMs);
          expect(endMs).toBeGreaterThan(nowMs);
          expect(calendarWindow(unit, timeZone, endMs).startMs).toBe(endMs);
          expect(calendarWindow(unit, timeZone, endMs - 1)).toEqual({ startMs, endMs });
        },
      ),
      { numRuns: 300 },
    );
  });

  test("months of UTC are those of the Gregorian calendar, over its whole cycle of 400 years", () => {
    for (let month = 0; month < 12 * 801; month++) {
      const [startMs, endMs] = [Date.UTC(1900, month), Date.UTC(1900, month + 1)];
      for (const nowMs of [startMs, startMs + 2 * 86_400_000, endMs - 1]) {
        if (calendarWindow("month", "UTC", nowMs).endMs !== endMs) expect.unreachable(iso(nowMs));
        if (calendarWindow("month", "UTC", nowMs).startMs !== startMs) expect.unreachable(iso(nowMs));
      }
    }
  });

  test("asks the platform, which is slow, for a few moments at most, and not at all for UTC", () => {
    const platform = Intl.DateTimeFormat.prototype;
    const { formatToParts } = platform;
    let asked = 0;
    platform.formatToParts = function (moment) {
      asked++;
      return formatToParts.call(this, moment);
    };
    try {
      calendarWindow("month", "UTC", Date.UTC(2026, 5, 15));
      expect(asked).toBe(0);
      calendarWindow("day", "Europe/Oslo", Date.UTC(2026, 5, 15));
      expect(asked).toBeLessThanOrEqual(7);
    } finally {
      platform.formatToParts = formatToParts;
    }
  });

  test("an unknown zone is a RangeError", () => {
    expect(() => calendarWindow("day", "Mars/Olympus", 0)).toThrow(RangeError);
  });

  test("a meter asks for its bounds once a window", async () => {
    const { fixedWindow } = await import("../../../../src/core/limiting/fixed.ts");
    let asked = 0;
    const meter = fixedWindow(10, (nowMs) => {
      asked++;
      return calendarWindow("hour", "Europe/Oslo", nowMs);
    });
    let state = meter.empty(0);
    for (let nowMs = 0; nowMs < 3_600_000; nowMs += 60_000) {
      state = meter.charge(meter.expire(state, nowMs), { amount: 1, fromMs: nowMs, untilMs: nowMs });
    }
    expect(asked).toBe(1);
    meter.expire(state, 3_600_000);
    expect(asked).toBe(2);
  });
});

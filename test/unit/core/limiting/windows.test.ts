import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { meterOf, shapeOf } from "../../../../src/core/limiting/meters.ts";
import type { Hold, WindowSpec } from "../../../../src/core/limiting/types.ts";
import { type Admission, breaches } from "./oracle.ts";

const sliding: WindowSpec = { kind: "sliding-window", limit: 10, windowMs: 10_000 };
const fixed: WindowSpec = { kind: "fixed-window", limit: 10, windowMs: 10_000 };
const month: WindowSpec = { kind: "calendar-window", limit: 10, unit: "month", timeZone: "UTC" };

const at = (ms: number, amount: number, ttlMs = 0): Hold => ({ amount, fromMs: ms, untilMs: ms + ttlMs });

describe("a sliding window", () => {
  const meter = meterOf(sliding);

  test("charges a lease from its grant until a window after its end", () => {
    const state = meter.charge(meter.empty(0), at(0, 4, 1_000));
    expect(meter.charged(meter.expire(state, 10_999))).toBe(4);
    expect(meter.charged(meter.expire(state, 11_000))).toBe(0);
    expect(meter.emptyAtMs(state)).toBe(11_000);
  });

  test("settled, credits what was not spent, and counts the rest from then", () => {
    const hold = at(0, 4, 5_000);
    const state = meter.settle(meter.charge(meter.empty(0), hold), hold, 1, 1_000);
    expect(meter.charged(state)).toBe(1);
    // A window and the guard after the report, up to a slice of 50 ms later.
    expect(meter.charged(meter.expire(state, 11_049))).toBe(1);
    expect(meter.charged(meter.expire(state, 11_050))).toBe(0);
  });

  test("settled long after, changes nothing", () => {
    const hold = at(0, 4, 1_000);
    const state = meter.expire(meter.charge(meter.empty(0), hold), 12_000);
    expect(meter.settle(state, hold, 0, 12_000)).toEqual([]);
  });

  test("settled in the moment in which it stops to count, changes nothing", () => {
    const hold = at(0, 4, 1_000);
    const state = meter.expire(meter.charge(meter.empty(0), hold), 11_000);
    expect(meter.settle(state, hold, 0, 11_000)).toEqual([]);
  });

  test("is as new when all is given back", () => {
    const hold = at(0, 4, 1_000);
    const state = meter.settle(meter.charge(meter.empty(0), hold), hold, 0, 500);
    expect([meter.charged(state), meter.resetMs(state, 500), meter.emptyAtMs(state)]).toEqual([0, 0, 0]);
  });

  test("waits for the first slices that free enough", () => {
    let state = meter.empty(0);
    for (const ms of [0, 100, 200]) state = meter.charge(state, at(ms, 3));
    expect([1, 2, 4, 7, 10].map((need) => meter.waitMs(state, need, 200, 0))).toEqual([0, 9_800, 9_800, 9_900, 10_000]);
    expect(meter.waitMs(state, 11, 200, 0), "never").toBe(10_000);
    expect(meter.resetMs(state, 200)).toBe(9_800);
    expect(meter.resetMs(meter.empty(0), 0)).toBe(0);
  });

  test("keeps no more slices than its log has, whatever comes", () => {
    let state = meter.empty(0);
    for (let ms = 0; ms < 60_000; ms += 3) state = meter.charge(meter.expire(state, ms), at(ms, 1, ms % 500));
    expect((state as unknown[]).length).toBeLessThanOrEqual(212);
  });
});

describe("a fixed window", () => {
  const meter = meterOf(fixed);

  test("charges the window it is in, and is empty in the next", () => {
    const state = meter.charge(meter.empty(3_000), at(3_000, 4, 7_000));
    expect(meter.charged(meter.expire(state, 9_999))).toBe(4);
    expect(meter.charged(meter.expire(state, 10_000))).toBe(0);
    expect(meter.emptyAtMs(state)).toBe(10_000);
    expect(meter.emptyAtMs(meter.empty(0))).toBe(0);
  });

  test("charges a lease across its end to both windows", () => {
    const hold = at(9_900, 4, 200);
    const state = meter.charge(meter.empty(9_900), hold);
    expect(meter.charged(meter.expire(state, 10_000))).toBe(4);
    expect(meter.emptyAtMs(state)).toBe(20_000);
    expect(meter.charged(meter.expire(state, 20_000))).toBe(0);
    const before = meter.settle(state, hold, 1, 9_950);
    expect([meter.charged(before), meter.charged(meter.expire(before, 10_000))]).toEqual([1, 0]);
    const after = meter.settle(meter.expire(state, 10_010), hold, 1, 10_010);
    expect(meter.charged(after)).toBe(1);
  });

  test("credits exactly inside the window, and nothing after it", () => {
    const hold = at(0, 6, 10_000);
    const state = meter.charge(meter.empty(0), hold);
    expect(meter.charged(meter.settle(state, hold, 2, 500))).toBe(2);
    const later = meter.charge(meter.expire(state, 10_000), at(10_000, 3));
    expect(meter.settle(later, hold, 0, 10_000)).toBe(later);
  });

  test("grants across the end only what both windows hold, and says how long to wait", () => {
    const crossing = meter.charge(meter.empty(9_800), at(9_800, 8, 400));
    expect([meter.free(crossing, 9_800, 0), meter.free(crossing, 9_800, 400)]).toEqual([2, 2]);
    const next = meter.settle(crossing, at(5_000, 8), 0, 9_800);
    expect([meter.free(next, 9_800, 0), meter.free(next, 9_800, 400)], "the next window is fuller").toEqual([10, 2]);
    expect(meter.waitMs(next, 3, 9_800, 0)).toBe(0);
    expect(meter.waitMs(next, 3, 9_800, 400), "until the next but one").toBe(10_200);
    expect(meter.waitMs(crossing, 3, 9_800, 0)).toBe(10_200);
    expect(meter.waitMs(crossing, 2, 9_800, 400)).toBe(0);
    expect(meter.resetMs(crossing, 9_800)).toBe(200);
    expect([meter.free(next, 9_800, 200), meter.waitMs(next, 3, 9_800, 200)], "to the very end").toEqual([10, 0]);
    const full = meter.charge(crossing, at(9_800, 2));
    expect(meter.waitMs(full, 2, 9_800, 0), "the next window holds just that").toBe(200);
  });

  test("gives back what was spent at once in its first moment, and what was to last beyond its end", () => {
    const spent = at(10_000, 4);
    const state = meter.charge(meter.empty(10_000), spent);
    expect(meter.charged(meter.settle(state, spent, 0, 10_000))).toBe(0);
    const crossing = at(10_000, 4, 10_250);
    expect(meter.settle(meter.charge(meter.empty(10_000), crossing), crossing, 0, 10_500)).toEqual(meter.empty(10_000));
  });

  test("that was charged the end of a longer lease gives nothing back to the next, where it is not charged", () => {
    const hold = at(9_000, 4, 16_000);
    const second = meter.expire(meter.charge(meter.empty(9_000), hold), 10_500);
    const third = meter.expire(meter.settle(second, hold, 4, 11_000), 20_000);
    expect([meter.charged(second), meter.charged(third)]).toEqual([4, 0]);
  });

  test("cut short by its zone's clock is over: what was leased in it is not given back to the next", () => {
    // Lord Howe goes back by half an hour: at 15:00Z it is 1:30 again, in an hour that began at 14:30Z.
    const hours = meterOf({ kind: "calendar-window", limit: 10, unit: "hour", timeZone: "Australia/Lord_Howe" });
    const [leaseMs, nextMs] = ["14:40", "15:00"].map((time) => Date.parse(`2026-04-04T${time}Z`)) as [number, number];
    const hold = at(leaseMs, 4, 60_000);
    const next = hours.expire(hours.charge(hours.empty(leaseMs), hold), nextMs);
    expect(hours.charged(hours.settle(next, hold, 0, nextMs))).toBe(0);
  });

  test("skips windows in which nothing happened", () => {
    const state = meter.expire(meter.charge(meter.empty(9_900), at(9_900, 4, 200)), 35_000);
    expect(state).toEqual({ startMs: 30_000, endMs: 40_000, charged: 0, next: 0 });
  });
});

test("windows of one shape share their state, others do not", () => {
  expect(shapeOf(sliding)).toBe(shapeOf({ ...sliding, limit: 99 }));
  expect(shapeOf({ kind: "token-bucket", rate: 1, burst: 1 })).toBe(
    shapeOf({ kind: "leaky-bucket", rate: 2, burst: 9, maxDelayMs: 7 }),
  );
  const shapes = [sliding, { ...sliding, windowMs: 1 }, fixed, month, { ...month, timeZone: "Asia/Tokyo" }].map(
    (spec) => shapeOf(spec as WindowSpec),
  );
  expect(new Set(shapes).size).toBe(5);
});

// Every spend of a lease is somewhere between its grant and its end, and the meter does not know where.
describe("leases spent at the worst moments keep the promise", () => {
  const step = fc.record({
    gapMs: fc.integer({ min: 0, max: 1_500 }),
    need: fc.integer({ min: 1, max: 6 }),
    ttlMs: fc.constantFrom(0, 250, 1_000, 2_000),
    spend: fc.double({ min: 0, max: 1, noNaN: true }),
    when: fc.double({ min: 0, max: 1, noNaN: true }),
    settle: fc.boolean(),
  });
  const specs: readonly WindowSpec[] = [
    sliding,
    fixed,
    { kind: "token-bucket", rate: 2, burst: 12 },
    { kind: "leaky-bucket", rate: 1.3, burst: 9, maxDelayMs: 0 },
    { kind: "calendar-window", limit: 10, unit: "minute", timeZone: "Asia/Kathmandu" },
  ];

  test.each(specs)("$kind", (spec) => {
    const meter = meterOf(spec);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const log: Admission[] = [];
        let open: { hold: Hold; used: number; lastMs: number; settle: boolean }[] = [];
        let nowMs = 1_000_003;
        let state = meter.empty(nowMs);
        for (const { gapMs, need, ttlMs, spend, when, settle } of steps) {
          nowMs += gapMs;
          state = meter.expire(state, nowMs);
          for (const lease of open.filter((one) => one.settle && one.lastMs <= nowMs)) {
            state = meter.settle(state, lease.hold, lease.used, nowMs);
          }
          open = open.filter((one) => !(one.settle && one.lastMs <= nowMs));
          if (meter.free(state, nowMs, ttlMs) < need) continue;
          const hold = at(nowMs, need, ttlMs);
          state = meter.charge(state, hold);
          const used = Math.round(spend * need);
          const lastMs = ttlMs === 0 ? nowMs : Math.min(hold.untilMs - 1, nowMs + Math.floor(when * ttlMs));
          if (used > 0) log.push({ atMs: lastMs, cost: used });
          open.push({ hold, used, lastMs, settle });
        }
        expect(breaches(spec, log)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

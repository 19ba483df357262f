import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BucketState, bucket } from "../../../../src/core/limiting/bucket.ts";
import type { Meter } from "../../../../src/core/limiting/types.ts";
import { breaches } from "./oracle.ts";

/** Takes `cost` at once if it is free, as the object does for an exact query. */
function hit(meter: Meter<BucketState>, state: BucketState, cost: number, nowMs: number) {
  const now = meter.expire(state, nowMs);
  const isAdmitted = meter.free(now, nowMs, 0) >= cost;
  const after = isAdmitted ? meter.charge(now, { amount: cost, fromMs: nowMs, untilMs: nowMs }) : now;
  return { isAdmitted, state: after, waitMs: isAdmitted ? -1 : meter.waitMs(now, cost, nowMs, 0) };
}

describe("agrees with redis-cell", () => {
  // redis-cell 0.3, src/cell/mod.rs `it_rate_limits`: max_burst 4 (so at most 5), 1 a second. Row 0 asks for more than the
  // bucket holds: redis-cell says -1 for its wait, here `costMax` refuses such a request before it gets to a meter.
  // Row 12, a volume of 0, only reads: so does `free`.
  const rows: readonly [
    row: number,
    atMs: number,
    volume: number,
    remaining: number,
    resetMs: number,
    retryMs: number,
  ][] = [
    [1, 0, 1, 4, 1_000, -1],
    [2, 0, 1, 3, 2_000, -1],
    [3, 0, 1, 2, 3_000, -1],
    [4, 0, 1, 1, 4_000, -1],
    [5, 0, 1, 0, 5_000, -1],
    [6, 0, 1, 0, 5_000, 1_000],
    [7, 3_000, 1, 2, 3_000, -1],
    [8, 3_100, 1, 1, 3_900, -1],
    [9, 4_000, 1, 1, 4_000, -1],
    [10, 8_000, 1, 4, 1_000, -1],
    [11, 9_500, 1, 4, 1_000, -1],
    [12, 9_500, 0, 4, 1_000, -1],
    [13, 9_500, 2, 2, 3_000, -1],
    [14, 9_500, 5, 2, 3_000, 3_000],
  ];

  test("row by row", () => {
    const meter = bucket({ rate: 1, burst: 5, maxDelayMs: 0 });
    let state = meter.empty(0);
    const seen = rows.map(([row, atMs, volume]) => {
      const result = hit(meter, state, volume, atMs);
      state = result.state;
      return [row, atMs, volume, meter.free(state, atMs, 0), meter.emptyAtMs(state) - atMs, result.waitMs];
    });
    expect(seen).toEqual(rows);
  });
});

describe("agrees with the textbook GCRA", () => {
  // GCRA(T, tau) of ITU-T I.371 is a bucket of rate 1/T and burst 1 + tau/T. Virtual scheduling by hand, T = 10 ms.
  test.each([
    { tauMs: 0, arrivals: [0, 10, 19, 20, 30], conforming: [true, true, false, true, true] },
    { tauMs: 5, arrivals: [0, 5, 15, 25, 34, 45, 55], conforming: [true, true, true, true, false, true, true] },
    {
      tauMs: 20,
      arrivals: [0, 0, 0, 0, 9, 10, 10, 21],
      conforming: [true, true, true, false, false, true, false, true],
    },
    { tauMs: 15, arrivals: [0, 1, 2, 12, 100, 101, 102], conforming: [true, true, false, true, true, true, false] },
  ])("tau $tauMs", ({ tauMs, arrivals, conforming }) => {
    const meter = bucket({ rate: 100, burst: 1 + tauMs / 10, maxDelayMs: 0 });
    let state = meter.empty(0);
    const seen = arrivals.map((atMs) => {
      const result = hit(meter, state, 1, atMs);
      state = result.state;
      return result.isAdmitted;
    });
    expect(seen).toEqual(conforming);
  });

  test("virtual scheduling, at random", () => {
    const arrival = fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 4 }));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 4, max: 30 }),
        fc.array(arrival),
        (spacingMs, burst, arrivals) => {
          const meter = bucket({ rate: 1_000 / spacingMs, burst, maxDelayMs: 0 });
          let state = meter.empty(0);
          let dueMs = 0;
          let nowMs = 0;
          for (const [gapMs, cost] of arrivals) {
            nowMs += gapMs;
            const nextMs = Math.max(dueMs, nowMs) + cost * spacingMs;
            const conforms = nextMs - nowMs <= burst * spacingMs;
            const result = hit(meter, state, cost, nowMs);
            expect(result.isAdmitted).toBe(conforms);
            if (conforms) dueMs = nextMs;
            else expect(result.waitMs).toBe(nextMs - nowMs - burst * spacingMs);
            state = result.state;
          }
        },
      ),
    );
  });
});

describe("a queue", () => {
  test("answers when: each permit a spacing after the one before, up to the longest delay", () => {
    const meter = bucket({ rate: 10, burst: 1, maxDelayMs: 250 });
    let state = meter.empty(0);
    const delays: number[] = [];
    while (meter.free(state, 0, 0) >= 1 && delays.length < 10) {
      delays.push(meter.delayMs(state, 1));
      state = meter.charge(state, { amount: 1, fromMs: 0, untilMs: 0 });
    }
    expect(delays).toEqual([0, 100, 200]);
    expect(meter.waitMs(state, 1, 0, 0)).toBe(50);
  });

  test("does not give back a place: those behind keep their moments", () => {
    const meter = bucket({ rate: 10, burst: 1, maxDelayMs: 250 });
    const hold = { amount: 1, fromMs: 0, untilMs: 0 };
    const state = meter.charge(meter.empty(0), hold);
    expect(meter.settle(state, hold, 0, 0)).toBe(state);
    // A lease from before the window was a queue.
    const lease = { amount: 1, fromMs: 100, untilMs: 500 };
    const leased = meter.charge(meter.empty(0), lease);
    expect(meter.settle(leased, lease, 0, 200)).toBe(leased);
  });

  test("has no place for leases, which could be spent before their turn", () => {
    const meter = bucket({ rate: 10, burst: 20, maxDelayMs: 1_000 });
    expect([0, 500].map((ttlMs) => meter.free(meter.empty(0), 0, ttlMs))).toEqual([30, 15]);
    const full = meter.charge(meter.empty(0), { amount: 30, fromMs: 0, untilMs: 0 });
    expect([0, 500].map((ttlMs) => meter.waitMs(full, 5, 0, ttlMs))).toEqual([500, 1_500]);
  });

  test("admissions at their moments keep the envelope", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 120 })), fc.constantFrom(0, 30, 500), (gaps, maxDelayMs) => {
        const meter = bucket({ rate: 20, burst: 3, maxDelayMs });
        let state = meter.empty(0);
        let nowMs = 0;
        const log = gaps.flatMap((gapMs) => {
          nowMs += gapMs;
          state = meter.expire(state, nowMs);
          const delayMs = meter.delayMs(state, 1);
          const result = hit(meter, state, 1, nowMs);
          state = result.state;
          // Permits are counted to a millionth, which takes 0.05 µs here.
          if (result.isAdmitted) expect(delayMs).toBeLessThanOrEqual(maxDelayMs + 0.0001);
          return result.isAdmitted ? [{ atMs: nowMs + delayMs, cost: 1 }] : [];
        });
        expect(breaches({ kind: "leaky-bucket", rate: 20, burst: 3, maxDelayMs }, log)).toEqual([]);
      }),
    );
  });
});

describe("a leased token bucket", () => {
  const meter = bucket({ rate: 10, burst: 100, maxDelayMs: 0 });
  const lease = { amount: 40, fromMs: 1_000, untilMs: 2_000 };
  const start = () => meter.charge(meter.expire(meter.empty(0), 1_000), lease);

  test("runs with burst - rate * ttl while a lease is out, and with the burst after", () => {
    expect(meter.free(meter.empty(0), 0, 0)).toBe(100);
    expect(meter.free(meter.empty(0), 0, 1_000)).toBe(90);
    expect(meter.free(start(), 1_000, 0)).toBe(50);
    expect(meter.free(meter.expire(start(), 1_999), 1_999, 0)).toBe(59);
    const long = meter.charge(meter.expire(meter.empty(0), 1_000), {
      amount: 1,
      fromMs: 1_000,
      untilMs: 11_000 - 5_000,
    });
    expect(meter.free(meter.expire(long, 5_000), 5_000, 0), "never above burst - rate * ttl").toBe(50);
    expect(meter.free(meter.expire(long, 7_000), 7_000, 0), "refills on from there").toBe(60);
  });

  test("credits what was not spent while the bucket was far from full", () => {
    const drained = meter.charge(meter.empty(0), { amount: 60, fromMs: 0, untilMs: 0 });
    const state = meter.expire(meter.charge(meter.expire(drained, 1_000), { ...lease, amount: 20 }), 1_500);
    // 60 - 10 refilled + 20 leased - 5 refilled.
    expect(meter.charged(state)).toBe(65);
    expect(meter.charged(meter.settle(state, { ...lease, amount: 20 }, 5, 1_500))).toBe(50);
  });

  test("does not credit what would have been refilled without the lease", () => {
    // Full before the lease: of the 40 not spent, 5 refilled since would have run over.
    const state = meter.expire(start(), 1_500);
    expect(meter.charged(state)).toBe(45);
    expect(meter.charged(meter.settle(state, lease, 0, 1_500))).toBe(10);
    expect(meter.charged(meter.settle(state, lease, 5, 1_500)), "all 5 may have been spent just now").toBe(15);
    const drained = meter.charge(meter.empty(0), { amount: 25, fromMs: 0, untilMs: 0 });
    const half = { ...lease, amount: 20 };
    const filled = meter.expire(meter.charge(meter.expire(drained, 1_000), half), 1_500);
    expect(meter.charged(meter.settle(filled, half, 5, 1_500)), "full in this very moment").toBe(30 - (15 - 5));
  });

  test("credits nothing of a lease from before all leases ended, or before a longer one", () => {
    for (const ms of [2_000, 2_500]) {
      const ended = meter.expire(start(), ms);
      expect(meter.settle(ended, lease, 0, ms)).toBe(ended);
    }
    for (const fromMs of [1_000, 1_001]) {
      const longer = meter.charge(start(), { amount: 1, fromMs, untilMs: fromMs + 3_000 });
      expect(meter.settle(longer, lease, 0, 1_002)).toBe(longer);
    }
  });

  test("credits each of several leases of one length by itself", () => {
    // 10 before; full until 1,100: of what is unused then only the last moment's refill ran over.
    const one = { ...lease, amount: 30 };
    const drained = meter.charge(meter.empty(0), { amount: 20, fromMs: 0, untilMs: 0 });
    const both = meter.charge(meter.charge(meter.expire(drained, 1_000), one), one);
    expect(meter.charged(both)).toBe(70);
    const first = meter.settle(meter.expire(both, 1_100), one, 30, 1_100);
    expect(meter.charged(first)).toBe(69);
    expect(meter.charged(meter.settle(meter.expire(first, 1_900), one, 10, 1_900))).toBe(69 - 8 - (20 - 1));
  });

  test("counts what is spent at once as spent, whatever is reported of it", () => {
    const spent = { amount: 30, fromMs: 1_000, untilMs: 1_000 };
    const small = { ...lease, amount: 20 };
    const state = meter.expire(meter.charge(meter.charge(meter.expire(meter.empty(0), 1_000), small), spent), 1_500);
    expect(meter.settle(state, spent, 0, 1_500)).toBe(state);
    // Not full at any moment since: nothing that is not spent of the lease would have been refilled without it.
    expect(meter.charged(state) - meter.charged(meter.settle(state, small, 5, 1_500))).toBe(15);
  });

  test("says how long a request waits that needs more than leases leave", () => {
    // 95 need a debt of 5 at most, but leases hold it at 10 until 2,000: then half a second more.
    expect(meter.waitMs(meter.expire(start(), 1_900), 95, 1_900, 0)).toBe(100 + 3_500);
    const idle = meter.charge(meter.expire(meter.empty(0), 1_000), { ...lease, amount: 0 });
    expect(meter.waitMs(idle, 95, 1_000, 0)).toBe(1_000 + 500);
    expect(meter.emptyAtMs(idle)).toBe(2_000 + 1_000);
    expect(meter.emptyAtMs(meter.expire(meter.empty(0), 1_000))).toBe(0);
  });

  test("does not let a request wait for leases that leave enough but for the tolerance", () => {
    const odd = bucket({ rate: 8.000004, burst: 100, maxDelayMs: 0 });
    const state = odd.charge(odd.expire(odd.empty(0), 1_000), { amount: 1, fromMs: 1_000, untilMs: 1_250 });
    expect(odd.waitMs(state, 98, 1_000, 0)).toBe(125);
  });

  test("lets a request wait only for its permits when leases leave enough", () => {
    expect(meter.waitMs(start(), 55, 1_000, 0)).toBe(500);
    const few = meter.charge(meter.expire(meter.empty(0), 1_000), { ...lease, amount: 4 });
    expect(meter.waitMs(few, 90, 1_000, 0), "all that leases leave").toBe(400);
    // A limit was lowered, and the isolate does not know yet.
    expect(meter.waitMs(meter.expire(start(), 2_000), 101, 2_000, 0), "until it is full").toBe(4_000);
  });

  test("is empty from the first moment at which nothing is charged, whatever the time is", () => {
    const cost = fc.integer({ min: 1, max: 1_000 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), cost, fc.nat(3_000), cost, (rate, first, gapMs, second) => {
        const any = bucket({ rate: rate / 10, burst: 1_000, maxDelayMs: 0 });
        const nowMs = 1_800_000_000_000 + gapMs;
        const before = any.charge(any.empty(nowMs - gapMs), { amount: first, fromMs: 0, untilMs: 0 });
        const state = any.charge(any.expire(before, nowMs), { amount: second, fromMs: nowMs, untilMs: nowMs });
        const emptyMs = any.emptyAtMs(state);
        const chargedAt = (ms: number) => any.charged(any.expire(state, ms));
        expect(chargedAt(emptyMs)).toBeLessThan(2e-6);
        expect(chargedAt(emptyMs - 1)).toBeGreaterThan(1e-6);
      }),
      { seed: 5 },
    );
  });

  test("tells when the next permit is there", () => {
    expect(meter.resetMs(meter.empty(0), 0)).toBe(0);
    expect(meter.resetMs(meter.charge(meter.empty(0), { amount: 3, fromMs: 0, untilMs: 0 }), 0)).toBe(100);
    const part = meter.expire(meter.charge(meter.empty(0), { amount: 3, fromMs: 0, untilMs: 0 }), 70);
    expect(meter.resetMs(part, 70)).toBe(30);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { jitterMs, pauseMs } from "../../../../src/core/retrying/backoff.ts";
import { seededRandom } from "../balancing/random.ts";
import { policy } from "./support.ts";

const lowest = () => 0;
const highest = () => 1 - 2 ** -53;
const shapes = fc.record({
  backoffMs: fc.integer({ min: 0, max: 10_000 }),
  maxBackoffMs: fc.integer({ min: 0, max: 60_000 }),
  n: fc.integer({ min: 0, max: 1_000 }),
});

describe("jitterMs", () => {
  test.each([
    [0, 25],
    [1, 50],
    [2, 100],
    [3, 200],
    [4, 250],
    [900, 250],
  ])("retry %d waits in [0, %d ms)", (n, endMs) => {
    expect(jitterMs(policy(), n, lowest)).toBe(0);
    expect(jitterMs(policy(), n, () => 0.5)).toBe(endMs / 2);
    expect(jitterMs(policy(), n, highest)).toBeCloseTo(endMs, 9);
  });

  test("is uniform: each tenth of the range gets its tenth of 20,000 draws, within 4 sigma", () => {
    const random = seededRandom(8);
    const counts = Array(10).fill(0);
    for (let draw = 0; draw < 20_000; draw++) counts[Math.floor(jitterMs(policy(), 2, random) / 10)]++;
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThanOrEqual(4 * Math.sqrt(20_000 * 0.09));
  });

  test("is a number in [0, maxBackoffMs] whatever the policy", () => {
    fc.assert(
      fc.property(shapes, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), ({ n, ...shape }, draw) => {
        const ms = jitterMs(shape, n, () => draw);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(shape.maxBackoffMs);
      }),
    );
  });
});

describe("pauseMs", () => {
  const half = () => 0.5;

  test("is the jitter when the origin asks for nothing or less, else what it asks for", () => {
    expect(pauseMs(policy(), 2, null, null, half)).toBe(50);
    expect(pauseMs(policy(), 2, 0, null, half)).toBe(50);
    expect(pauseMs(policy(), 2, 49, null, half)).toBe(50);
    expect(pauseMs(policy(), 2, 2_000, null, half)).toBe(2_000);
  });

  test("there is no retry when the origin asks for more time than is left; the jitter may take all of it", () => {
    expect(pauseMs(policy(), 2, null, 50, half)).toBe(50);
    expect(pauseMs(policy(), 2, null, 1, half)).toBe(50);
    expect(pauseMs(policy(), 2, 2_000, 2_000, half)).toBe(2_000);
    expect(pauseMs(policy(), 2, 2_000, 1_999, half)).toBeNull();
  });

  test("nor when the origin wants to be left alone for longer than anybody waits, with all the time in the world", () => {
    expect(pauseMs(policy(), 0, bounds.retryAfterMsMax, null, half)).toBe(bounds.retryAfterMsMax);
    expect(pauseMs(policy(), 0, bounds.retryAfterMsMax + 1, null, half)).toBeNull();
  });

  test("is never shorter than the origin asks, which is no longer than what is left", () => {
    const askedMs = fc.option(fc.integer({ min: 0, max: 100_000 }));
    const remainingMs = fc.option(fc.integer({ min: 0, max: 100_000 }));
    fc.assert(
      fc.property(shapes, askedMs, remainingMs, fc.integer(), ({ n, ...shape }, asked, remaining, seed) => {
        const ms = pauseMs(shape, n, asked, remaining, seededRandom(seed));
        if (ms === null) return;
        expect(ms).toBeGreaterThanOrEqual(asked ?? 0);
        expect(asked ?? 0).toBeLessThanOrEqual(remaining ?? Number.POSITIVE_INFINITY);
        expect(ms).toBeLessThanOrEqual(Math.max(shape.maxBackoffMs, bounds.retryAfterMsMax));
      }),
    );
  });
});

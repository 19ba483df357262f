import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "../../../../src/core/balancing/limits.ts";
import { newLoadState } from "../../../../src/core/balancing/load.ts";
import { poolOf } from "../../../../src/core/balancing/pool.ts";
import {
  ageMsOf,
  isAnyYoung,
  noteOrigins,
  noteReturn,
  rampedPool,
  slowStartWeight,
} from "../../../../src/core/balancing/slow-start.ts";
import type { LoadState } from "../../../../src/core/balancing/types.ts";
import { seededRandom } from "./random.ts";
import { candidates, choose } from "./support.ts";

describe("slowStartWeight", () => {
  test.each([
    [0, 0.1],
    [5_000, 0.55],
    [9_999, 0.99991],
    [10_000, 1],
    [Number.POSITIVE_INFINITY, 1],
  ])("after %d of 10,000 ms the share is %d", (ageMs, share) => {
    expect(slowStartWeight(7, ageMs, 10_000)).toBeCloseTo(7 * share, 9);
  });

  test("0 is no slow start", () => {
    expect(slowStartWeight(7, 0, 0)).toBe(7);
  });

  test("never falls, and stays in [10 %, 100 %]", () => {
    const ages = fc.double({ min: 0, max: 2e6, noNaN: true });
    fc.assert(
      fc.property(ages, ages, fc.integer({ min: 1, max: 1_000_000 }), (a, b, slowStartMs) => {
        const younger = slowStartWeight(1, Math.min(a, b), slowStartMs);
        const older = slowStartWeight(1, Math.max(a, b), slowStartMs);
        expect(younger).toBeGreaterThanOrEqual(0.1);
        expect(older).toBeGreaterThanOrEqual(younger);
        expect(older).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("a pool with the weights of now", () => {
  const stepMs = 10_000 / limits.slowStartSteps;
  const other = newLoadState();
  test.each<[string, isKept: boolean, { ageMs?: number; slowStartMs?: number; state?: LoadState; isNewer?: boolean }]>([
    ["in the same moment", true, { ageMs: 0 }],
    ["until a step is over", true, { ageMs: stepMs - 1 }],
    ["when it is over", false, { ageMs: stepMs }],
    ["when the clock steps back", false, { ageMs: -1 }],
    ["with another length", false, { slowStartMs: 20_000 }],
    ["of another service", false, { state: other }],
    ["when another origin is new", false, { isNewer: true }],
  ])("is kept %s: %s", (_, isKept, { ageMs = 0, slowStartMs = 10_000, state = newLoadState(), isNewer = false }) => {
    const pool = poolOf(candidates([1, 1]));
    noteOrigins(other, new Set(["a"]), 1_000);
    const mine = state === other ? newLoadState() : state;
    for (const each of new Set([mine, other])) noteOrigins(each, new Set(["a"]), 1_000);
    const first = rampedPool(pool, mine, 10_000, 2_000);
    if (isNewer) noteReturn(mine, "a", 2_000);
    expect(rampedPool(pool, state, slowStartMs, 2_000 + ageMs) === first).toBe(isKept);
  });
});

describe("who is new", () => {
  test("nobody to an isolate that starts; later those that it did not know", () => {
    const state = newLoadState();
    noteOrigins(state, new Set(["a", "b"]), 1_000);
    expect(isAnyYoung(state, 60_000, 1_000)).toBe(false);
    noteOrigins(state, new Set(["a", "b", "c"]), 5_000);
    noteOrigins(state, new Set(["a", "b", "c"]), 8_000);
    expect([..."abc"].map((id) => ageMsOf(state, id, 9_000))).toEqual([Infinity, Infinity, 4_000]);
    expect(isAnyYoung(state, 60_000, 9_000)).toBe(true);
    expect(isAnyYoung(state, 60_000, 65_000)).toBe(false);
  });

  test("an origin that left and came back, and one that may be used again", () => {
    const state = newLoadState();
    noteOrigins(state, new Set(["a", "b"]), 0);
    noteOrigins(state, new Set(["a"]), 1_000);
    noteOrigins(state, new Set(["a", "b"]), 2_000);
    noteReturn(state, "a", 3_000);
    noteReturn(state, "x", 3_000);
    expect([..."abx"].map((id) => ageMsOf(state, id, 4_000))).toEqual([1_000, 2_000, Infinity]);
  });

  test("nobody when all were replaced at once: there is nobody to take their share", () => {
    const state = newLoadState();
    noteOrigins(state, new Set(["a", "b"]), 0);
    noteOrigins(state, new Set(["c", "d"]), 1_000);
    expect(isAnyYoung(state, 60_000, 1_000)).toBe(false);
  });

  test("a clock that steps back makes no negative age, nor a slow start where there is none", () => {
    const state = newLoadState();
    noteOrigins(state, new Set(["a"]), 0);
    noteOrigins(state, new Set(["a", "b"]), 9_000);
    expect(ageMsOf(state, "b", 5_000)).toBe(0);
    expect(isAnyYoung(state, 0, 5_000)).toBe(false);
    expect(choose("random", candidates([1, 1]), { state, nowMs: 5_000, random: () => 0.9 })?.id).toBe("b");
  });

  test("the share of a new origin rises from a tenth to all of it, in a straight line", () => {
    const state = newLoadState();
    const random = seededRandom(6);
    noteOrigins(state, new Set(["a"]), 0);
    noteOrigins(state, new Set(["a", "b"]), 1_000);
    const shares = [0, 25, 50, 75, 100].map((percent) => {
      const nowMs = 1_000 + percent * 100;
      const given = { state, random, nowMs, slowStartMs: 10_000 };
      let toB = 0;
      for (let request = 0; request < 20_000; request++) {
        if (choose("random", candidates([1, 1]), given)?.id === "b") toB++;
      }
      return toB / (20_000 - toB);
    });
    for (const [index, expected] of [0.1, 0.325, 0.55, 0.775, 1].entries()) {
      expect(Math.abs(shares[index]! - expected)).toBeLessThan(0.06);
    }
  });
});

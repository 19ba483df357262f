import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { bucketOf } from "../../../../src/core/traffic/hash.ts";
import { entryOf, splitThresholds } from "../../../../src/core/traffic/split.ts";

const buckets = Array.from({ length: bounds.splitBuckets }, (_, bucket) => bucket);
const entries = (weights: readonly number[]) => {
  const thresholds = splitThresholds(weights);
  return buckets.map((bucket) => entryOf(thresholds, bucket));
};
const weightList = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: bounds.weightMax })), {
    minLength: 1,
    maxLength: 16,
  })
  .filter((weights) => weights.some((weight) => weight > 0));

describe("splitThresholds", () => {
  test.each([
    [
      [95, 5],
      [9500, 10000],
    ],
    [[1], [10000]],
    [
      [1, 1, 1],
      [3333, 6667, 10000],
    ],
    [
      [0, 3, 0, 1, 0],
      [0, 7500, 7500, 10000, 10000],
    ],
    [
      [0.1, 0.2],
      [3333, 10000],
    ],
    [
      [999_999, 1],
      [10000, 10000],
    ],
  ])("%j", (weights, thresholds) => {
    expect(splitThresholds(weights)).toEqual(thresholds);
  });

  test("the intervals cover all buckets, in document order, each within one bucket of its share; weight 0 has none", () => {
    fc.assert(
      fc.property(weightList, (weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const found = entries(weights);
        expect(found.every((entry, bucket) => entry >= (found[bucket - 1] ?? 0))).toBe(true);
        const counts = weights.map(() => 0);
        for (const entry of found) counts[entry]!++;
        for (const [index, weight] of weights.entries()) {
          if (weight === 0) expect(counts[index]).toBe(0);
          expect(Math.abs(counts[index]! - (bounds.splitBuckets * weight) / total)).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** Buckets that had the entry before and have it no more. */
function lost(before: readonly number[], after: readonly number[], entry: number): number {
  const [was, is] = [entries(before), entries(after)];
  return buckets.filter((bucket) => was[bucket] === entry && is[bucket] !== entry).length;
}

describe("ramps", () => {
  test.each([0, 1])("growing entry %d of two over 5, 20, 50 and 100 % moves nobody off it", (entry) => {
    const weights = (percent: number) => (entry === 0 ? [percent, 100 - percent] : [100 - percent, percent]);
    const steps = [0, 5, 20, 50, 100];
    for (const [index, percent] of steps.slice(1).entries()) {
      expect(lost(weights(steps[index]!), weights(percent), entry)).toBe(0);
      expect(entries(weights(percent)).filter((found) => found === entry)).toHaveLength(percent * 100);
    }
  });

  test("growing one weight alone moves nobody off it, whatever stands beside it", () => {
    const growth = fc.tuple(weightList, fc.nat(), fc.integer({ min: 1, max: bounds.weightMax }));
    fc.assert(
      fc.property(growth, ([weights, pick, more]) => {
        const entry = pick % weights.length;
        expect(lost(weights, weights.with(entry, weights[entry]! + more), entry)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test("growing one weight at the cost of others moves nobody off it while the sum does not shrink", () => {
    const growth = fc.tuple(
      weightList,
      fc.nat(),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 16, maxLength: 16 }),
      fc.nat(100),
    );
    fc.assert(
      fc.property(growth, ([weights, pick, keep, more]) => {
        const entry = pick % weights.length;
        const after = weights.map((weight, index) => (index === entry ? weight : Math.floor(weight * keep[index]!)));
        const taken = weights.reduce((sum, weight, index) => sum + weight - after[index]!, 0);
        after[entry]! += taken + more;
        if (after[entry] === 0) return;
        expect(lost(weights, after, entry)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

test("sticky keys are spread over the entries by weight", () => {
  const weights = [50, 30, 15, 5];
  const thresholds = splitThresholds(weights);
  const keys = 10_000;
  for (const salt of ["users", "orders", ""]) {
    const counts = weights.map(() => 0);
    for (let user = 0; user < keys; user++) counts[entryOf(thresholds, bucketOf(salt, `user-${user}`))]!++;
    const chiSquare = counts.reduce((sum, count, index) => {
      const expected = (keys * weights[index]!) / 100;
      return sum + (count - expected) ** 2 / expected;
    }, 0);
    // 99.99 % of chi-square with three degrees of freedom.
    expect(chiSquare).toBeLessThan(21.1);
  }
});

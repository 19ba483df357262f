import { describe, expect, it } from "vitest";
import { median, movement, slope, spreadOf } from "../../../bench/measure/stats.ts";

describe("median", () => {
  it("is the middle value, whatever the order", () => {
    expect(median([5, 1, 100])).toBe(5);
  });

  it("of an even number of values is the mean of the two in the middle", () => {
    expect(median([4, 1, 2, 100])).toBe(3);
  });

  it("leaves its argument as it is, and refuses to have none", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
    expect(() => median([])).toThrow(RangeError);
  });
});

it("a spread has the smallest and the largest value", () => {
  expect(spreadOf([2, 9, 4])).toEqual({ median: 4, min: 2, max: 9 });
});

describe("movement", () => {
  it("is the difference as a share of the mean, whichever comes first", () => {
    expect(movement(90, 110)).toBeCloseTo(0.2);
    expect(movement(110, 90)).toBeCloseTo(0.2);
  });

  it("of equal values is 0, also of zeros", () => {
    expect(movement(7, 7)).toBe(0);
    expect(movement(0, 0)).toBe(0);
  });
});

describe("slope", () => {
  it("of a line is its rise", () => {
    expect(slope([0, 1, 2, 7].map((x) => [x, 5 - 3 * x] as const))).toBeCloseTo(-3);
  });

  it("of noise around a line is about its rise", () => {
    const noise = [0.3, -0.2, -0.4, 0.3];
    expect(slope(noise.map((by, x) => [x, 2 * x + by] as const))).toBeCloseTo(1.98, 1);
  });

  it("refuses points of one x", () => {
    expect(() => slope([[1, 2]])).toThrow(RangeError);
    expect(() => slope([[1, 2] as const, [1, 3] as const])).toThrow(RangeError);
  });
});

/** Statistics of few and noisy numbers: medians, what they lie between, and a straight line. */

/** Median with the smallest and the largest. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Middle value; of an even number of values the mean of the two in the middle. Throws a RangeError when there is none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Throws a RangeError when there is no value. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** By how much two values differ, as a share of their mean; 0 when both are 0. */
export function movement(a: number, b: number): number {
  return a === b ? 0 : Math.abs(a - b) / ((a + b) / 2);
}

/** Rise of y per unit of x by least squares. Throws a RangeError unless there are two points of different x. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const meanOf = (index: 0 | 1) => points.reduce((sum, point) => sum + point[index], 0) / points.length;
  const [meanX, meanY] = [meanOf(0), meanOf(1)];
  const variance = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (!(variance > 0)) throw new RangeError("a line needs two points");
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / variance;
}

/** Weights of a split -> intervals of its buckets. */
import { bounds } from "../../bounds.ts";

/**
 * Upper ends of the entries' intervals over [0, bounds.splitBuckets), in document order: entry i has the buckets from
 * threshold i-1 (0 for the first) up to, not including, threshold i. `weights` are >= 0 with a sum > 0; weight 0 has an
 * empty interval. An entry whose share is below half a bucket may get none: 1/10,000 is the grain of a weight.
 *
 * Growing one weight only widens that entry's interval as long as no other weight grows and the sum does not shrink
 * (percentages keep it): everybody who was in the interval stays in it.
 */
export function splitThresholds(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  return weights.map((weight) => {
    sum += weight;
    return Math.round((bounds.splitBuckets * sum) / total);
  });
}

/** Entry whose interval holds the bucket. */
export function entryOf(thresholds: readonly number[], bucket: number): number {
  return thresholds.findIndex((threshold) => bucket < threshold);
}

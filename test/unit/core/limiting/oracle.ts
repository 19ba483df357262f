/** Brute force: what was admitted, against what each kind of window promises. Knows nothing of how it is kept. */
import { calendarWindow } from "../../../../src/core/limiting/calendar.ts";
import type { WindowSpec } from "../../../../src/core/limiting/types.ts";

export interface Admission {
  readonly atMs: number;
  readonly cost: number;
}

const tolerance = 1e-5;

/** Breaches of the promise of `spec` in a log, in words; none: []. */
export function breaches(spec: WindowSpec, log: readonly Admission[]): string[] {
  const sorted = [...log].sort((a, b) => a.atMs - b.atMs);
  switch (spec.kind) {
    case "sliding-window":
      return slidingBreaches(sorted, spec.limit, spec.windowMs);
    case "fixed-window":
      return groupBreaches(sorted, spec.limit, (atMs) => Math.floor(atMs / spec.windowMs));
    case "calendar-window":
      return groupBreaches(sorted, spec.limit, (atMs) => calendarWindow(spec.unit, spec.timeZone, atMs).endMs);
    default:
      return bucketBreaches(sorted, spec.rate, spec.burst);
  }
}

/** At most `limit` in (t - W, t] for every admission's t; that is every interval of length W. */
function slidingBreaches(log: readonly Admission[], limit: number, windowMs: number): string[] {
  const found: string[] = [];
  let sum = 0;
  let first = 0;
  for (const { atMs, cost } of log) {
    sum += cost;
    while (log[first]!.atMs <= atMs - windowMs) sum -= log[first++]!.cost;
    if (sum > limit) found.push(`L1: ${sum} > ${limit} in the ${windowMs} ms to ${atMs}`);
  }
  return found;
}

function groupBreaches(log: readonly Admission[], limit: number, windowOf: (atMs: number) => number): string[] {
  const sums = new Map<number, number>();
  for (const { atMs, cost } of log) sums.set(windowOf(atMs), (sums.get(windowOf(atMs)) ?? 0) + cost);
  return [...sums].filter(([, sum]) => sum > limit).map(([name, sum]) => `L1: ${sum} > ${limit} in window ${name}`);
}

/**
 * At most burst + rate (t_j - t_i) for every i <= j: the largest excess over all i at each j is
 * max_i (sum(i..j) - rate (t_j - t_i)), which one running maximum gives.
 */
function bucketBreaches(log: readonly Admission[], rate: number, burst: number): string[] {
  const found: string[] = [];
  let worst = 0;
  let lastMs = 0;
  for (const { atMs, cost } of log) {
    worst = Math.max(0, worst - (rate * (atMs - lastMs)) / 1_000) + cost;
    lastMs = atMs;
    if (worst > burst + tolerance) found.push(`L1: ${worst} > burst ${burst} at ${atMs}`);
  }
  return found;
}

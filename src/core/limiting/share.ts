/**
 * What an isolate admits on its own account. `onUnavailable: share`: the object is away, each isolate goes on with its share
 * of the limit, from a bucket of its own (bound: `shareBound`). `approximate`: between two exchanges with the object each
 * spends its share of what was free (bound: `approximateBound`).
 */
import { limits } from "./limits.ts";
import { type Policy, quotaOf, windowMsOf } from "./policy.ts";
import type { Entry } from "./table.ts";

export interface Share {
  /** Permits a second. */
  readonly rate: number;
  readonly burst: number;
}

/** Bucket of one isolate of `isolates` (0: not known, `isolatesAssumed` are). A burst holds at least one permit. */
export function shareOf({ windows }: Policy, isolates: number): Share {
  const count = isolates || limits.isolatesAssumed;
  const perSecond = Math.min(...windows.map((spec) => (quotaOf(spec) * 1_000) / windowMsOf(spec)));
  const smallest = Math.min(...windows.map(quotaOf));
  return { rate: perSecond / count, burst: Math.max(1, Math.floor(smallest / (count * limits.shareBurstDivisor))) };
}

/**
 * The most that `actual` isolates admit together in `spanMs` without the object, each having been told of `known`, beside
 * what they have leased already. With actual = known: the limit's rate over the span, and a tenth of the smallest window
 * (or one permit for each isolate, if that is more).
 */
export function shareBound(policy: Policy, known: number, actual: number, spanMs: number): number {
  const { rate, burst } = shareOf(policy, known);
  return actual * Math.floor(burst + (rate * spanMs) / 1_000);
}

/** Takes `cost` permits and returns 0, or takes none and returns the time to wait for them in ms. */
export function takeShare(entry: Entry, policy: Policy, cost: number, nowMs: number): number {
  const { rate, burst } = shareOf(policy, entry.isolates);
  const elapsedMs = Math.max(0, nowMs - entry.shared.atMs);
  const debt = Math.max(0, entry.shared.debt - (rate * elapsedMs) / 1_000);
  entry.shared = { debt, atMs: nowMs };
  const excess = debt + cost - burst;
  // More than the whole burst is never there: said as the time it would take, so that somebody asks again.
  if (excess > 0) return Math.max(1, Math.ceil((excess * 1_000) / rate));
  entry.shared = { debt: debt + cost, atMs: nowMs };
  return 0;
}

/** Undoes `takeShare` within the same synchronous step. */
export function refundShare(entry: Entry, cost: number): void {
  entry.shared = { ...entry.shared, debt: entry.shared.debt - cost };
}

/**
 * What an isolate of an approximate limit may have spent without the object knowing: its share of what was free when it
 * last asked, or one request if that is free.
 */
export function allowanceOf(entry: Entry, policy: Policy, cost: number): number {
  const free = entry.isolates > 0 ? entry.free : policy.costMax;
  return Math.max(shareOfFree(free, entry.isolates), cost <= free ? cost : 0);
}

/**
 * The most that `isolates` admit together under an approximate limit in its smallest window, no request costing more than
 * `cost`: the limit, and of each isolate one allowance that it had not told. What an isolate that dies had not told is lost
 * on top; a lost answer makes the object count it twice, which only admits less.
 */
export function approximateBound({ costMax }: Policy, isolates: number, cost: number): number {
  return costMax + isolates * Math.max(shareOfFree(costMax, 0), cost);
}

/** Never fewer than the assumed isolates: who has just come does not know yet how many there are. */
function shareOfFree(free: number, isolates: number): number {
  return Math.ceil(free / Math.max(isolates, limits.isolatesAssumed));
}

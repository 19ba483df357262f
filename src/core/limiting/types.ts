/** Shapes that the lease book, the meters and the isolate's table share. Permits are integers, times are ms of an epoch. */

export type CalendarUnit = "minute" | "hour" | "day" | "month";

/** One window of a limit. `limit`, `burst`: permits, at least 1. `rate`: permits a second, above 0. */
export type WindowSpec =
  | { readonly kind: "sliding-window"; readonly limit: number; readonly windowMs: number }
  /** Windows aligned to the epoch. */
  | { readonly kind: "fixed-window"; readonly limit: number; readonly windowMs: number }
  /** `timeZone`: "UTC" or an IANA name that `Intl` knows; an unknown one makes every call throw a RangeError. */
  | { readonly kind: "calendar-window"; readonly limit: number; readonly unit: CalendarUnit; readonly timeZone: string }
  | { readonly kind: "token-bucket"; readonly rate: number; readonly burst: number }
  /** `maxDelayMs`: how long a permit may be waited for; 0: none is, the bucket is only a meter. */
  | { readonly kind: "leaky-bucket"; readonly rate: number; readonly burst: number; readonly maxDelayMs: number };

/** Permits that may be spent at any moment from `fromMs` until before `untilMs`; equal: spent at that moment. */
export interface Hold {
  readonly amount: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * One algorithm over one window. `State` is plain data and never altered; every call but `empty` expects a state that was
 * brought to `nowMs` by `expire`, and `nowMs` never falls.
 */
export interface Meter<State> {
  empty(nowMs: number): State;
  /** Forgets what counts no longer at `nowMs`. */
  expire(state: State, nowMs: number): State;
  /** Counts a hold against the window for as long as any of it may matter. Does not ask whether it is free. */
  charge(state: State, hold: Hold): State;
  /** A charged hold is over: `used` of it was spent before `nowMs`, the rest is credited as far as that is safe. */
  settle(state: State, hold: Hold, used: number, nowMs: number): State;
  /** Permits in use. */
  charged(state: State): number;
  /** Permits that may be granted for a hold until `nowMs + ttlMs`; an integer, negative after a limit was lowered. */
  free(state: State, nowMs: number, ttlMs: number): number;
  /** Time until `need` permits are free, if nobody else takes any. 0: now. */
  waitMs(state: State, need: number, nowMs: number, ttlMs: number): number;
  /** Time until more is free than now; 0 when nothing is charged. */
  resetMs(state: State, nowMs: number): number;
  /** How long a hold of `need` permits charged now has to be delayed by a queue, with fractions; 0 but in leaky buckets. */
  delayMs(state: State, need: number): number;
  /** When nothing will be charged any more, if nothing is added. */
  emptyAtMs(state: State): number;
}

/** What one isolate asks the object of a key. Every field is bounded by the shell before it comes here. */
export interface LeaseQuery {
  /** Name of the isolate: random, never used again. */
  readonly isolate: string;
  /** Rises with every query of the isolate, over all its keys. */
  readonly seq: number;
  /** Permits without which the answer is a denial; 0: only an exchange of `spent`. */
  readonly need: number;
  /** Demand that the isolate sees, in permits a second. */
  readonly rate: number;
  /** Spent at once: exactly `need` or nothing, without a lease. */
  readonly exact: boolean;
  /** Permits spent without a lease (approximate limits); counted even where they are not free. */
  readonly spent: number;
  /** Leases that the isolate will not spend from any more. */
  readonly reports: readonly Report[];
  readonly windows: readonly WindowSpec[];
  /** The object keeps the windows of the highest version it has seen. */
  readonly policyVersion: number;
}

export interface Report {
  readonly seq: number;
  readonly used: number;
}

export interface LeaseReply {
  readonly seq: number;
  /** 0: denied, or nothing was asked for. Otherwise at least `need`. */
  readonly granted: number;
  /** The lease ends so long after the query was *made*; 0 for a permit spent at once. */
  readonly ttlMs: number;
  /** The permits are good after this delay (leaky bucket as a queue). */
  readonly delayMs: number;
  /** When denied: after this time `need` is free, if nobody else takes it. */
  readonly retryAfterMs: number;
  /** When denied: the isolate need not ask again before. */
  readonly denyMs: number;
  /** Place of the tightest window: the one with the fewest permits left. */
  readonly window: number;
  /** Permits left in it after this grant, never negative. */
  readonly free: number;
  /** Time until more of it is free. */
  readonly resetMs: number;
  /** Isolates active on the key. */
  readonly isolates: number;
}

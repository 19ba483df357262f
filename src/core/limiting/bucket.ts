/**
 * Token bucket, and leaky bucket (GCRA) as a meter and as a queue: at most `burst + rate * T` in any time T. One state for
 * both: the debt, which is the fill of the leaky bucket and what the token bucket lacks; it is ITU-T I.371's theoretical
 * arrival time, in permits.
 */
import type { Meter } from "./types.ts";

export interface BucketState {
  /** Permits; drains at `rate`. */
  readonly debt: number;
  readonly atMs: number;
  /** Until then leases are out, and the debt does not fall below `floor`. */
  readonly leasedUntilMs: number;
  readonly floor: number;
  /** Permits of the unsettled leases granted after `outSinceMs`; older ones are not credited. */
  readonly out: number;
  readonly outSinceMs: number;
  /** Last moment at which the bucket would have been full if nothing of `out` were spent. */
  readonly fullMs: number;
}

export interface Bucket {
  /** Permits a second. */
  readonly rate: number;
  readonly burst: number;
  /** 0: a meter. */
  readonly maxDelayMs: number;
}

/** Permits that rounding may lose or win; far below one, far above the rounding of sums of 1e9. */
const tolerance = 1e-6;

/**
 * A leased permit may be spent up to a ttl after its grant, so while leases are out the bucket runs with
 * `burst - rate * ttl`: debt never below `rate * ttl`. What a lease did not spend is credited, but for what may have been
 * refilled to the brim without it since its grant: that would count twice.
 */
export function bucket({ rate, burst, maxDelayMs }: Bucket): Meter<BucketState> {
  const perMs = rate / 1_000;
  const queue = perMs * maxDelayMs;
  const fill = (state: BucketState, ttlMs: number) => Math.max(state.debt, state.floor, perMs * ttlMs);
  const drainMs = (permits: number) => Math.max(0, Math.ceil((permits - tolerance) / perMs));
  const expire = (state: BucketState, nowMs: number): BucketState => {
    const leasedMs = Math.max(state.atMs, Math.min(nowMs, state.leasedUntilMs));
    const drained = perMs * (leasedMs - state.atMs);
    const leased = Math.max(state.floor, state.debt - drained);
    const isFull = state.debt - state.out - drained <= state.floor;
    const fullMs = isFull ? leasedMs : state.fullMs;
    if (nowMs < state.leasedUntilMs) return { ...state, debt: leased, atMs: nowMs, fullMs };
    const debt = Math.max(0, leased - perMs * (nowMs - leasedMs));
    const outSinceMs = Math.max(state.outSinceMs, state.leasedUntilMs);
    return { debt, atMs: nowMs, leasedUntilMs: 0, floor: 0, out: 0, outSinceMs, fullMs };
  };
  const waitMs = (state: BucketState, need: number, nowMs: number, ttlMs: number): number => {
    const room = Math.max(0, burst + (ttlMs === 0 ? queue : 0) - need);
    if (room + tolerance >= state.floor) return drainMs(fill(state, 0) - room);
    const ended = expire(state, state.leasedUntilMs);
    return state.leasedUntilMs - nowMs + drainMs(ended.debt - room);
  };
  return {
    empty: (nowMs) => ({ debt: 0, atMs: nowMs, leasedUntilMs: 0, floor: 0, out: 0, outSinceMs: 0, fullMs: nowMs }),
    expire,
    charge: (state, { amount, fromMs, untilMs }) => {
      const debt = fill(state, untilMs - fromMs) + amount;
      if (untilMs === fromMs) return { ...state, debt };
      const floor = Math.max(state.floor, perMs * (untilMs - fromMs));
      const leasedUntilMs = Math.max(state.leasedUntilMs, untilMs);
      // A higher floor is a fuller bucket at once: leases that were out before are not credited any more.
      const isHigher = floor > state.floor && state.out > 0;
      const out = isHigher ? { out: amount, outSinceMs: fromMs } : { out: state.out + amount };
      return { ...state, ...out, debt, floor, leasedUntilMs };
    },
    settle: (state, hold, used) => {
      // Those behind in the queue keep their moments: a place given back would be somebody else's as well.
      // What was spent at once is not counted in `out`, so nobody knows what it would have filled.
      if (queue > 0 || hold.untilMs === hold.fromMs || hold.fromMs <= state.outSinceMs) return state;
      const credit = Math.max(0, hold.amount - used - perMs * Math.max(0, state.fullMs - hold.fromMs));
      return { ...state, debt: Math.max(state.floor, state.debt - credit), out: state.out - hold.amount };
    },
    charged: ({ debt }) => debt,
    free: (state, _nowMs, ttlMs) => Math.floor(burst + (ttlMs === 0 ? queue : 0) - fill(state, ttlMs) + tolerance),
    waitMs,
    resetMs: ({ debt }) => (debt === 0 ? 0 : drainMs(debt - Math.ceil(debt - tolerance) + 1)),
    delayMs: (state, need) => Math.max(0, (state.debt + need - burst) / perMs),
    emptyAtMs: (state) => {
      if (state.debt === 0) return 0;
      const ended = expire(state, Math.max(state.atMs, state.leasedUntilMs));
      return ended.atMs + drainMs(ended.debt);
    },
  };
}

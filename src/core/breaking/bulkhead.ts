/**
 * The object's half of `maxConcurrentRequests`: a lease of concurrency to each isolate. What isolates may have under way
 * together is never more than `max`, except
 * - what is under way, or already granted, when `max` is lowered: it shrinks with each isolate's next two reports,
 * - requests that still run when their isolate's lease ends, as it no longer reports, or when it has counted them for as
 *   long as it does (`bounds.inFlightTurnMs`),
 * - what isolates admit on their own while they do not reach the object (`shareOfConcurrency`).
 *
 * Why: an isolate is charged for the larger of what it says it has and what it is granted, so it does not matter whether
 * the answer arrives. It counts its lease from before it asked, the object from when the ask came; so the isolate's ends
 * first. A share above another's is taken back by a smaller grant, and is free when the isolate says that it has taken note.
 */
import { bounds } from "../../bounds.ts";
import type { ConcurrencyAsk } from "./types.ts";

/** One isolate's lease. */
interface Claim {
  /** The most that the isolate may have under way, whichever answers have reached it. */
  charged: number;
  /** What it could use. */
  demand: number;
  untilMs: number;
  /** Since when it has one more than an even share, as the shares do not come out even; null when it has not. */
  extraSinceMs: number | null;
}

/** Leases by isolate, in memory only. Times are of the object's clock, which must not be set forward. */
export interface Bulkhead {
  readonly claims: Map<string, Claim>;
  /** Until then leases may be out that this object does not know of: nothing new is granted. */
  readonly pausedUntilMs: number;
}

/**
 * An object that starts at `startedAtMs`. `isFirstStart`: no lease can be out, as it has never granted one, or certainly
 * none within the last `bounds.concurrencyTtlMs`; otherwise it grants nothing new for that time.
 */
export function newBulkhead(startedAtMs: number, isFirstStart: boolean): Bulkhead {
  return { claims: new Map(), pausedUntilMs: isFirstStart ? startedAtMs : startedAtMs + bounds.concurrencyTtlMs };
}

/**
 * Renews or begins the lease of `isolate`: `granted` requests may be under way there for `ttlMs` from when it asked; more
 * that run already may end in peace. When all want more than `max`, each gets what it wants up to the same level (max-min
 * fairness). Of one isolate every ask must be newer than the last: a late one tells of what it no longer has.
 *
 * @param max requests under way at once, >= 1.
 */
export function grantConcurrency(
  state: Bulkhead,
  isolate: string,
  ask: ConcurrencyAsk,
  max: number,
  nowMs: number,
): { readonly granted: number; readonly ttlMs: number } {
  const ttlMs = bounds.concurrencyTtlMs;
  for (const [id, { untilMs }] of state.claims) if (untilMs <= nowMs) state.claims.delete(id);
  const old = state.claims.get(isolate);
  if (old === undefined && state.claims.size >= bounds.concurrencyIsolatesMax) return { granted: 0, ttlMs };
  state.claims.delete(isolate);
  const demand = Math.max(ask.inFlight, ask.wanted);
  const own = Math.max(ask.inFlight, ask.held);
  const others = [...state.claims.values()];
  const level = levelOf([demand, ...others.map((claim) => claim.demand)], max);
  const share = Math.floor(level);
  // What the isolate holds can be left to it: that makes the sum no larger. What runs beyond that is only counted.
  const isPaused = nowMs < state.pausedUntilMs;
  const room = isPaused ? ask.held : Math.max(ask.held, max - sumOf(others, (claim) => claim.charged));
  const spare = max - share - sumOf(others, (claim) => Math.max(claim.charged, Math.min(claim.demand, share)));
  const extraSinceMs = old?.extraSinceMs ?? nowMs;
  const hasExtra = spare > 0 && nowMs - extraSinceMs < ttlMs;
  const granted = Math.min(demand, room, hasExtra ? Math.ceil(level) : share);
  const charged = Math.max(own, granted);
  if (charged + demand > 0) {
    const untilMs = nowMs + ttlMs;
    state.claims.set(isolate, { charged, demand, untilMs, extraSinceMs: charged > share ? extraSinceMs : null });
  }
  return { granted, ttlMs };
}

/**
 * The most that one may have so that all together have `max` at the most; infinite when there is enough for all. Where it
 * is no whole number some have one more, but only once nobody who wants it has less than the whole part, and not for longer
 * than a lease: else, with fewer permits than isolates, whoever came first would keep them.
 */
function levelOf(demands: number[], max: number): number {
  let rest = max;
  let left = demands.length;
  for (const demand of demands.sort((a, b) => a - b)) {
    if (demand * left > rest) return rest / left;
    rest -= demand;
    left -= 1;
  }
  return Number.POSITIVE_INFINITY;
}

function sumOf(claims: readonly Claim[], part: (claim: Claim) => number): number {
  return claims.reduce((sum, claim) => sum + part(claim), 0);
}

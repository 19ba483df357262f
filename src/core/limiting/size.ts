/** How much is granted, and for how long. */
import type { Book } from "./book.ts";
import { limits } from "./limits.ts";
import { leaseMsOf, quotaOf } from "./policy.ts";
import type { LeaseQuery, WindowSpec } from "./types.ts";

export interface Size {
  readonly amount: number;
  readonly untilMs: number;
}

/** Free permits of the tightest window for a hold of `ttlMs`; an integer, negative after a limit was lowered. */
export function freeOf(book: Book, nowMs: number, ttlMs: number): number {
  return Math.min(...book.windows.map(({ meter, state }) => meter.free(state, nowMs, ttlMs)));
}

/**
 * End of a lease of at most `ttlMs`: not beyond a fixed window, except that no lease is shorter than `leaseMsMin`; one that
 * begins just before the end of a window is charged to the next as well.
 */
export function leaseEndMs(book: Book, nowMs: number, ttlMs: number): number {
  let untilMs = nowMs + ttlMs;
  for (const { spec, state } of book.windows) {
    if (spec.kind !== "fixed-window" && spec.kind !== "calendar-window") continue;
    const { endMs } = state as { readonly endMs: number };
    untilMs = Math.min(untilMs, Math.max(endMs, nowMs + limits.leaseMsMin));
  }
  return untilMs;
}

/** Decides a grant; `amount` 0 is a denial. */
export function sizeOf(book: Book, { need, rate, exact }: LeaseQuery, isolates: number, nowMs: number): Size {
  const leaseMs = exact ? 0 : leaseMsOf(book.windows.map(({ spec }) => spec));
  if (leaseMs === 0) return exactly(book, need, nowMs, 0);
  const untilMs = leaseEndMs(book, nowMs, leaseMs);
  const free = freeOf(book, nowMs, untilMs - nowMs);
  const demandMs = Math.min(untilMs - nowMs, ...book.windows.map(({ spec }) => demandMsMax(spec)));
  const want = Math.ceil((limits.demandHeadroom * rate * demandMs) / 1_000);
  const divisor = isGenerous(book, nowMs, untilMs - nowMs) ? Math.max(2, isolates) : limits.shareDivisor * isolates;
  // However little there is: what is spent at once strands nothing, and one call for each permit would be many.
  const soon = Math.ceil((rate * Math.min(limits.soonMs, demandMs)) / 1_000);
  const amount = Math.min(want, free, Math.max(soon, Math.floor(free / divisor)));
  // Nothing beyond what waits: it is spent on arrival, and charged no longer than the way may take.
  if (amount <= need) return exactly(book, need, nowMs, leaseEndMs(book, nowMs, limits.leaseMsMin) - nowMs);
  return { amount, untilMs };
}

function exactly(book: Book, need: number, nowMs: number, ttlMs: number): Size {
  return { amount: freeOf(book, nowMs, ttlMs) >= need ? need : 0, untilMs: nowMs + ttlMs };
}

/** While more than half of every window is free, nobody's lease is cut to a share. */
function isGenerous(book: Book, nowMs: number, ttlMs: number): boolean {
  return book.windows.every(({ spec, meter, state }) => 2 * meter.free(state, nowMs, ttlMs) > quotaOf(spec));
}

/** A short sliding window pays for each permit that is not spent at once with a part of its limit. */
function demandMsMax(spec: WindowSpec): number {
  return spec.kind === "sliding-window" ? spec.windowMs / limits.slidingDemandDivisor : Number.POSITIVE_INFINITY;
}

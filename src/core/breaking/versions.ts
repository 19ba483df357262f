import { bounds } from "../../bounds.ts";
import type { Book } from "./book.ts";
import { type Breaker, newBreaker } from "./breaker.ts";
import { type Change, show } from "./change.ts";

/** Closed, recovered, without an order, and not heard of for long. */
function isIdle(breaker: Breaker, nowMs: number): boolean {
  const { state, forced, closedAtMs, seenMs } = breaker;
  return state === "closed" && forced === "auto" && closedAtMs === null && nowMs - seenMs >= bounds.breakerIdleMs;
}

/**
 * The breaker of a version, made if there is none and moved to the end as the one seen last. When there is no room the
 * longest idle one is forgotten; undefined when none is idle: the version goes without. A forgotten version begins again
 * with a generation at least as high, so results from before its transitions still count nothing (B3).
 */
export function breakerFor(book: Book, version: string, nowMs: number, change: Change): Breaker | undefined {
  const known = book.breakers.get(version);
  if (known === undefined && book.breakers.size >= bounds.breakerVersionsMax) {
    const idle = [...book.breakers.values()].find((breaker) => isIdle(breaker, nowMs));
    if (idle === undefined) return undefined;
    book.breakers.delete(idle.version);
    book.firstGeneration = Math.max(book.firstGeneration, idle.generation);
    if (idle.generation > 0) show(change);
  }
  const breaker = known ?? newBreaker(version, book.firstGeneration, book.forced);
  if (known === undefined && breaker.generation > 0) show(change);
  breaker.seenMs = nowMs;
  book.breakers.delete(version);
  book.breakers.set(version, breaker);
  return breaker;
}

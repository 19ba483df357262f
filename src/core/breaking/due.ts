/** What time alone does to a book. Every operation begins with it, so none sees what is over. */
import type { Book } from "./book.ts";
import { dueMs, tickBreaker } from "./breaker.ts";
import { type Change, noChange } from "./change.ts";
import { tickOrigins } from "./outlier.ts";
import type { HealthEvent } from "./types.ts";

/** Does what is due at `nowMs`; the caller adds what is shown to the revision. */
export function doDue(book: Book, nowMs: number): Change {
  const change = noChange();
  for (const breaker of book.breakers.values()) tickBreaker(breaker, book.settings.breaker, nowMs, change);
  tickOrigins(book.origins, nowMs, change);
  return change;
}

/**
 * Does what is due: open -> half-open, the end of permits, ramps and ejections. The row is to be stored, and the view to
 * be published, when `book.revision` has moved; it may move without an event.
 */
export function tick(book: Book, nowMs: number): HealthEvent[] {
  const change = doDue(book, nowMs);
  book.revision += change.shown;
  return change.events;
}

/** When `tick` must run next, never before `nowMs`; null when nothing will come due by itself. */
export function nextDueMs(book: Book, nowMs: number): number | null {
  let nextMs = Number.POSITIVE_INFINITY;
  for (const breaker of book.breakers.values()) {
    nextMs = Math.min(nextMs, dueMs(breaker, book.settings.breaker));
  }
  for (const { untilMs } of book.origins.values()) nextMs = Math.min(nextMs, untilMs ?? Number.POSITIVE_INFINITY);
  return nextMs === Number.POSITIVE_INFINITY ? null : Math.max(nowMs, nextMs);
}

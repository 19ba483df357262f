/** What others see of a book. Due things that no operation has done yet show as about to happen, with 0 ms to go. */
import { bounds } from "../../bounds.ts";
import type { Book } from "./book.ts";
import type { Breaker } from "./breaker.ts";
import { timesOf } from "./outlier.ts";
import type { BreakerView, Ejection, PublishedHealth } from "./types.ts";
import { type Counts, countsOf } from "./window.ts";

const leftMs = (untilMs: number, nowMs: number): number => Math.max(0, untilMs - nowMs);

function viewOf(breaker: Breaker, nowMs: number): BreakerView {
  const { version, state, generation, forced, untilMs, closedAtMs } = breaker;
  const recoveringForMs = closedAtMs === null ? null : Math.max(0, nowMs - closedAtMs);
  return { version, state, generation, forced, openForMs: leftMs(untilMs, nowMs), recoveringForMs };
}

function sorted(book: Book): Breaker[] {
  return [...book.breakers.values()].sort((a, b) => (a.version < b.version ? -1 : 1));
}

function ejectedOf(book: Book, nowMs: number): Ejection[] {
  const ejected: Ejection[] = [];
  for (const [origin, { untilMs }] of book.origins) {
    if (untilMs !== null) ejected.push({ origin, forMs: leftMs(untilMs, nowMs) });
  }
  return ejected.sort((a, b) => (a.origin < b.origin ? -1 : 1));
}

/**
 * The view for everybody. A version that is not listed is closed, of generation 0, and forced as the service is; also
 * when it was listed before.
 */
export function publishedOf(book: Book, nowMs: number): PublishedHealth {
  return {
    revision: book.revision,
    forced: book.forced,
    breakers: sorted(book)
      .filter(({ generation }) => generation > 0)
      .map((breaker) => viewOf(breaker, nowMs)),
    ejected: ejectedOf(book, nowMs),
  };
}

/** A breaker as an operator sees it. */
interface DescribedBreaker extends BreakerView {
  readonly counts: Counts;
  /** Failures in a row. */
  readonly consecutiveFailures: number;
  readonly probes: { readonly out: number; readonly succeeded: number };
}

/** For the operator: everything that decides, at this moment. */
export interface Description {
  readonly revision: number;
  readonly forced: BreakerView["forced"];
  /** Isolates that reported lately. */
  readonly isolates: number;
  readonly breakers: readonly DescribedBreaker[];
  /** `times`: how often ejected and not forgiven yet, with this one. */
  readonly ejected: readonly (Ejection & { readonly times: number })[];
}

const nothing: Counts = { requests: 0, failures: 0, slow: 0 };

/** All versions that are known, also those without a transition. */
export function describe(book: Book, nowMs: number): Description {
  const outlier = book.settings.outlier;
  return {
    revision: book.revision,
    forced: book.forced,
    isolates: [...book.isolates.values()].filter(({ atMs }) => nowMs - atMs <= bounds.healthIsolateKeptMs).length,
    breakers: sorted(book).map((breaker) => ({
      ...viewOf(breaker, nowMs),
      counts: breaker.window === null ? nothing : countsOf(breaker.window, nowMs),
      consecutiveFailures: breaker.window?.run.failures ?? 0,
      probes: { out: breaker.permits.size, succeeded: breaker.successes },
    })),
    ejected: ejectedOf(book, nowMs).map((ejection) => ({
      ...ejection,
      times: timesOf(book.origins.get(ejection.origin)!, outlier, nowMs),
    })),
  };
}

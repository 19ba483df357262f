/**
 * The health of one service as its object knows it: the breakers of all versions, the ejections of all origins. Altered in
 * place. What decides is stored; what is only counted is in memory, for losing counts delays a trip (B4).
 */
import { type Breaker, newBreaker } from "./breaker.ts";
import { type Bulkhead, newBulkhead } from "./bulkhead.ts";
import { type Origins, timesOf } from "./outlier.ts";
import { newRun } from "./run.ts";
import type { BreakerState, Forced, HealthSettings } from "./types.ts";

export interface Book {
  /** Rises by one with each change of the published view. */
  revision: number;
  /** For versions without a breaker. */
  forced: Forced;
  /** Generation that the breaker of a version not seen before begins with. */
  firstGeneration: number;
  /** Those of the highest revision seen; before the first, of revision -1, by which nothing opens. */
  settings: HealthSettings;
  /** By version, the one seen last at the end; at most `bounds.breakerVersionsMax`. */
  readonly breakers: Map<string, Breaker>;
  /** By id, the one seen last at the end; at most `bounds.healthOriginsMax`. */
  readonly origins: Origins;
  /** The last report of each isolate, the latest at the end. In memory only. */
  readonly isolates: Map<string, { seq: number; atMs: number }>;
  /** In memory only. */
  readonly bulkhead: Bulkhead;
  /** No lease of concurrency lasts longer than this. Stored in advance, so that not every report has to store it. */
  leasesUntilMs: number;
}

/** The one row of a book: JSON. Moments are of the object's clock, in ms. `v` is the version of the shape. */
export interface BookRow {
  readonly v: 1;
  readonly revision: number;
  readonly forced: Forced;
  readonly firstGeneration: number;
  readonly settings: HealthSettings;
  readonly leasesUntilMs: number;
  /** Without those that never had a transition. */
  readonly breakers: readonly BreakerRow[];
  /** Origins that are ejected, or were and are not forgiven yet. */
  readonly ejections: readonly EjectionRow[];
}

interface BreakerRow {
  readonly version: string;
  readonly state: BreakerState;
  readonly generation: number;
  readonly forced: Forced;
  readonly untilMs: number;
  readonly attempts: number;
  readonly closedAtMs: number | null;
  readonly successes: number;
  readonly issued: number;
  readonly permits: readonly (readonly [permit: string, untilMs: number])[];
}

interface EjectionRow {
  readonly origin: string;
  readonly untilMs: number | null;
  readonly times: number;
  readonly sinceMs: number;
}

/** The book of a service of which nothing was ever stored. */
export function emptyBook(): Book {
  return {
    revision: 0,
    forced: "auto",
    firstGeneration: 0,
    settings: { revision: -1, breaker: null, outlier: null, maxConcurrent: 0 },
    breakers: new Map(),
    origins: new Map(),
    isolates: new Map(),
    bulkhead: newBulkhead(0, true),
    leasesUntilMs: 0,
  };
}

/** The book of a stored row in an object that starts at `nowMs`; all counts are zero. */
export function bookOf(row: BookRow, nowMs: number): Book {
  const { revision, forced, firstGeneration, settings, leasesUntilMs } = row;
  const book: Book = {
    ...emptyBook(),
    revision,
    forced,
    firstGeneration,
    settings,
    leasesUntilMs,
    bulkhead: newBulkhead(nowMs, nowMs >= leasesUntilMs),
  };
  for (const { permits, ...rest } of row.breakers) {
    const breaker = newBreaker(rest.version, rest.generation, rest.forced);
    book.breakers.set(rest.version, { ...breaker, ...rest, permits: new Map(permits) });
  }
  for (const { origin, untilMs, times, sinceMs } of row.ejections) {
    // A report that was on its way while the object started does not count against an origin that had returned.
    book.origins.set(origin, { run: newRun(sinceMs), untilMs, times, sinceMs });
  }
  return book;
}

/** What is to be stored after an operation that changed the book; shares nothing that is altered later. */
export function rowOf(book: Book, nowMs: number): BookRow {
  const { revision, forced, firstGeneration, settings, leasesUntilMs } = book;
  const breakers = [...book.breakers.values()]
    .filter(({ generation }) => generation > 0)
    .map(({ window: _window, seenMs: _seenMs, permits, ...rest }) => ({ ...rest, permits: [...permits] }));
  const ejections = [...book.origins]
    .filter(([, health]) => timesOf(health, settings.outlier, nowMs) > 0)
    .map(([origin, { untilMs, times, sinceMs }]) => ({ origin, untilMs, times, sinceMs }));
  return { v: 1, revision, forced, firstGeneration, settings, leasesUntilMs, breakers, ejections };
}

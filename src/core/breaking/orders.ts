/** What operators and active checks ask of a book. */
import type { Book } from "./book.ts";
import { forceBreaker } from "./breaker.ts";
import { show } from "./change.ts";
import { doDue } from "./due.ts";
import { giveBackNow } from "./outlier.ts";
import type { Forced, HealthEvent } from "./types.ts";
import { breakerFor } from "./versions.ts";

/**
 * `changed`: must be stored before anybody is told. `ok` is false when the version is new and there is no room for it.
 */
export interface Ordered {
  readonly ok: boolean;
  readonly events: readonly HealthEvent[];
  readonly changed: boolean;
}

/**
 * Forces the breaker of a version, or ends that with `auto`; an order wins over all that is counted (B6). `version` null:
 * the whole service, also versions that come later; orders for single versions end.
 */
export function force(book: Book, version: string | null, forced: Forced, nowMs: number): Ordered {
  const change = doDue(book, nowMs);
  let ok = true;
  let isForced: boolean;
  if (version === null) {
    isForced = book.forced !== forced;
    for (const breaker of book.breakers.values()) isForced = forceBreaker(breaker, forced) || isForced;
    book.forced = forced;
    // Requests of versions not seen yet began under the old order, so these have a transition behind them as well.
    if (isForced) book.firstGeneration += 1;
  } else {
    const breaker = breakerFor(book, version, nowMs, change);
    ok = breaker !== undefined;
    isForced = breaker !== undefined && forceBreaker(breaker, forced);
  }
  if (isForced) show(change, { type: "breaker_forced", version, forced });
  book.revision += change.shown;
  return { ok, events: change.events, changed: change.changed };
}

/** Takes back origins that passed an active check; those that are not ejected do not matter. */
export function passed(book: Book, origins: readonly string[], nowMs: number): Ordered {
  const change = doDue(book, nowMs);
  giveBackNow(book.origins, origins, "check", nowMs, change);
  book.revision += change.shown;
  return { ok: true, events: change.events, changed: change.changed };
}

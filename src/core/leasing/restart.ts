import { bounds } from "../../bounds.ts";
import type { AdoptedOrder } from "../checking/types.ts";
import { noChange, store } from "./book.ts";
import type { Book, Freeze, Origin, Outcome } from "./types.ts";

/** What storage holds of a book. */
export interface StoredBook {
  readonly revision: number;
  readonly freeze: Freeze | null;
  readonly origins: readonly Origin[];
  readonly checkOrder: AdoptedOrder | null;
  readonly unhealthy: readonly string[];
}

/**
 * The book of a registry that starts. Renewals since a row was written are lost, and none could arrive while it was
 * away, so every lease is given a whole ttl from now (R4: a restart never shortens a lease) - but at most
 * `restartExtensionsMax` times without a renewal in between (nor extends one without limit); then the stored deadline
 * is the true one, because each extension was stored. A suspect is not extended: the freeze keeps it already.
 */
export function restart(stored: StoredBook, nowMs: number): Outcome<Book> {
  const change = noChange();
  const origins = new Map(stored.origins.map((origin) => [origin.id, origin]));
  const book: Book = {
    revision: stored.revision,
    freeze: stored.freeze,
    origins,
    // When it was last confirmed is not stored: a start gives an order its whole time, as it gives a lease a whole ttl.
    checkOrder: stored.checkOrder && { ...stored.checkOrder, confirmedMs: nowMs },
    unhealthy: new Set(stored.unhealthy),
  };
  for (const origin of stored.origins) {
    const deadlineMs = nowMs + origin.ttlMs;
    if (origin.state === "suspect" || deadlineMs <= origin.deadlineMs) continue;
    if (origin.extensions >= bounds.restartExtensionsMax) continue;
    store(book, change, { ...origin, deadlineMs, extensions: origin.extensions + 1 });
  }
  return { result: book, change };
}

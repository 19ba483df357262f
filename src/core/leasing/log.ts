/** Resuming in a log that forgets its oldest entries: each later event exactly once, in order, or `compacted` (R3). */

/** An event at its place in a log; positions rise by one from event to event, from 1. */
export interface Entry<E> {
  readonly position: number;
  readonly event: E;
}

/** `position`: where to read on; of `compacted` where the log ends, so the reader reads the whole state and begins there. */
export type Page<E> =
  | { readonly ok: true; readonly position: number; readonly entries: readonly Entry<E>[] }
  | { readonly ok: false; readonly code: "compacted"; readonly position: number };

/**
 * What follows `from` without a gap. A gap proves a loss, so it is never stepped over; the page before it still counts.
 * A position that the log has not reached is another log's, as after a reset.
 *
 * @param head position of the last event ever, 0 before the first.
 * @param kept the oldest entries after `from` that are kept, in order; all of them or as many as the reader takes.
 */
export function pageAfter<E>(from: number, head: number, kept: readonly Entry<E>[]): Page<E> {
  const gapAt = kept.findIndex(({ position }, at) => position !== from + 1 + at);
  const entries = gapAt === -1 ? kept : kept.slice(0, gapAt);
  const position = from + entries.length;
  const isLost = from > head || (from < head && entries.length === 0);
  return isLost ? { ok: false, code: "compacted", position: head } : { ok: true, position, entries };
}

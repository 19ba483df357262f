/** What readers see, from the book or from its events; both give the same. */
import type { Book, ListedOrigin, Listing, Origin, OriginView, RegistryEvent } from "./types.ts";

const byId = (a: OriginView, b: OriginView): number => (a.id < b.id ? -1 : 1);

/** A lease past its deadline is listed only when flagged, which `tick` does only to a frozen service (R2). */
function isListed(origin: Origin, nowMs: number): boolean {
  return origin.state === "suspect" || Math.min(origin.deadlineMs, origin.drainUntilMs ?? origin.deadlineMs) > nowMs;
}

/** The origins at `nowMs`. It filters by itself: correct (R2) even when `tick` is late. */
export function list(book: Book, nowMs: number): Listing<ListedOrigin> {
  const origins = [...book.origins.values()]
    .filter((origin) => isListed(origin, nowMs))
    .map(({ leaseId: _leaseId, storedDeadlineMs: _storedDeadlineMs, extensions: _extensions, ...listed }) => listed)
    .sort(byId);
  return { revision: book.revision, frozen: book.freeze !== null, origins };
}

const nothing: Listing = { revision: 0, frozen: false, origins: [] };

/**
 * What a watcher knows after the events, in their order. From the first event on it needs no base; a watcher that
 * listed at a revision gives that listing and every event after it (R3).
 */
export function replay(events: readonly RegistryEvent[], base: Listing = nothing): Listing {
  const origins = new Map(base.origins.map((origin) => [origin.id, origin]));
  let { revision, frozen } = base;
  for (const event of events) {
    revision = event.revision;
    if (event.origin === null) frozen = event.type === "freeze";
    else {
      const after = apply(event, origins.get(event.origin));
      if (after === undefined) origins.delete(event.origin);
      else origins.set(event.origin, after);
    }
  }
  return { revision, frozen, origins: [...origins.values()].sort(byId) };
}

type OriginEvent = Extract<RegistryEvent, { readonly origin: string }>;

/** The origin after an event; undefined when it is gone. */
function apply(event: OriginEvent, before: OriginView | undefined): OriginView | undefined {
  if (event.type === "put") {
    return {
      id: event.origin,
      ...event.body,
      state: "ready",
      drainUntilMs: null,
      createRevision: before?.createRevision ?? event.revision,
      modRevision: event.revision,
    };
  }
  if (before === undefined) return undefined;
  switch (event.type) {
    case "drain":
      return { ...before, ...event.body, state: "draining", modRevision: event.revision };
    case "suspect":
    case "ready":
      return { ...before, state: event.type };
    case "expire":
    case "drained":
    case "deregister":
      return undefined;
  }
}

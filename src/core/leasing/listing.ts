/** What readers see, from the book or from its events; both give the same. */
import { digestInForce } from "../checking/order.ts";
import type { Book, ListedOrigin, Listing, Origin, OriginView, RegistryEvent } from "./types.ts";

const byId = (a: OriginView, b: OriginView): number => (a.id < b.id ? -1 : 1);

/** A lease past its deadline is listed only when flagged, which `tick` does only to a frozen service (R2). */
function isListed(origin: Origin, nowMs: number): boolean {
  return origin.state === "suspect" || Math.min(origin.deadlineMs, origin.drainUntilMs ?? origin.deadlineMs) > nowMs;
}

/** As it is shown: a mark says something new only of a ready origin. */
export function marked<T extends OriginView>(origin: T, unhealthy: ReadonlySet<string>): T {
  return origin.state === "ready" && unhealthy.has(origin.id) ? { ...origin, state: "unhealthy" } : origin;
}

/** The origins at `nowMs`. It filters by itself: correct (R2) even when `tick` is late. */
export function list(book: Book, nowMs: number): Listing<ListedOrigin> {
  const { revision, freeze, checkOrder, unhealthy } = book;
  const origins = [...book.origins.values()]
    .filter((origin) => isListed(origin, nowMs))
    .map(({ leaseId: _leaseId, storedDeadlineMs: _storedDeadlineMs, extensions: _extensions, ...listed }) =>
      marked<ListedOrigin>(listed, unhealthy),
    )
    .sort(byId);
  return {
    revision,
    frozen: freeze !== null,
    checks: digestInForce(checkOrder),
    unhealthy: [...unhealthy].sort(),
    origins,
  };
}

const nothing: Listing = { revision: 0, frozen: false, checks: null, unhealthy: [], origins: [] };

/**
 * What a watcher knows after the events, in their order. From the first event on it needs no base; a watcher that
 * listed at a revision gives that listing and every event after it (R3).
 */
export function replay(events: readonly RegistryEvent[], base: Listing = nothing): Listing {
  const unmarked = base.origins.map((o): OriginView => (o.state === "unhealthy" ? { ...o, state: "ready" } : o));
  const origins = new Map(unmarked.map((origin) => [origin.id, origin]));
  const unhealthy = new Set(base.unhealthy);
  let { revision, frozen, checks } = base;
  for (const event of events) {
    revision = event.revision;
    if (event.type === "checks") checks = event.body.digest;
    else if (event.origin === null) frozen = event.type === "freeze";
    else {
      const before = origins.get(event.origin);
      const after = apply(event, before);
      if (after === undefined) origins.delete(event.origin);
      else origins.set(event.origin, after);
      if (event.type === "unhealthy") unhealthy.add(event.origin);
      else if (endsMark(event, before)) unhealthy.delete(event.origin);
    }
  }
  const shown = [...origins.values()].map((origin) => marked(origin, unhealthy)).sort(byId);
  return { revision, frozen, checks, unhealthy: [...unhealthy].sort(), origins: shown };
}

type OriginEvent = Extract<RegistryEvent, { readonly origin: string }>;

/** A mark ends with the lease, and with a registration under another URL. */
function endsMark(event: OriginEvent, before: OriginView | undefined): boolean {
  if (event.type === "put") return before?.url !== event.body.url;
  return ["healthy", "expire", "drained", "deregister"].includes(event.type);
}

/** The origin after an event, whether or not it is marked; undefined when it is gone, or never was a leased one. */
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
    case "unhealthy":
    case "healthy":
      return before;
    case "expire":
    case "drained":
    case "deregister":
      return undefined;
  }
}

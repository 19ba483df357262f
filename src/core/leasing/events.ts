/** A registry's events as watchers read them. */
import { marked } from "./listing.ts";
import type { Book, OriginView, RegistryEvent } from "./types.ts";

/**
 * What happened, in the words of the API. `removed`: on request or at the end of a drain; `suspect` and `ready`: a lease
 * outlived its end in a freeze and was renewed; `checks`: active checks begin, change or end.
 */
export type WatchType =
  | "registered"
  | "replaced"
  | "draining"
  | "removed"
  | "expired"
  | "suspect"
  | "ready"
  | "unhealthy"
  | "healthy"
  | "frozen"
  | "thawed"
  | "checks";

/** What an origin's event tells of it: what a listing tells, but for what changes without an event. */
export type WatchedOrigin = Omit<OriginView, "id" | "ttlMs" | "drainUntilMs">;

export interface WatchEvent extends Partial<WatchedOrigin> {
  readonly revision: number;
  readonly type: WatchType;
  /** null: of the whole service. */
  readonly origin: string | null;
  /** Listed in the configuration; left out when there is no origin (any more). */
  readonly static?: boolean;
}

const typeOf: Readonly<Record<RegistryEvent["type"], WatchType>> = {
  put: "registered",
  drain: "draining",
  drained: "removed",
  deregister: "removed",
  expire: "expired",
  suspect: "suspect",
  ready: "ready",
  unhealthy: "unhealthy",
  healthy: "healthy",
  freeze: "frozen",
  thaw: "thawed",
  checks: "checks",
};

/** A leased origin as the book has it now; null when there is none. */
export function viewOf(book: Book, id: string | null): OriginView | null {
  const origin = id === null ? undefined : book.origins.get(id);
  if (origin === undefined) return null;
  const {
    leaseId: _leaseId,
    deadlineMs: _deadlineMs,
    storedDeadlineMs: _stored,
    extensions: _extensions,
    ...view
  } = origin;
  return marked<OriginView>(view, book.unhealthy);
}

/** An event as watchers read it. `after`: the origin after it; null: gone, static, or not known. */
export function watchEventOf(
  { revision, type, origin }: Pick<RegistryEvent, "revision" | "type" | "origin">,
  after: OriginView | null,
): WatchEvent {
  const isReplaced = type === "put" && after !== null && after.createRevision !== revision;
  const event = { revision, type: isReplaced ? ("replaced" as const) : typeOf[type], origin };
  if (after !== null) {
    const { id: _id, ttlMs: _ttlMs, drainUntilMs: _drainUntilMs, ...shown } = after;
    return { ...event, ...shown, static: false };
  }
  // A mark without a lease is a static origin's. Its URL may come from a secret, so it is not told.
  if (type === "unhealthy") return { ...event, state: "unhealthy", static: true };
  if (type === "healthy") return { ...event, state: "ready", static: true };
  return event;
}

/** The registry of one service's origins: its book in memory, what a change of it is, and what a reader sees. */
import type { AdoptedOrder } from "../checking/types.ts";

/**
 * - `ready`: takes new traffic while its lease lives.
 * - `draining`: takes no new traffic; removed when its grace or its lease ends, whichever is first.
 * - `suspect`: past its deadline, but kept because the service is frozen (R5).
 */
export type OriginState = "ready" | "draining" | "suspect";

/** What a registrant says of an origin. The shapes are checked before they come here. */
export interface Registration {
  readonly id: string;
  readonly url: string;
  /** null: the origin has no version and serves only where none is asked for. */
  readonly version: string | null;
  /** Share of the traffic; 0 means no new traffic. */
  readonly weight: number;
  readonly zone: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Life of the lease after a renewal. */
  readonly ttlMs: number;
}

/** What watchers may know of an origin: everything that events tell, hence neither its lease id nor its deadline. */
export interface OriginView extends Registration {
  /** `unhealthy`: ready, but failing its active checks. */
  readonly state: OriginState | "unhealthy";
  /** End of the grace; null unless draining. */
  readonly drainUntilMs: number | null;
  /** Revision of the first registration under this id. */
  readonly createRevision: number;
  /** Revision of the last registration or drain: what compare-and-swap compares. A freeze does not change it. */
  readonly modRevision: number;
}

/** One row of the book. Never altered: a change puts another in its place. */
export interface Origin extends OriginView {
  readonly state: OriginState;
  /** The right to renew. Only the registrant learns it; a new registration voids it (R7). */
  readonly leaseId: string;
  /** The lease is over when the clock reaches this. */
  readonly deadlineMs: number;
  /** The deadline as storage has it; it lags behind `deadlineMs` by less than one `ttlMs`. */
  readonly storedDeadlineMs: number;
  /** Starts of the registry that extended the lease since its last renewal (R4). */
  readonly extensions: number;
}

/** A service under suspicion of a mass expiry that is not real (R5). */
export interface Freeze {
  readonly sinceMs: number;
  /** When leases may be expired although the renewals have not come back: first the end of the freeze, then pass by pass. */
  readonly nextPassMs: number;
}

/** The state of one registry. Altered in place by the functions of this room. */
export interface Book {
  /** Revision of the last event; 0 before the first. */
  revision: number;
  freeze: Freeze | null;
  readonly origins: Map<string, Origin>;
  /** What is to be checked beside the leased origins, and how; null: nothing was ordered. */
  checkOrder: AdoptedOrder | null;
  /** Ids of origins, leased or of the order, that fail their checks. A mark ends with its lease and when its URL changes. */
  readonly unhealthy: Set<string>;
}

/** What an event says. A removal has three causes: lease over (`expire`), grace over (`drained`), or asked for. */
export type EventContent =
  | { readonly type: "put"; readonly origin: string; readonly body: Omit<Registration, "id"> }
  | { readonly type: "drain"; readonly origin: string; readonly body: { readonly drainUntilMs: number } }
  | { readonly type: "suspect" | "ready"; readonly origin: string; readonly body: null }
  /** `healthy`: passes its checks again, or is not checked any more. Of leased and of static origins. */
  | { readonly type: "unhealthy" | "healthy"; readonly origin: string; readonly body: null }
  | { readonly type: "expire" | "drained" | "deregister"; readonly origin: string; readonly body: null }
  | { readonly type: "freeze"; readonly origin: null; readonly body: { readonly sinceMs: number } }
  | { readonly type: "thaw"; readonly origin: null; readonly body: null }
  /** Active checks begin, change or end (`digest` null). */
  | { readonly type: "checks"; readonly origin: null; readonly body: { readonly digest: string | null } };

/** One step of a registry's history; revisions rise by one from event to event (R1). */
export type RegistryEvent = EventContent & { readonly revision: number };

/** An event with the leased origin as it is after it; null: gone, static, or none. */
export type LoggedEvent = RegistryEvent & { readonly after: OriginView | null };

/** What an operation altered and the shell must store, in one transaction with `book.revision` and `book.freeze`. */
export interface Change {
  /** Ids whose row is to be written as the book has it now, or deleted if the book no longer has it. */
  readonly touched: Set<string>;
  readonly events: LoggedEvent[];
}

/** The answer of an operation together with what it altered; a refused operation may still have expired leases. */
export interface Outcome<T> {
  readonly result: T;
  readonly change: Change;
}

/** All origins at one revision, sorted by id. */
export interface Listing<T extends OriginView = OriginView> {
  readonly revision: number;
  readonly frozen: boolean;
  /** Digest of the order of checks in force; null: nothing is checked. */
  readonly checks: string | null;
  /** Ids of origins that fail their checks, static ones too, sorted. */
  readonly unhealthy: readonly string[];
  readonly origins: readonly T[];
}

/** An origin as a read of the registry gives it. */
export interface ListedOrigin extends OriginView {
  readonly deadlineMs: number;
}

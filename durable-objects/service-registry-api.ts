/** What a ServiceRegistry is asked and answers over RPC. Both sides stay compatible with the version before. */
import type { LeaseRef } from "../src/core/leasing/leases.ts";
import type { OriginView, RegistryEvent } from "../src/core/leasing/types.ts";

/** What to register. `ifRevision`: the origin's `modRevision` to replace, 0 = must not exist, left out = whatever is. */
export interface RegisterRequest {
  readonly origin: string;
  readonly url: string;
  readonly version: string | null;
  readonly weight: number;
  readonly zone: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly ttlMs: number;
  readonly ifRevision?: number;
}

/** How long a lease lasts. Heartbeat pauses differ from answer to answer by +-20 %, so that fleets spread. */
export interface LeaseTerms {
  readonly ttlSeconds: number;
  readonly heartbeatSeconds: number;
  /** ISO 8601. */
  readonly expiresAt: string;
}

export type RegisterAnswer =
  | ({ readonly ok: true; readonly created: boolean; readonly leaseId: string; readonly revision: number } & LeaseTerms)
  | { readonly ok: false; readonly code: "revision_conflict"; readonly revision: number }
  | { readonly ok: false; readonly code: "registry_full" };

export interface HeartbeatAnswer {
  readonly renewed: readonly (LeaseRef & LeaseTerms)[];
  readonly lost: readonly LeaseRef[];
}

export type DrainAnswer =
  | { readonly ok: true; readonly revision: number }
  | { readonly ok: false; readonly code: "origin_unknown" };

export interface ListAnswer {
  readonly revision: number;
  readonly frozen: boolean;
  /** Digest of the order of checks in force; null: nothing is checked. */
  readonly checks: string | null;
  /** Ids of static origins that fail their checks; leased ones have the state. */
  readonly unhealthyStatic: readonly string[];
  /** By origin, since the registry started: checks passed in a row (above 0) or failed in a row (below 0). */
  readonly runs: Readonly<Record<string, number>>;
  readonly origins: readonly (OriginView & { readonly expiresAt: string })[];
}

export type EventsAnswer =
  | { readonly ok: true; readonly revision: number; readonly events: readonly RegistryEvent[] }
  | { readonly ok: false; readonly code: "compacted"; readonly revision: number };

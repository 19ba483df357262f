/** What a schedule consists of. Plain data: it can be printed, and made smaller. */
import type { BreakerSettings } from "../../src/core/breaking/types.ts";
import type { WindowSpec } from "../../src/core/limiting/types.ts";
import type { Illness } from "../unit/core/breaking/simulation-origins.ts";
import type { Binding } from "./fakes/host.ts";
import type { Faults } from "./faults.ts";

/** An object, by its binding and its id. */
export type ObjectName = `${Binding}/${string}`;

/** Something that happens from outside, `atMs` after the beginning. `place` is an isolate's. */
export type Step = { readonly atMs: number } & (
  | { readonly kind: "crash"; readonly object: ObjectName; readonly when: "before" | "after" }
  | { readonly kind: "evict"; readonly object: ObjectName }
  | { readonly kind: "replace"; readonly object: ObjectName; readonly livesMs: number; readonly throws: boolean }
  /** Nobody reaches it, nor hears from it. */
  | { readonly kind: "away"; readonly object: ObjectName; readonly forMs: number }
  /** The isolate vanishes, and another comes in its place. */
  | { readonly kind: "kill"; readonly place: number }
  /** Requests for permits, each of so many, one after the other; `isLast`: they must be admitted. */
  | {
      readonly kind: "permits";
      readonly place: number;
      readonly costs: readonly number[];
      readonly gapMs: number;
      readonly isLast?: true;
    }
  /** Requests to the service; `isLast`: they must see all that has long been in force. */
  | {
      readonly kind: "traffic";
      readonly place: number;
      readonly count: number;
      readonly gapMs: number;
      readonly isLast?: true;
    }
  /** The operator's order for the breakers. */
  | { readonly kind: "force"; readonly place: number; readonly state: "auto" | "forced-open" | "disabled" }
  | RegistryStep
  | ConfigStep
);

/** A call of the registry. `origin`: number of an origin. */
type RegistryStep = { readonly place: number } & (
  | { readonly kind: "register"; readonly origins: readonly number[]; readonly ifRevision: "any" | "none" | "known" }
  | { readonly kind: "heartbeat"; readonly origins: readonly number[]; readonly isVoid: boolean }
  | { readonly kind: "drain"; readonly origin: number; readonly graceSeconds: number }
  | { readonly kind: "deregister"; readonly origin: number }
  | { readonly kind: "list" }
  | { readonly kind: "events" }
);

/** A call of the control plane. `note`: number of a document. */
type ConfigStep = { readonly place: number } & (
  | { readonly kind: "put"; readonly note: number; readonly ifRevision: "any" | "known"; readonly endsCanary: boolean }
  | { readonly kind: "patch"; readonly note: number }
  | { readonly kind: "read" }
  | { readonly kind: "try"; readonly note: number; readonly percent: number; readonly ifRevision: "any" | "known" }
  | { readonly kind: "end"; readonly promote: boolean }
);

export interface LimitsSetup {
  readonly windows: readonly WindowSpec[];
  readonly consistency: "leased" | "exact";
  readonly onUnavailable: "deny" | "share" | "allow";
  /** Limits that each request is subject to. */
  readonly keys: number;
}

/** `circuitBreaker` of the document, with everything written. */
export type AuthoredBreaker = Omit<BreakerSettings, "windowMs" | "openMs" | "maxOpenMs" | "recoveryMs"> & {
  readonly windowSeconds: number;
  readonly openSeconds: number;
  readonly maxOpenSeconds: number;
  readonly recoverySeconds: number;
};

/** The service of the document. */
export interface ServiceSetup {
  readonly circuitBreaker: AuthoredBreaker | null;
  readonly outlierDetection: object | null;
  readonly healthCheck: object | null;
  readonly maxConcurrentRequests: number;
  /** Origins that the document lists. */
  readonly origins: number;
  readonly illnesses: readonly Illness[];
  /** How long origins are ill and well by turns. */
  readonly illForMs: number;
  /** There is traffic for so long after everything is well that the breakers must be closed at the end (B7). */
  readonly mustHeal: boolean;
}

export interface RegistrySetup {
  readonly ttlSeconds: number;
  /** Leases outlast the schedule, so that its history can be held against a model without time. */
  readonly isTimeless: boolean;
}

export interface Plan {
  readonly seed: number;
  readonly isolates: number;
  /** One way. */
  readonly latencyMs: readonly [number, number];
  readonly faults: Faults;
  /** When faults end, and when the schedule does; after the beginning. */
  readonly healAtMs: number;
  readonly endAtMs: number;
  /** null: it is no part of this schedule. */
  readonly limits: LimitsSetup | null;
  readonly service: ServiceSetup | null;
  readonly registry: RegistrySetup | null;
  /** Documents that name a variable that the Worker of every other isolate does not have; null: the document never changes. */
  readonly config: { readonly withVariable: readonly number[] } | null;
  readonly steps: readonly Step[];
}

/** Does nothing go wrong? */
export function isCalm({ faults, steps }: Plan): boolean {
  const isFault = ({ kind }: Step) => ["crash", "evict", "replace", "away", "kill"].includes(kind);
  return Object.values(faults).every((fault) => fault === 0) && !steps.some(isFault);
}

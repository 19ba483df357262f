/** Active health checks of a service's origins, as its registry makes them. */

/** `healthCheck` of a service, compiled. */
export interface CheckSettings {
  /** Appended to the origin's URL; begins with "/". */
  readonly path: string;
  /** Pause between two checks of one origin, +-10 % jitter. */
  readonly intervalMs: number;
  /** Time to the response's headers. */
  readonly timeoutMs: number;
  /** Statuses that pass, as ranges, both ends included. */
  readonly statuses: readonly (readonly [number, number])[];
  /** Checks passed in a row that make an unhealthy origin healthy, >= 1. */
  readonly healthyAfter: number;
  /** Checks failed in a row that make an origin unhealthy, >= 1. */
  readonly unhealthyAfter: number;
}

/** What a registry checks: its leased origins by itself, and these, which it cannot know. */
export interface CheckOrder {
  /** Of the configuration. */
  readonly revision: number;
  /** Of everything below; isolates compare it to know whether the registry is up to date. */
  readonly digest: string;
  readonly settings: CheckSettings | null;
  /** Origins that the document lists. */
  readonly staticOrigins: readonly { readonly id: string; readonly url: string }[];
  /** A passed check brings an ejected origin back: the health object is told. */
  readonly returnsEjected: boolean;
}

/** An order in force. */
export interface AdoptedOrder extends CheckOrder {
  /** When it came into force. */
  readonly sinceMs: number;
  /** When an isolate last sent it, or the registry last started. */
  readonly confirmedMs: number;
}

/**
 * What is known of one origin since the registry started or the settings changed. Whether it is healthy is in the
 * registry's book, where readers see it.
 */
export interface CheckRecord {
  readonly url: string;
  /** Above 0: checks passed in a row; below 0: failed in a row; 0: none has ended yet. */
  readonly run: number;
  /** When the next check is due; while one is under way, when that one counts as lost. */
  readonly nextMs: number;
}

/** One check under way. */
export interface Check {
  readonly origin: string;
  readonly url: string;
  readonly settings: CheckSettings;
  /** When it counts as lost. */
  readonly lostMs: number;
}

/** The checks of one registry, in memory only. Altered in place by `schedule.ts`. */
export interface Checks {
  /** null: nothing is checked. */
  settings: CheckSettings | null;
  /** By the origin's id. */
  readonly records: Map<string, CheckRecord>;
  readonly running: Set<Check>;
}

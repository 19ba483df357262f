/** What one isolate knows of the health of one service: what the object has said, and results that it was not told yet. */
import { bounds } from "../../bounds.ts";
import { makeRoom } from "../make-room.ts";
import { type Local, newLocal } from "./local.ts";
import type { BreakerState, Cell, Forced, HealthReport, ProbeResult, PublishedHealth } from "./types.ts";

/** Leave for one request to go to an origin. Give the same object back to `record`. */
export interface Permit {
  readonly version: string;
  /** Of the version's breaker when the request began. */
  readonly generation: number;
  /** The object's permit for a probe; null: the request is none, or one of the isolate's own. */
  readonly probe: string | null;
  /** Does it try the origin for the breaker of this isolate? */
  readonly isLocalProbe: boolean;
  readonly startedAtMs: number;
}

/** The breaker of one version as the object has it. The isolate's moments are never before the object's. */
export interface Known {
  readonly state: BreakerState;
  readonly generation: number;
  readonly forced: Forced;
  /** Open: when it becomes half-open; else no later than when it was heard of. */
  readonly untilMs: number;
  /** When it closed, while the ramp lasts; else null. */
  readonly closedAtMs: number | null;
}

/** One of the object's permits. Its times count from before it was asked for, so they end before the object's. */
export interface Probe {
  readonly version: string;
  readonly generation: number;
  readonly permit: string;
  readonly useByMs: number;
  readonly reportByMs: number;
}

/** Results in one slot, whose age is known when they are reported. */
export type OpenCell = { -readonly [Key in Exclude<keyof Cell, "ageMs">]: Cell[Key] } & {
  readonly slot: number;
  readonly beganAtMs: number;
};

export interface Sense {
  readonly isolate: string;

  /** Revision of the view that is known; -1: none. */
  revision: number;
  /** The snapshot's view that was looked at last. */
  seen: PublishedHealth | null;
  breakers: ReadonlyMap<string, Known>;
  /** Of the versions that are not in `breakers`. */
  others: Known;
  /** Ejected origins with their ends, those without, and the first of the ends. */
  ejections: readonly { readonly origin: string; readonly untilMs: number }[];
  ejected: ReadonlySet<string>;
  ejectedUntilMs: number;

  /** The isolate's own breakers by version, at most `bounds.senseVersionsMax`. */
  readonly locals: Map<string, Local>;
  /** Permits in hand, and those of requests that are under way. */
  unused: Probe[];
  running: Probe[];

  /** Not reported yet: results in the order of time and, by origin, the cell that counts now. */
  cells: OpenCell[];
  current: Map<string, OpenCell>;
  /** Not reported yet: what became of permits, and requests that were refused for want of one, by version. */
  results: ProbeResult[];
  wants: Map<string, number>;
  /** Failures in a row by origin, at most `bounds.healthOriginsMax`. */
  readonly runs: Map<string, number>;
  /** Is there something to report that does not wait for its turn? */
  isUrgent: boolean;
  /** Is something known only from a snapshot, so that its times may be old? */
  isAsking: boolean;

  /** Of the last report; `flight` while it may be answered. */
  seq: number;
  flight: HealthReport | null;
  reportedAtMs: number;
  nextReportMs: number;
  /** Reports in a row that had no answer, and when the next may be made after them. */
  failures: number;
  retryAtMs: number;
}

/** An isolate that knows nothing of a service. `isolate`: a random name that no other isolate has or ever had. */
export function newSense(isolate: string): Sense {
  return {
    isolate,
    revision: -1,
    seen: null,
    breakers: new Map(),
    others: { state: "closed", generation: 0, forced: "auto", untilMs: 0, closedAtMs: null },
    ejections: [],
    ejected: new Set(),
    ejectedUntilMs: Number.POSITIVE_INFINITY,
    locals: new Map(),
    unused: [],
    running: [],
    cells: [],
    current: new Map(),
    results: [],
    wants: new Map(),
    runs: new Map(),
    isUrgent: false,
    isAsking: false,
    seq: 0,
    flight: null,
    reportedAtMs: Number.NEGATIVE_INFINITY,
    nextReportMs: bounds.healthReportMsMin,
    failures: 0,
    retryAtMs: Number.NEGATIVE_INFINITY,
  };
}

/** The breaker of a version as far as it is known; one that was never heard of is closed. */
export function knownOf(sense: Sense, version: string): Known {
  return sense.breakers.get(version) ?? sense.others;
}

/** Begins a breaker of the isolate's own. */
export function addLocal(sense: Sense, version: string, generation: number): Local {
  const local = newLocal(generation);
  makeRoom(sense.locals, bounds.senseVersionsMax);
  sense.locals.set(version, local);
  return local;
}

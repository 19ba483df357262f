/** The one interface that every balancing policy has. */

import type { Pool } from "./pool.ts";
import type { Rotation } from "./round-robin.ts";

/** An origin, as far as balancing is concerned. Callers pass their own origins and get one of them back. */
export interface Candidate {
  /** Unique within the service. */
  readonly id: string;
  /** >= 0; 0 = no new traffic. */
  readonly weight: number;
}

/** `ewma`: the cost of an origin, as it was at one moment; see `ewma.ts`. */
export interface Cost {
  ms: number;
  atMs: number;
}

/** What one isolate remembers of one service's origins. Mutable; bounded by `retain`. */
export interface LoadState {
  /** Requests under way by origin id, of those that began since `turnedAtMs`; an origin with none has no entry. */
  inFlight: Map<string, number>;
  /** The same, of those that began in the turn before. */
  older: Map<string, number>;
  /** Sums of the two, so that nobody need add up 1,000 origins for each request. */
  inFlightTotal: number;
  olderTotal: number;
  /** Number of the turn. */
  turn: number;
  turnedAtMs: number;
  /** Round-robin: the rotation that was used last; null: none, or an origin has left since. */
  rotation: Rotation | null;
  /** Costs by origin id; an origin that has not answered yet has no entry. */
  readonly costs: Map<string, Cost>;
  /** Slow start: when each origin came or came back; `-Infinity` for those that were there before this isolate. */
  readonly sinceMs: Map<string, number>;
  /** The latest of them, to see at a glance that all are old. */
  newestMs: number;
}

/** What a choice depends on beside the candidates. */
export interface BalancingContext {
  readonly state: LoadState;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly nowMs: number;
  /** `consistent-hash`: the key of the request; null when it has none, and with any other policy. */
  readonly hashKey: string | null;
}

/** Chooses among candidates, of which there is at least one. */
export type Balancer = <C extends Candidate>(pool: Pool<C>, context: BalancingContext) => C;

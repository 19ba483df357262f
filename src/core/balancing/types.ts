/** The one interface that every balancing policy has. */

/** An origin, as far as balancing is concerned. Callers pass their own origins and get one of them back. */
export interface Candidate {
  /** Unique within the service. */
  readonly id: string;
  /** >= 0; 0 = no new traffic. */
  readonly weight: number;
}

/** What one isolate remembers of one service's origins. Mutable; bounded by `retain`. */
export interface LoadState {
  /** Requests under way by origin id, of those that began since `turnedAtMs`; an origin with none has no entry. */
  inFlight: Map<string, number>;
  /** The same, of those that began in the turn before. */
  older: Map<string, number>;
  turnedAtMs: number;
  /** Round-robin: how far an origin is behind (> 0) or ahead (< 0) of its share, in requests. */
  readonly credits: Map<string, number>;
}

/** Chooses among candidates, of which there is at least one and all have a weight > 0. `random` is uniform in [0, 1). */
export type Balancer = <C extends Candidate>(candidates: readonly C[], state: LoadState, random: () => number) => C;

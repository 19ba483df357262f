/** The one interface that every balancing policy has. */

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
  /** Number of the turn. */
  turn: number;
  turnedAtMs: number;
  /** Round-robin: how far an origin is behind (> 0) or ahead (< 0) of its share, in requests. */
  readonly credits: Map<string, number>;
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
  /** `consistent-hash`: the key of the request; null when it has none. */
  readonly hashKey: string | null;
}

/** Chooses among candidates, of which there is at least one and all have a weight > 0. */
export type Balancer = <C extends Candidate>(candidates: readonly C[], context: BalancingContext) => C;

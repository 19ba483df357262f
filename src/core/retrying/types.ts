/** When a request may be sent again. */

/** `retries` of a route, compiled. */
export interface RetryPolicy {
  /** How often a request may be retried; 0 = never. */
  readonly attempts: number;
  /** Statuses of an origin that are retried. */
  readonly codes: ReadonlySet<number>;
  /** Full jitter: the n-th pause is uniform in [0, min(maxBackoffMs, backoffMs * 2^n)). */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** A body up to this size is kept to be sent again; above it there is no retry. */
  readonly bodyBytes: number;
  readonly budget: RetryBudget;
}

/** Over 10 s, per service and isolate: retries <= max(percent of the requests, minPerSecond * 10). */
export interface RetryBudget {
  /** In [0, 100]. */
  readonly percent: number;
  /** >= 0. */
  readonly minPerSecond: number;
}

/** `hedging` of a route: a second request to another origin when the first is slower than most. */
export interface HedgingPolicy {
  /** Of this isolate's latencies of the service, in (0, 100): the hedge is sent after it. */
  readonly percentile: number;
  /** The hedge is never sent earlier. */
  readonly minDelayMs: number;
}

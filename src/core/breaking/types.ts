/**
 * Shapes that the health object's book, the isolate's sense of a service and the wire between them share. Counts are
 * integers; times are durations in ms, never moments: clocks of isolates and objects are not compared.
 */

/** Thresholds of one circuit breaker. */
export interface BreakerSettings {
  /** Length of the rolling window, > 0. */
  readonly windowMs: number;
  /** Results in the window below which rates trip nothing; >= 1. */
  readonly minimumRequests: number;
  /** Share of failures that opens, in (0, 1]. */
  readonly failureRate: number;
  /** Time to the response's headers from which a call is slow; > 0. */
  readonly slowCallMs: number;
  /** Share of slow calls that opens, in (0, 1]. 1: only when every call is slow. */
  readonly slowCallRate: number;
  /** Failures in a row that open, whatever the rates say; 0 = off. */
  readonly consecutiveFailures: number;
  /** First time for which it stays open; doubled by each failed half-open, up to `maxOpenMs`, +-20 % jitter. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** Probes that a half-open breaker lets through in the whole world, and successes that close it; >= 1. */
  readonly halfOpenProbes: number;
  /** After closing, the share of requests that is admitted rises from 10 to 100 % in this time; 0 = at once. */
  readonly recoveryMs: number;
}

/** When single origins are taken out (Envoy's outlier detection). */
export interface OutlierSettings {
  /** Failures in a row, >= 1. */
  readonly consecutiveFailures: number;
  /** First ejection; multiplied by how often the origin was ejected, up to `bounds.ejectionMsMax`, +-20 % jitter. */
  readonly baseEjectionMs: number;
  /** Share of the service's origins that may be out at once, in percent; one always may, unless it is 0. */
  readonly maxEjectionPercent: number;
}

/** What a service is judged by. The object keeps those of the highest revision that it has seen. */
export interface HealthSettings {
  /** Of the configuration. */
  readonly revision: number;
  readonly breaker: BreakerSettings | null;
  readonly outlier: OutlierSettings | null;
  /** Requests of the service under way at once in the whole world; 0 = no limit. */
  readonly maxConcurrent: number;
}

/** What became of a request to an origin. `ignored`: neither success nor failure (4xx, a client that left, our own refusals). */
export type CallOutcome = "ok" | "fail" | "ignored";

/** Results of one origin in one slot of one isolate. */
export interface Cell {
  /** "" for origins without a version. */
  readonly version: string;
  readonly origin: string;
  /** Of the version's breaker when these requests began (B3). */
  readonly generation: number;
  /** Age of the oldest of them when the report is made. */
  readonly ageMs: number;
  readonly ok: number;
  readonly fail: number;
  /** Those of `ok` and `fail` that were slow. */
  readonly slow: number;
  readonly ignored: number;
  /** Failures since the last success, at the end of the slot; equals `fail` when `ok` is 0. */
  readonly tail: number;
}

/** A permit to try an origin while the breaker is half-open. */
export interface ProbeResult {
  readonly version: string;
  readonly permit: string;
  readonly generation: number;
  /** `ignored`: the probe has said nothing, or was not used; the permit goes back. */
  readonly outcome: CallOutcome;
}

export interface ConcurrencyAsk {
  readonly inFlight: number;
  /** The isolate lowers its own claim to `max(inFlight, wanted)` when it asks, so that what is given back is free at once. */
  readonly held: number;
  readonly wanted: number;
}

/** What an isolate tells the object of one service, and asks of it. */
export interface HealthReport {
  /** Random, never used again. */
  readonly isolate: string;
  /** Rises with every report of the isolate on this service. A number that was seen, or is lower, counts nothing. */
  readonly seq: number;
  readonly settings: HealthSettings;
  /** Origins of the service that the isolate knows. */
  readonly origins: number;
  readonly cells: readonly Cell[];
  readonly probes: readonly ProbeResult[];
  /** Probes that the isolate could use now, by version: requests that it has refused. */
  readonly wants: readonly { readonly version: string; readonly probes: number }[];
  /**
   * Requests of the service under way here, how many may be by the last grant that is still in force, and how many should
   * be; null without `maxConcurrent`.
   */
  readonly concurrency: ConcurrencyAsk | null;
}

export type BreakerState = "closed" | "open" | "half-open";
/** What an operator has ordered; `auto`: nothing. */
export type Forced = "auto" | "forced-open" | "disabled";

/** The breaker of one version, as everybody may know it. */
export interface BreakerView {
  readonly version: string;
  readonly state: BreakerState;
  readonly generation: number;
  readonly forced: Forced;
  /** Open: time until it is half-open; else 0. */
  readonly openForMs: number;
  /** Closed: time since it closed, while the ramp lasts; else null. */
  readonly recoveringForMs: number | null;
}

export interface Ejection {
  readonly origin: string;
  readonly forMs: number;
}

/** What the manifest carries for isolates that have not reported: versions that have ever had a transition. */
export interface PublishedHealth {
  /** Of the object's book; rises with every transition. */
  readonly revision: number;
  /** For versions that are not in `breakers`. */
  readonly forced: Forced;
  readonly breakers: readonly BreakerView[];
  readonly ejected: readonly Ejection[];
}

/** The object's answer to a report. */
export interface HealthReply extends PublishedHealth {
  readonly seq: number;
  /** Permits for this isolate alone. One must be used within `useWithinMs` and reported within `reportWithinMs`. */
  readonly probes: readonly {
    readonly version: string;
    readonly generation: number;
    readonly permits: readonly string[];
    readonly useWithinMs: number;
    readonly reportWithinMs: number;
  }[];
  /** Requests that the isolate may have under way, for `ttlMs`; null without `maxConcurrent`. */
  readonly concurrency: { readonly granted: number; readonly ttlMs: number } | null;
  /** Isolates that reported lately. */
  readonly isolates: number;
  /** Pause until the next report when nothing is urgent. */
  readonly nextReportMs: number;
}

/** A transition, for the operator. `version` "" stands for origins without one. */
export type HealthEvent =
  | {
      readonly type: "breaker_opened";
      readonly version: string;
      readonly generation: number;
      readonly reason: "failure_rate" | "slow_call_rate" | "consecutive_failures" | "probe_failed";
      readonly openForMs: number;
    }
  | { readonly type: "breaker_half_open" | "breaker_closed"; readonly version: string; readonly generation: number }
  /** `version` null: the whole service. */
  | { readonly type: "breaker_forced"; readonly version: string | null; readonly forced: Forced }
  | { readonly type: "origin_ejected"; readonly origin: string; readonly forMs: number; readonly times: number }
  /** `settings`: nothing may be ejected any more. */
  | { readonly type: "origin_returned"; readonly origin: string; readonly reason: "time" | "check" | "settings" };

/** Client-side throttling (Google SRE book, "Handling Overload"), per isolate: answers 429 and 503 of origins make it refuse. */
export interface ThrottleSettings {
  /** Length of the rolling window, > 0. */
  readonly windowMs: number;
  /** `K`: requests let through per accepted one, > 1; 2 in the book. */
  readonly ratio: number;
}

/** Adaptive concurrency by the gradient of the latency, per isolate. */
export interface GradientSettings {
  /** Requests under way that are always allowed, >= 1. */
  readonly minConcurrency: number;
  readonly maxConcurrency: number;
}

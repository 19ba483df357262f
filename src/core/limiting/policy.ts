/** What follows from the windows of a limit: how long a lease may be, what one request may cost. */
import { limits } from "./limits.ts";
import type { WindowSpec } from "./types.ts";

export type Consistency = "leased" | "exact" | "approximate";
export type OnUnavailable = "share" | "deny" | "allow";

/** One limit as the isolate uses it. Make it once per configuration with `policyOf`, not per request. */
export interface Policy {
  /** At least one; all are charged together. */
  readonly windows: readonly WindowSpec[];
  readonly consistency: Consistency;
  readonly onUnavailable: OnUnavailable;
  /** Rises with every change of the configuration. */
  readonly version: number;
  /** Length of a lease in ms; 0: the object is asked for every request. */
  readonly leaseMs: number;
  /** A request that costs more is never admitted: the smallest window does not hold it. */
  readonly costMax: number;
  /** A request that costs more than this is asked for on its own: a lease could never cover it. */
  readonly leasedCostMax: number;
}

export interface PolicyConfig {
  readonly windows: readonly WindowSpec[];
  readonly consistency: Consistency;
  readonly onUnavailable: OnUnavailable;
  readonly version: number;
}

/** Derives the numbers of a policy. */
export function policyOf(config: PolicyConfig): Policy {
  const leaseMs = config.consistency === "exact" ? 0 : leaseMsOf(config.windows);
  return {
    ...config,
    leaseMs,
    costMax: Math.min(...config.windows.map(quotaOf)),
    leasedCostMax: Math.min(...config.windows.map((spec) => leasedQuotaOf(spec, limits.leaseMsMin))),
  };
}

/** Quota of a window, `q` of the `RateLimit-Policy` field: its limit, or a bucket's burst. */
export function quotaOf(spec: WindowSpec): number {
  return "limit" in spec ? spec.limit : spec.burst;
}

/** Length of a window in ms, `w` of the `RateLimit-Policy` field; of a bucket, the time in which the burst refills. */
export function windowMsOf(spec: WindowSpec): number {
  switch (spec.kind) {
    case "calendar-window":
      return calendarMs[spec.unit];
    case "token-bucket":
    case "leaky-bucket":
      return (spec.burst / spec.rate) * 1_000;
    default:
      return spec.windowMs;
  }
}

const calendarMs = { minute: 60_000, hour: 3_600_000, day: 86_400_000, month: 31 * 86_400_000 } as const;

/** Length of a lease that all windows allow, in ms, before it is cut to the end of a fixed window; 0: no leases. */
export function leaseMsOf(windows: readonly WindowSpec[]): number {
  return Math.min(...windows.map(windowLeaseMs));
}

function windowLeaseMs(spec: WindowSpec): number {
  switch (spec.kind) {
    case "token-bucket":
      return bucketLeaseMs(spec);
    case "leaky-bucket":
      return spec.maxDelayMs > 0 ? 0 : bucketLeaseMs(spec);
    default:
      return plainLeaseMs(spec.kind === "sliding-window", spec.limit, windowMsOf(spec));
  }
}

function plainLeaseMs(sliding: boolean, limit: number, windowMs: number): number {
  if (windowMs < limits.leasedWindowMsMin) {
    if (limit * 1_000 <= limits.exactPerSecondMax * windowMs) return 0;
    return limits.leaseMsMin;
  }
  const leaseMsMin = sliding ? limits.slidingLeaseMsMin : Math.min(windowMs, limits.fixedLeaseMsMin);
  return Math.floor(Math.min(limits.leaseMsMax, Math.max(leaseMsMin, windowMs / limits.leaseDivisor)));
}

function bucketLeaseMs({ rate, burst }: { readonly rate: number; readonly burst: number }): number {
  const refillMs = (burst / rate) * 1_000;
  if (burst < limits.leasedBurstMin || refillMs < 2 * limits.leaseMsMin) return 0;
  return Math.floor(Math.min(limits.leaseMsMax, Math.max(limits.leaseMsMin, refillMs / limits.bucketLeaseDivisor)));
}

/** Permits of an untouched window that can be leased for `ttlMs`. */
function leasedQuotaOf(spec: WindowSpec, ttlMs: number): number {
  return "limit" in spec ? spec.limit : Math.floor(spec.burst - (spec.rate * ttlMs) / 1_000);
}

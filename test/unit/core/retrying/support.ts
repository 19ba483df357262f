import type { RetryPolicy } from "../../../../src/core/retrying/types.ts";

/** Two retries of 502 and 503, with pauses from 25 up to 250 ms, changed as `given` says. */
export function policy(given: Partial<RetryPolicy> = {}): RetryPolicy {
  return {
    attempts: 2,
    codes: new Set([502, 503]),
    backoffMs: 25,
    maxBackoffMs: 250,
    bodyBytes: 65_536,
    budget: { percent: 20, minPerSecond: 10 },
    ...given,
  };
}

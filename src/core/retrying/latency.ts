/** Latencies of a service in one isolate, and when a request is slow enough for a second one (hedging). */
import { bounds } from "../../bounds.ts";
import { add, newRolling, type Rolling, total } from "../rolling.ts";
import { limits } from "./limits.ts";
import type { HedgingPolicy } from "./types.ts";

/*
 * Buckets as in DDSketch (Masson, Rim, Lee 2019): bucket i holds (ratio^(i-1), ratio^i] ms and stands for the value in
 * it that no member is further from than `latencyErrorMax` of itself.
 */
const ratio = (1 + limits.latencyErrorMax) / (1 - limits.latencyErrorMax);
const logRatio = Math.log(ratio);
const lastBucket = Math.ceil(Math.log(bounds.requestTimeoutMsMax) / logRatio);
/** The counter after the buckets: all samples. */
const samples = lastBucket + 1;

/** A histogram over the last `bounds.hedgingWindowMs`; about 5 KB. */
export type LatencyState = Rolling;

/** The state of a service that was never called. */
export function newLatencyState(): LatencyState {
  return newRolling(bounds.hedgingWindowMs, limits.latencySlots, samples + 1);
}

/**
 * Notes the time to an answer's headers, of any origin. A try that was given up because another answered first is noted
 * with the time it had taken by then: if only the fast ones counted, the percentile would sink with every hedge. Below
 * 1 ms counts as 1 ms, above `bounds.requestTimeoutMsMax` as that.
 */
export function noteLatency(state: LatencyState, latencyMs: number, nowMs: number): void {
  const bucket = Math.ceil(Math.log(Math.max(1, latencyMs)) / logRatio);
  add(state, Math.min(bucket, lastBucket), 1, nowMs);
  add(state, samples, 1, nowMs);
}

/**
 * The latency that `p` percent of the requests do not exceed, p in (0, 100], within `latencyErrorMax` of the sample that
 * has that rank (nearest rank). null with fewer than `bounds.hedgingSamplesMin` samples.
 */
export function percentileMs(state: LatencyState, p: number, nowMs: number): number | null {
  const count = total(state, samples, nowMs);
  if (count < bounds.hedgingSamplesMin) return null;
  let rest = Math.ceil((p * count) / 100);
  let bucket = -1;
  while (rest > 0) rest -= state.totals[++bucket]!;
  return (2 * ratio ** bucket) / (1 + ratio);
}

/** How long to wait for an answer before the hedge is sent; null: too little is known, send none. */
export function hedgeDelayMs(policy: HedgingPolicy, state: LatencyState, nowMs: number): number | null {
  const delay = percentileMs(state, policy.percentile, nowMs);
  return delay === null ? null : Math.max(policy.minDelayMs, delay);
}

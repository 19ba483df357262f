/** What a closed breaker has counted, and whether that is enough to open it. */
import { add, newRolling, type Rolling, total } from "../rolling.ts";
import { limits } from "./limits.ts";
import { extend, newRun, type Run, together } from "./run.ts";
import type { BreakerSettings, Cell, HealthEvent } from "./types.ts";

export type TripReason = Extract<HealthEvent, { readonly type: "breaker_opened" }>["reason"];

/** Counts of one breaker in one generation; in memory only. */
export interface Window {
  readonly windowMs: number;
  readonly rolling: Rolling;
  readonly run: Run;
}

export interface Counts {
  /** Successes and failures; what was ignored is in no count. */
  readonly requests: number;
  readonly failures: number;
  readonly slow: number;
}

const counters = { requests: 0, failures: 1, slow: 2 } as const;

export function newWindow(windowMs: number): Window {
  return { windowMs, rolling: newRolling(windowMs, limits.windowSlots, 3), run: newRun() };
}

/** Counts results of one version; those as old as the window are left out. Returns whether any was counted. */
export function count(window: Window, cells: readonly Cell[], nowMs: number): boolean {
  const recent = cells.filter(({ ageMs }) => ageMs < window.windowMs);
  if (recent.length === 0) return false;
  for (const { ok, fail, slow, ageMs } of recent) {
    add(window.rolling, counters.requests, ok + fail, nowMs, ageMs);
    add(window.rolling, counters.failures, fail, nowMs, ageMs);
    add(window.rolling, counters.slow, slow, nowMs, ageMs);
  }
  extend(window.run, together(recent), nowMs);
  return true;
}

/** Counts one result of now. As `count` does, without making lists: this runs for every request of an isolate. */
export function countOne(window: Window, isFailure: boolean, isSlow: boolean, nowMs: number): void {
  add(window.rolling, counters.requests, 1, nowMs);
  if (isFailure) add(window.rolling, counters.failures, 1, nowMs);
  if (isSlow) add(window.rolling, counters.slow, 1, nowMs);
  extend(window.run, isFailure ? oneFailure : oneSuccess, nowMs);
}

const oneSuccess = { ok: 1, fail: 0, tail: 0, ageMs: 0 } as const;
const oneFailure = { ok: 0, fail: 1, tail: 1, ageMs: 0 } as const;

/** What the window holds now. */
export function countsOf(window: Window, nowMs: number): Counts {
  const of = (counter: number) => total(window.rolling, counter, nowMs);
  return { requests: of(counters.requests), failures: of(counters.failures), slow: of(counters.slow) };
}

/** Why the breaker must open now; null: it need not. */
export function reasonToOpen(window: Window, settings: BreakerSettings, nowMs: number): TripReason | null {
  const { requests, failures, slow } = countsOf(window, nowMs);
  if (requests >= settings.minimumRequests) {
    if (failures / requests >= settings.failureRate) return "failure_rate";
    if (slow / requests >= settings.slowCallRate) return "slow_call_rate";
  }
  const { consecutiveFailures } = settings;
  return consecutiveFailures > 0 && window.run.failures >= consecutiveFailures ? "consecutive_failures" : null;
}

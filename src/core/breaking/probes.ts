/** Permits of a half-open breaker: at most `halfOpenProbes` live in the whole world (B2), and each ends by itself (B7). */
import { bounds } from "../../bounds.ts";
import { type Breaker, close, open } from "./breaker.ts";
import type { Change } from "./change.ts";
import type { BreakerSettings, CallOutcome, ProbeResult } from "./types.ts";

/**
 * Issues up to `wanted` permits, good for `bounds.probeUseMs + bounds.probeResultMs`. None unless the breaker is
 * half-open and has places: a success keeps its place, so that at most `halfOpenProbes` requests reach the origin in a
 * generation in which no result is lost.
 */
export function grant(
  breaker: Breaker,
  settings: BreakerSettings,
  wanted: number,
  nowMs: number,
  change: Change,
): string[] {
  if (breaker.state !== "half-open") return [];
  const places = settings.halfOpenProbes - breaker.successes - breaker.permits.size;
  const permits: string[] = [];
  while (permits.length < Math.min(wanted, places)) {
    breaker.issued += 1;
    permits.push(`${breaker.generation}.${breaker.issued}`);
  }
  for (const permit of permits) breaker.permits.set(permit, nowMs + bounds.probeUseMs + bounds.probeResultMs);
  if (permits.length > 0) change.changed = true;
  return permits;
}

/** Takes the result of a probe, once, and only while its permit is out (B3). */
export function settle(
  breaker: Breaker,
  settings: BreakerSettings,
  probe: ProbeResult,
  nowMs: number,
  random: () => number,
  change: Change,
): void {
  if (probe.generation !== breaker.generation || !breaker.permits.delete(probe.permit)) return;
  change.changed = true;
  if (probe.outcome === "fail") open(breaker, settings, "probe_failed", nowMs, random, change);
  else if (probe.outcome === "ok") breaker.successes += 1;
  closeIfProven(breaker, settings, nowMs, change);
}

/** Closes a breaker that has its successes (only a half-open one has any), also when the settings now ask for fewer. */
export function closeIfProven(breaker: Breaker, settings: BreakerSettings, nowMs: number, change: Change): void {
  if (breaker.successes >= settings.halfOpenProbes) close(breaker, settings.recoveryMs, nowMs, change);
}

/**
 * What an isolate reports for a probe. A slow one fails, for a version that answers too slowly is what may have opened
 * the breaker; not so with a `slowCallRate` of 1, by which single slow calls are no fault.
 */
export function probeOutcome(outcome: CallOutcome, isSlow: boolean, settings: BreakerSettings): CallOutcome {
  return outcome === "ok" && isSlow && settings.slowCallRate < 1 ? "fail" : outcome;
}

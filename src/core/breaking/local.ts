/**
 * The isolate's own breaker of one version: the reflex that acts before the object knows, and in its place while it is
 * away. By the same thresholds over the results of this isolate alone; half-open it tries one request at a time.
 */
import { bounds } from "../../bounds.ts";
import { backoffMs } from "./breaker.ts";
import { jittered } from "./limits.ts";
import type { Permit } from "./sense-state.ts";
import type { BreakerSettings, CallOutcome } from "./types.ts";
import { countOne, newWindow, reasonToOpen, type Window } from "./window.ts";

export interface Local {
  /** Of the version's breaker; the object's next transition voids this one. */
  readonly generation: number;
  isOpen: boolean;
  /** When it opened or closed; results of requests from before count nothing. */
  sinceMs: number;
  /** Times it opened in a row without a whole recovery in between. Closed, with some: the ramp lasts. */
  attempts: number;
  /** Open: when a probe may go; null: the next request draws it. */
  probeAtMs: number | null;
  /** Open: the probe that is under way. */
  probe: Permit | null;
  /** null: nothing counted yet. */
  window: Window | null;
}

/** A closed breaker that has counted nothing. */
export function newLocal(generation: number): Local {
  return {
    generation,
    isOpen: false,
    sinceMs: Number.NEGATIVE_INFINITY,
    attempts: 0,
    probeAtMs: null,
    probe: null,
    window: null,
  };
}

function enter(local: Local, isOpen: boolean, nowMs: number): void {
  local.isOpen = isOpen;
  local.sinceMs = nowMs;
  local.probeAtMs = null;
  local.probe = null;
  local.window = null;
}

/** Opens it, for longer each time. */
export function openLocal(local: Local, nowMs: number): void {
  enter(local, true, nowMs);
  local.attempts += 1;
}

/** When an open one lets a probe go. One that has no result after `bounds.probeResultMs` has failed (B7). */
export function probeAtMsOf(local: Local, settings: BreakerSettings, nowMs: number, random: () => number): number {
  const { probe } = local;
  if (probe !== null && nowMs - probe.startedAtMs >= bounds.probeResultMs) openLocal(local, nowMs);
  local.probeAtMs ??= local.sinceMs + jittered(backoffMs(settings, local.attempts - 1), random);
  return local.probeAtMs;
}

/** Ends a probe. Of one that was given up, nothing. */
export function endProbe(local: Local, probe: Permit, outcome: CallOutcome, nowMs: number): void {
  if (local.probe !== probe) return;
  local.probe = null;
  if (outcome === "ok") enter(local, false, nowMs);
  else if (outcome === "fail") openLocal(local, nowMs);
}

/** Counts a result, and opens if that is reason to. Returns whether it, or a row of failures, is worth a report at once. */
export function countLocally(
  local: Local,
  settings: BreakerSettings,
  startedAtMs: number,
  outcome: "ok" | "fail",
  isSlow: boolean,
  nowMs: number,
): boolean {
  if (local.isOpen || startedAtMs < local.sinceMs) return false;
  if (local.window?.windowMs !== settings.windowMs) local.window = newWindow(settings.windowMs);
  const { window } = local;
  countOne(window, outcome === "fail", isSlow, nowMs);
  const isRow = window.run.failures === bounds.senseFailuresUrgent;
  if (reasonToOpen(window, settings, nowMs) === null) return isRow;
  openLocal(local, nowMs);
  return true;
}

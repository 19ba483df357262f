/**
 * The breaker of one version, for the whole world. Every transition raises the generation, forgets all counts and voids
 * all permits, so a result counts only for the generation in which its request began (B3).
 */
import { type Change, show } from "./change.ts";
import { jittered } from "./limits.ts";
import type { BreakerSettings, BreakerState, Cell, Forced } from "./types.ts";
import { count, newWindow, reasonToOpen, type TripReason, type Window } from "./window.ts";

export interface Breaker {
  readonly version: string;
  /** Of a forced breaker: `open` when forced open, else `closed`. */
  state: BreakerState;
  generation: number;
  forced: Forced;
  /** Open and not forced: when it becomes half-open; else 0. */
  untilMs: number;
  /** Times it opened in a row without a whole recovery in between. */
  attempts: number;
  /** When it closed, while the ramp lasts; else null. */
  closedAtMs: number | null;
  /** Half-open: probes that succeeded. They use up their places: successes + permits out <= `halfOpenProbes`. */
  successes: number;
  /** Half-open: permits that are out, with the moment from which they are void. */
  readonly permits: Map<string, number>;
  /** Permits ever issued: makes their ids unique. */
  issued: number;
  /** In memory only; null: nothing counted yet. */
  window: Window | null;
  /** When it was last heard of; in memory only. */
  seenMs: number;
}

/** A closed breaker that has counted nothing. */
export function newBreaker(version: string, generation: number, forced: Forced): Breaker {
  return {
    version,
    state: forced === "forced-open" ? "open" : "closed",
    generation,
    forced,
    untilMs: 0,
    attempts: 0,
    closedAtMs: null,
    successes: 0,
    permits: new Map(),
    issued: 0,
    window: null,
    seenMs: 0,
  };
}

/** Without the event, which differs. */
function enter(breaker: Breaker, state: BreakerState): void {
  breaker.state = state;
  breaker.generation += 1;
  breaker.untilMs = 0;
  breaker.closedAtMs = null;
  breaker.successes = 0;
  breaker.permits.clear();
  breaker.window = null;
}

/** Time for which it stays open, before jitter: doubled by each attempt before this one. */
export function backoffMs(settings: BreakerSettings, attempts: number): number {
  return Math.min(settings.maxOpenMs, settings.openMs * 2 ** attempts);
}

/** Closed or half-open -> open. */
export function open(
  breaker: Breaker,
  settings: BreakerSettings,
  reason: TripReason,
  nowMs: number,
  random: () => number,
  change: Change,
): void {
  enter(breaker, "open");
  const openForMs = jittered(backoffMs(settings, breaker.attempts), random);
  breaker.untilMs = nowMs + openForMs;
  breaker.attempts += 1;
  const { version, generation } = breaker;
  show(change, { type: "breaker_opened", version, generation, reason, openForMs });
}

/** Half-open -> closed, with a ramp of `recoveryMs`; without one it has recovered at once. */
export function close(breaker: Breaker, recoveryMs: number, nowMs: number, change: Change): void {
  enter(breaker, "closed");
  if (recoveryMs > 0) breaker.closedAtMs = nowMs;
  else breaker.attempts = 0;
  show(change, { type: "breaker_closed", version: breaker.version, generation: breaker.generation });
}

/** When time alone alters this breaker next; infinite when it never does. */
export function dueMs(breaker: Breaker, settings: BreakerSettings | null): number {
  if (breaker.forced !== "auto") return Number.POSITIVE_INFINITY;
  if (breaker.state === "open") return breaker.untilMs;
  if (breaker.state === "half-open") return Math.min(...breaker.permits.values());
  return breaker.closedAtMs === null ? Number.POSITIVE_INFINITY : breaker.closedAtMs + (settings?.recoveryMs ?? 0);
}

/** Does what is due: open -> half-open, the end of permits (B7), the end of the ramp and with it of the backoff. */
export function tickBreaker(breaker: Breaker, settings: BreakerSettings | null, nowMs: number, change: Change): void {
  if (dueMs(breaker, settings) > nowMs) return;
  if (breaker.state === "open") {
    enter(breaker, "half-open");
    show(change, { type: "breaker_half_open", version: breaker.version, generation: breaker.generation });
  } else if (breaker.state === "half-open") {
    for (const [permit, untilMs] of breaker.permits) if (untilMs <= nowMs) breaker.permits.delete(permit);
  } else {
    breaker.closedAtMs = null;
    breaker.attempts = 0;
    show(change);
  }
}

/** Counts results of this version that began in this generation, and opens the breaker if they are reason to. */
export function judge(
  breaker: Breaker,
  settings: BreakerSettings,
  cells: readonly Cell[],
  nowMs: number,
  random: () => number,
  change: Change,
): void {
  if (breaker.forced !== "auto" || breaker.state !== "closed") return;
  if (breaker.window?.windowMs !== settings.windowMs) breaker.window = newWindow(settings.windowMs);
  const own = cells.filter(({ generation }) => generation === breaker.generation);
  if (!count(breaker.window, own, nowMs)) return;
  const reason = reasonToOpen(breaker.window, settings, nowMs);
  if (reason !== null) open(breaker, settings, reason, nowMs, random, change);
}

/**
 * Puts an order in force or, with `auto`, ends it: the breaker begins anew, closed and without a ramp. This is a
 * transition too; without its event, since one may stand for the whole service. Returns false when it was so already.
 */
export function forceBreaker(breaker: Breaker, forced: Forced): boolean {
  if (breaker.forced === forced) return false;
  enter(breaker, forced === "forced-open" ? "open" : "closed");
  breaker.forced = forced;
  breaker.attempts = 0;
  return true;
}

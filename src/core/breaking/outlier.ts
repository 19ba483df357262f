/**
 * Ejection of single origins, as Envoy's outlier detection has it: by failures in a row in the whole world, for longer
 * each time, and only so many at once.
 */
import { bounds } from "../../bounds.ts";
import { type Change, show } from "./change.ts";
import { jittered } from "./limits.ts";
import { extend, newRun, type Run } from "./run.ts";
import type { Cell, OutlierSettings } from "./types.ts";

export interface OriginHealth {
  /** In memory only. */
  run: Run;
  /** End of the ejection; null: not ejected. */
  untilMs: number | null;
  /** Times ejected, as of `sinceMs`: one is forgiven for each `baseEjectionMs` since then. */
  times: number;
  /** When the last ejection ended. */
  sinceMs: number;
}

export type Origins = Map<string, OriginHealth>;

/** Times ejected that are not forgiven yet. */
export function timesOf(origin: OriginHealth, settings: OutlierSettings | null, nowMs: number): number {
  if (origin.untilMs !== null || settings === null) return origin.times;
  return Math.max(0, origin.times - Math.floor(Math.max(0, nowMs - origin.sinceMs) / settings.baseEjectionMs));
}

/** How many of `count` origins may be out at once. */
export function ejectedMax(settings: OutlierSettings, count: number): number {
  const percent = settings.maxEjectionPercent;
  return percent <= 0 ? 0 : Math.max(1, Math.floor((percent * count) / 100));
}

function ejectedNow(origins: Origins): number {
  let count = 0;
  for (const { untilMs } of origins.values()) if (untilMs !== null) count++;
  return count;
}

/** Takes a returned origin in: what began before its return does not count against it. */
function giveBack(origin: OriginHealth, atMs: number): void {
  origin.untilMs = null;
  origin.sinceMs = atMs;
  origin.run = newRun(atMs);
}

/** Ends the ejections whose time is over. */
export function tickOrigins(origins: Origins, nowMs: number, change: Change): void {
  for (const [id, origin] of origins) {
    if (origin.untilMs === null || origin.untilMs > nowMs) continue;
    giveBack(origin, origin.untilMs);
    show(change, { type: "origin_returned", origin: id, reason: "time" });
  }
}

/** Ends the ejections of origins that passed an active check, or of all because nothing may be ejected any more. */
export function giveBackNow(
  origins: Origins,
  ids: Iterable<string>,
  reason: "check" | "settings",
  nowMs: number,
  change: Change,
): void {
  for (const id of ids) {
    const origin = origins.get(id);
    if (origin === undefined || origin.untilMs === null) continue;
    giveBack(origin, nowMs);
    show(change, { type: "origin_returned", origin: id, reason });
  }
}

/**
 * Counts a cell of an origin, and ejects it at `consecutiveFailures` in a row if a place is free; if none is, the next
 * failure tries again. While it is ejected nothing counts. `count`: origins of the service.
 */
export function countOrigin(
  origins: Origins,
  cell: Cell,
  settings: OutlierSettings,
  count: number,
  nowMs: number,
  random: () => number,
  change: Change,
): void {
  const origin = originOf(origins, cell.origin);
  if (origin === undefined || origin.untilMs !== null) return;
  extend(origin.run, cell, nowMs);
  if (origin.run.failures < settings.consecutiveFailures) return;
  if (ejectedNow(origins) >= ejectedMax(settings, count)) return;
  const times = timesOf(origin, settings, nowMs) + 1;
  const forMs = jittered(Math.min(bounds.ejectionMsMax, settings.baseEjectionMs * times), random);
  origins.set(cell.origin, { run: newRun(), untilMs: nowMs + forMs, times, sinceMs: nowMs });
  show(change, { type: "origin_ejected", origin: cell.origin, forMs, times });
}

/** Finds or makes the entry, as the one seen last; over the bound the one unseen for longest that is in is forgotten. */
function originOf(origins: Origins, id: string): OriginHealth | undefined {
  const origin = origins.get(id) ?? { run: newRun(), untilMs: null, times: 0, sinceMs: 0 };
  if (!origins.delete(id) && origins.size >= bounds.healthOriginsMax) {
    const oldest = [...origins].find(([, { untilMs }]) => untilMs === null);
    if (oldest === undefined) return undefined;
    origins.delete(oldest[0]);
  }
  origins.set(id, origin);
  return origin;
}

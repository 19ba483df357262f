/** When which origin is checked. */
import { bounds } from "../../bounds.ts";
import { nextRun } from "./judge.ts";
import type { Check, CheckSettings, Checks } from "./types.ts";

/** How far a pause between two checks may be off, so that origins which came together do not stay together. */
const jitter = 0.1;

/** The checks of a registry that has just started. */
export function newChecks(): Checks {
  return { settings: null, records: new Map(), running: new Set() };
}

/**
 * Follows what is to be checked. Origins that left are dropped; new ones, and ones that have moved, begin. After a change of settings every origin begins anew, for its results were judged by other rules.
 *
 * @param targets URL by id. @param random in [0, 1).
 */
export function follow(
  checks: Checks,
  settings: CheckSettings | null,
  targets: ReadonlyMap<string, string>,
  nowMs: number,
  random: () => number,
): void {
  if (!isSame(checks.settings, settings)) {
    checks.settings = settings;
    checks.records.clear();
  }
  for (const id of checks.records.keys()) if (!targets.has(id)) checks.records.delete(id);
  if (settings === null) return;
  const spreadMs = Math.min(settings.intervalMs, bounds.checkSpreadMs);
  for (const [id, url] of targets) {
    if (checks.records.get(id)?.url === url) continue;
    checks.records.set(id, { url, run: 0, nextMs: nowMs + spreadMs * random() });
  }
}

/** Starts the checks that are due, those that have waited longest first, as far as places are free. */
export function start(checks: Checks, nowMs: number): Check[] {
  const { settings, records, running } = checks;
  // A check always ends. Should one not, the places must not run out.
  for (const check of running) if (check.lostMs <= nowMs) running.delete(check);
  if (settings === null) return [];
  const due = [...records]
    .filter(([, { nextMs }]) => nextMs <= nowMs)
    .sort(([idA, a], [idB, b]) => a.nextMs - b.nextMs || (idA < idB ? -1 : 1))
    .slice(0, bounds.checksAtOnceMax - running.size);
  return due.map(([origin, record]) => {
    const lostMs = nowMs + settings.timeoutMs + bounds.checkLostMs;
    const check = { origin, url: record.url, settings, lostMs };
    records.set(origin, { ...record, nextMs: lostMs });
    running.add(check);
    return check;
  });
}

/**
 * Ends a check. The run after it; null when the result counts for nothing, because the origin has left or moved, the
 * settings have changed, or the check was lost.
 */
export function finish(
  checks: Checks,
  check: Check,
  hasPassed: boolean,
  nowMs: number,
  random: () => number,
): number | null {
  const { origin, url, settings } = check;
  const isKnown = checks.running.delete(check);
  const record = checks.records.get(origin);
  if (!isKnown || record?.url !== url || settings !== checks.settings) return null;
  const run = nextRun(record.run, hasPassed);
  const pauseMs = settings.intervalMs * (1 + jitter * (2 * random() - 1));
  checks.records.set(origin, { url, run, nextMs: nowMs + pauseMs });
  return run;
}

/** When `start` should run next; null when there is nothing to check. It may be in the past. */
export function nextStartMs({ records, running }: Checks): number | null {
  const isFull = running.size >= bounds.checksAtOnceMax;
  const times = isFull ? [...running].map(({ lostMs }) => lostMs) : [...records.values()].map(({ nextMs }) => nextMs);
  return times.length === 0 ? null : times.reduce((a, b) => Math.min(a, b));
}

/** Settings that were read from storage again are not others. */
function isSame(a: CheckSettings | null, b: CheckSettings | null): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

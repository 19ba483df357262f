/** Failures in a row, put together from what isolates count each for themselves. */
import type { Cell } from "./types.ts";

export interface Run {
  failures: number;
  /** What began before this is not counted: it may have been before the last success, or before an ejection ended. */
  fromMs: number;
}

type Results = Pick<Cell, "ok" | "fail" | "tail" | "ageMs">;

/** A run without failures in which counts what begins at `fromMs` or later. */
export function newRun(fromMs = 0): Run {
  return { failures: 0, fromMs };
}

/**
 * Adds results. Of results that overlap in time the order is not known; in doubt a run is too short, so that results
 * which come late or in another order can only delay what it leads to.
 */
export function extend(run: Run, results: Results, nowMs: number): void {
  const atMs = nowMs - results.ageMs;
  const isOld = atMs < run.fromMs;
  if (results.ok > 0) {
    run.failures = isOld ? 0 : results.tail;
    run.fromMs = Math.max(run.fromMs, atMs);
  } else if (!isOld) run.failures += results.fail;
}

/** Results of several origins as one: in the worst order for a run, the last success came last of all but its own tail. */
export function together(cells: readonly Results[]): Results {
  const withOk = cells.filter(({ ok }) => ok > 0);
  const fail = cells.reduce((sum, cell) => sum + cell.fail, 0);
  return {
    ok: withOk.reduce((sum, { ok }) => sum + ok, 0),
    fail,
    tail: Math.min(fail, ...withOk.map(({ tail }) => tail)),
    ageMs: Math.max(...cells.map(({ ageMs }) => ageMs)),
  };
}

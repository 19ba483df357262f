import { bounds } from "../../bounds.ts";
import { limits } from "./limits.ts";
import type { Cell } from "./types.ts";

/** A count that an isolate reports; what is not one is 0. */
export function counted(value: number): number {
  return value > 0 ? Math.min(limits.cellCountMax, Math.floor(value)) : 0;
}

/**
 * The cells of a report that say anything, the oldest first and at most `bounds.healthItemsPerReportMax`. Numbers are made
 * to fit each other; what has no age, or is too old for any window, is left out.
 */
export function cellsOf(cells: readonly Cell[]): Cell[] {
  const clean: Cell[] = [];
  for (const cell of cells.slice(0, bounds.healthItemsPerReportMax)) {
    const ok = counted(cell.ok);
    const fail = counted(cell.fail);
    const isRecent = cell.ageMs <= bounds.healthCellAgeMsMax;
    if (ok + fail === 0 || !isRecent) continue;
    const slow = Math.min(ok + fail, counted(cell.slow));
    const tail = Math.min(fail, counted(cell.tail));
    clean.push({ ...cell, ok, fail, slow, tail, ageMs: Math.max(0, cell.ageMs) });
  }
  return clean.sort((a, b) => b.ageMs - a.ageMs);
}

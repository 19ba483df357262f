/** Counts over a rolling window: a ring of slots, advanced by as many slots as have passed, so that nothing stale stays. */

/** Counters of one window. Make it with `newRolling`; times must be of one clock, and may stand still. */
export interface Rolling {
  readonly slotMs: number;
  readonly slots: number;
  /** Counters in each slot. */
  readonly width: number;
  /** Slot by slot. */
  readonly counts: Float64Array;
  readonly totals: Float64Array;
  /** Number of the newest slot since the epoch of the clock. */
  newest: number;
}

/** An empty window of `windowMs` in `slots` parts, with `width` counters. */
export function newRolling(windowMs: number, slots: number, width: number): Rolling {
  const counts = new Float64Array(slots * width);
  return { slotMs: windowMs / slots, slots, width, counts, totals: new Float64Array(width), newest: 0 };
}

/** Forgets the slots that have left the window at `nowMs`. Called by the others; a clock that steps back changes nothing. */
export function advance(rolling: Rolling, nowMs: number): void {
  const { slots, width, counts, totals } = rolling;
  const slot = Math.floor(nowMs / rolling.slotMs);
  const passed = Math.min(slots, slot - rolling.newest);
  if (passed <= 0) return;
  for (let step = 1; step <= passed; step++) {
    const at = ((slot - passed + step) % slots) * width;
    for (let index = 0; index < width; index++) {
      totals[index]! -= counts[at + index]!;
      counts[at + index] = 0;
    }
  }
  rolling.newest = slot;
}

/** Adds `amount` to a counter, for something that happened `ageMs` ago. What is older than the window is not counted. */
export function add(rolling: Rolling, counter: number, amount: number, nowMs: number, ageMs = 0): void {
  advance(rolling, nowMs);
  const slot = Math.min(rolling.newest, Math.floor((nowMs - ageMs) / rolling.slotMs));
  if (slot <= rolling.newest - rolling.slots || slot < 0) return;
  rolling.counts[(slot % rolling.slots) * rolling.width + counter]! += amount;
  rolling.totals[counter]! += amount;
}

/** Sum of a counter over the window that ends at `nowMs`. */
export function total(rolling: Rolling, counter: number, nowMs: number): number {
  advance(rolling, nowMs);
  return rolling.totals[counter]!;
}

/** Empties every counter. */
export function clear(rolling: Rolling): void {
  rolling.counts.fill(0);
  rolling.totals.fill(0);
}

/** Sliding window as a log in slices: at most `limit` in any interval of the window's length. */
import { limits } from "./limits.ts";
import type { Hold, Meter } from "./types.ts";

/** Amounts by the moment they stop to count, earliest first; moments are multiples of a slice. */
export type Slices = readonly (readonly [endMs: number, amount: number])[];

/**
 * A hold counts until `untilMs + windowMs`: its last permit may be spent just before `untilMs`. Settled at s, the spent part
 * was spent before s and counts until s + windowMs; the guard covers the way from the isolate to where it is observed.
 */
export function slidingWindow(limit: number, windowMs: number): Meter<Slices> {
  const sliceMs = Math.max(1, Math.floor(windowMs / limits.slicesPerWindow));
  const endOf = (untilMs: number) => Math.ceil((untilMs + windowMs) / sliceMs) * sliceMs;
  const charged = (slices: Slices) => slices.reduce((sum, [, amount]) => sum + amount, 0);
  return {
    empty: () => [],
    expire: (slices, nowMs) => {
      const first = slices.findIndex(([endMs]) => endMs > nowMs);
      if (first === 0) return slices;
      return first < 0 ? [] : slices.slice(first);
    },
    charge: (slices, { amount, untilMs }) => add(slices, endOf(untilMs), amount),
    settle: (slices, hold, used, nowMs) => {
      const endMs = endOf(hold.untilMs);
      if (endMs <= nowMs) return slices;
      return add(add(slices, endMs, -hold.amount), endOf(spentBy(hold, nowMs)), used);
    },
    charged,
    free: (slices) => limit - charged(slices),
    waitMs: (slices, need, nowMs) => {
      let free = limit - charged(slices);
      if (free >= need) return 0;
      for (const [endMs, amount] of slices) {
        free += amount;
        if (free >= need) return endMs - nowMs;
      }
      return windowMs;
    },
    resetMs: (slices, nowMs) => (slices.length === 0 ? 0 : slices[0]![0] - nowMs),
    delayMs: () => 0,
    emptyAtMs: (slices) => slices.at(-1)?.[0] ?? 0,
  };
}

function spentBy(hold: Hold, nowMs: number): number {
  return Math.min(hold.untilMs, nowMs + limits.guardMs);
}

/** Adds an amount, which may be negative, to the slice that ends at `endMs`. */
function add(slices: Slices, endMs: number, amount: number): Slices {
  let at = slices.length;
  while (at > 0 && slices[at - 1]![0] > endMs) at--;
  const same = at > 0 && slices[at - 1]![0] === endMs;
  const total = amount + (same ? slices[at - 1]![1] : 0);
  return [
    ...slices.slice(0, same ? at - 1 : at),
    ...(total === 0 ? [] : [[endMs, total] as const]),
    ...slices.slice(at),
  ];
}

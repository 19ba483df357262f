/** Inner numbers of the object's half; bounds of the gateway are in `src/bounds.ts`. */
export const limits = Object.freeze({
  /** Slots of a breaker's rolling window. */
  windowSlots: 10,
  /** Open times and ejections are up to this part shorter or longer, at random. */
  jitter: 0.2,
  /** Largest count of one cell that is believed. */
  cellCountMax: 1_000_000,
});

/** `ms` +-20 %, whole. `random` is in [0, 1). */
export function jittered(ms: number, random: () => number): number {
  return Math.round(ms * (1 + limits.jitter * (2 * random() - 1)));
}

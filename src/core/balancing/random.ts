/** `random`: each origin with a probability proportional to its weight. */
import type { Pool } from "./pool.ts";
import type { Balancer, Candidate } from "./types.ts";

/** Draws by weight, remembering nothing. */
export const weightedRandom: Balancer = (pool, { random }) => pool.candidates[drawByWeight(pool, random)]!;

/**
 * Index drawn with a probability proportional to the weight. `except` is an index to leave out, -1 for none; at least one
 * other candidate must remain. O(1) on average, however many there are.
 */
export function drawByWeight(pool: Pool<Candidate>, random: () => number, except = -1): number {
  const { ends, total } = pool;
  const last = except === ends.length - 1 ? except - 1 : ends.length - 1;
  if (except < 0) return Math.min(ownerAt(pool, random() * total), last);
  const begin = except === 0 ? 0 : ends[except - 1]!;
  const width = ends[except]! - begin;
  const at = random() * (total - width);
  // Beyond the interval that is left out, which is jumped over. Rounding may end at the end.
  return Math.min(ownerAt(pool, at < begin ? at : at + width), last);
}

/** Whose interval it is (indexed search, Chen and Asau 1974); of `total` and above the number of candidates. */
function ownerAt({ ends, guide, total }: Pool<Candidate>, at: number): number {
  let index = guide[Math.floor((at / total) * guide.length)] ?? ends.length;
  // Rounding may have led into the next part.
  while (index > 0 && at < ends[index - 1]!) index--;
  while (index < ends.length && at >= ends[index]!) index++;
  return index;
}

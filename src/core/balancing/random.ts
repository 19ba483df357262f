/** `random`: each origin with a probability proportional to its weight. */
import type { Balancer, Candidate } from "./types.ts";

/** Draws by weight, remembering nothing. */
export const weightedRandom: Balancer = (candidates, { random }) => candidates[drawByWeight(candidates, random)]!;

/**
 * Index drawn with a probability proportional to the weight. `except` is an index to leave out, -1 for none; at least one
 * other candidate must remain.
 */
export function drawByWeight(candidates: readonly Candidate[], random: () => number, except = -1): number {
  let total = 0;
  for (const candidate of candidates) total += candidate.weight;
  if (except >= 0) total -= candidates[except]!.weight;
  let rest = random() * total;
  let last = -1;
  for (let index = 0; index < candidates.length; index++) {
    if (index === except) continue;
    last = index;
    rest -= candidates[index]!.weight;
    if (rest < 0) return index;
  }
  // Rounding can leave a rest of 0 after the last one.
  return last;
}

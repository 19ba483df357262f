/** `consistent-hash`: requests with the same key go to the same origin, in every isolate. */
import { murmur3 } from "../traffic/hash.ts";
import { weightedRandom } from "./random.ts";
import type { Balancer } from "./types.ts";

/**
 * Weighted rendezvous hashing (Thaler, Ravishankar 1998; weights after Schindler and Mosharaf): the origin with the
 * highest -weight / ln(h) wins, h in (0, 1) being the hash of key and origin. Each gets its share of the keys; when one
 * leaves, only its own keys move, each to the next in its own order, and that is also where a retry goes. A request
 * without a key is drawn by weight.
 */
export const consistentHash: Balancer = (candidates, context) => {
  if (context.hashKey === null) return weightedRandom(candidates, context);
  const seed = murmur3(context.hashKey);
  let best = candidates[0]!;
  let bestScore = 0;
  for (const candidate of candidates) {
    const score = -candidate.weight / Math.log((murmur3(candidate.id, seed) + 0.5) / 2 ** 32);
    if (score <= bestScore) continue;
    best = candidate;
    bestScore = score;
  }
  return best;
};

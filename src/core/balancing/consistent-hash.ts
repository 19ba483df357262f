/** `consistent-hash`: requests with the same key go to the same origin, in every isolate. */
import { murmur3 } from "../traffic/hash.ts";
import { limits } from "./limits.ts";
import { weightedRandom } from "./random.ts";
import type { Balancer, Candidate } from "./types.ts";

/**
 * Weighted rendezvous hashing (Thaler, Ravishankar 1998; weights after Schindler and Mosharaf): the origin with the
 * highest -weight / ln(h) wins, h in (0, 1) being the hash of key and origin. Each gets its share of the keys; when one
 * leaves, only its own keys move, each to the next in its own order, and that is also where a retry goes. A request
 * without a key is drawn by weight.
 */
export const consistentHash: Balancer = (pool, context) => {
  if (context.hashKey === null) return weightedRandom(pool, context);
  const seed = murmur3(context.hashKey);
  pool.memo ??= { seeds: new Uint32Array(limits.ownersMemoMax), owners: new Uint32Array(limits.ownersMemoMax) };
  return pool.candidates[rememberedOwner(pool.memo, pool.candidates, seed)]!;
};

/** Owners of keys that came lately, as each is found by asking all origins: a bucket by hash, the newest in front. */
export interface OwnerMemo {
  /** Hashes of the keys. */
  readonly seeds: Uint32Array;
  /** Index of the owner, and 1; 0: nobody has the place. */
  readonly owners: Uint32Array;
}

function rememberedOwner({ seeds, owners }: OwnerMemo, candidates: readonly Candidate[], seed: number): number {
  const begin = (seed % (limits.ownersMemoMax / bucketSize)) * bucketSize;
  const end = begin + bucketSize;
  for (let place = begin; place < end; place++) {
    if (seeds[place] === seed && owners[place]! > 0) return owners[place]! - 1;
  }
  const owner = ownerOf(candidates, seed);
  for (const row of [seeds, owners]) row.copyWithin(begin + 1, begin, end - 1);
  seeds[begin] = seed;
  owners[begin] = owner + 1;
  return owner;
}

const bucketSize = 4;

/** Index of the candidate with the highest score. */
function ownerOf(candidates: readonly Candidate[], seed: number): number {
  let best = 0;
  let bestHash = -1;
  let bestScore = 0;
  for (let index = 0; index < candidates.length; index++) {
    const { id, weight } = candidates[index]!;
    const hash = murmur3(id, seed);
    // Who is no heavier than the best so far needs the higher hash: most are spared the logarithm.
    if (hash <= bestHash && weight <= candidates[best]!.weight) continue;
    const score = -weight / Math.log((hash + 0.5) / 2 ** 32);
    if (score <= bestScore) continue;
    best = index;
    bestHash = hash;
    bestScore = score;
  }
  return best;
}

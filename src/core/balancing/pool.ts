/** Candidates made ready once for the many choices among them. */
import type { OwnerMemo } from "./consistent-hash.ts";
import type { Rotation } from "./round-robin.ts";
import type { Ramp } from "./slow-start.ts";
import type { Candidate } from "./types.ts";

/** Made by `poolOf`. What is null has not been needed yet. */
export interface Pool<C extends Candidate> {
  /** Those with a weight, in the given order. */
  readonly candidates: readonly C[];
  readonly total: number;
  /** Upper ends of their intervals in [0, total), in which a draw falls. */
  readonly ends: Float64Array;
  /** Of as many equal parts of [0, total) as there are candidates: who has the beginning of the part. */
  readonly guide: Uint32Array;
  rotation: Rotation | null;
  ramp: Ramp<C> | null;
  memo: OwnerMemo | null;
}

/** By the array itself, which is not to change; a snapshot's arrays go with it. */
const pools = new WeakMap<readonly Candidate[], unknown>();

/** The pool of an array: made in O(n) at its first use, then found in O(1), as a service may have 1,000 origins. */
export function poolOf<C extends Candidate>(origins: readonly C[]): Pool<C> {
  const known = pools.get(origins) as Pool<C> | undefined;
  if (known !== undefined) return known;
  const pool = newPool(origins);
  pools.set(origins, pool);
  return pool;
}

function newPool<C extends Candidate>(origins: readonly C[]): Pool<C> {
  const candidates = origins.filter(({ weight }) => weight > 0);
  const ends = new Float64Array(candidates.length);
  let total = 0;
  for (const [index, { weight }] of candidates.entries()) {
    total += weight;
    ends[index] = total;
  }
  const guide = new Uint32Array(candidates.length);
  let owner = 0;
  for (let part = 0; part < guide.length; part++) {
    while (ends[owner]! <= (part * total) / guide.length) owner++;
    guide[part] = owner;
  }
  return { candidates, total, ends, guide, rotation: null, ramp: null, memo: null };
}

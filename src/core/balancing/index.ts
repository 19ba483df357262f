/** Policies by the name they have in the document, and the choice of an origin. */
import { consistentHash } from "./consistent-hash.ts";
import { peakEwma } from "./ewma.ts";
import { leastRequest } from "./least-request.ts";
import { limits } from "./limits.ts";
import { type Pool, poolOf } from "./pool.ts";
import { weightedRandom } from "./random.ts";
import { roundRobin } from "./round-robin.ts";
import { isAnyYoung, rampedPool } from "./slow-start.ts";
import type { Balancer, BalancingContext, Candidate } from "./types.ts";

/** Every policy by its name in the document. */
export const balancers = {
  "round-robin": roundRobin,
  random: weightedRandom,
  "least-request": leastRequest,
  ewma: peakEwma,
  "consistent-hash": consistentHash,
} as const satisfies Record<string, Balancer>;

export type BalancingPolicy = keyof typeof balancers;

/** A choice to make. */
export interface Choice<C extends Candidate> extends BalancingContext {
  readonly policy: BalancingPolicy;
  readonly origins: readonly C[];
  /** Ids of origins that have had this request; chosen again only when no other is left. */
  readonly tried: ReadonlySet<string>;
  /** Time in which the share of a new origin rises from 10 to 100 %; 0 = at once. */
  readonly slowStartMs: number;
}

/**
 * Chooses the origin of the next try. Origins of weight 0 are never chosen; null: there is none with a weight > 0. The array
 * of the origins is looked through at its first use and must not change afterwards; from then on a choice is O(1), but for
 * what `round-robin` and `consistent-hash` say of themselves.
 */
export function chooseOrigin<C extends Candidate>(choice: Choice<C>): C | null {
  const pool = poolOf(choice.origins);
  if (pool.candidates.length === 0) return null;
  const { tried, hashKey } = choice;
  if (tried.size === 0) return chooseFrom(pool, choice);
  // A pool of those that are left would have to be made for each retry, and would know nothing of whose turn it is.
  const passesMax = hashKey === null ? limits.passesMax : 1;
  for (let passes = 0; passes < passesMax; passes++) {
    const origin = chooseFrom(pool, choice);
    if (!tried.has(origin.id)) return origin;
  }
  const untried = pool.candidates.filter(({ id }) => !tried.has(id));
  return chooseFrom(untried.length > 0 ? poolOf(untried) : pool, choice);
}

function chooseFrom<C extends Candidate>(pool: Pool<C>, choice: Choice<C>): C {
  const balancer = balancers[choice.policy];
  const { state, slowStartMs, nowMs } = choice;
  if (!isAnyYoung(state, slowStartMs, nowMs)) return balancer(pool, choice);
  return balancer(rampedPool(pool, state, slowStartMs, nowMs), choice).origin;
}

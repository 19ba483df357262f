/** Policies by the name they have in the document, and the choice of an origin. */
import { leastRequest } from "./least-request.ts";
import { weightedRandom } from "./random.ts";
import { roundRobin } from "./round-robin.ts";
import type { Balancer, Candidate, LoadState } from "./types.ts";

/** Every policy by its name in the document. */
export const balancers = {
  "round-robin": roundRobin,
  random: weightedRandom,
  "least-request": leastRequest,
} as const satisfies Record<string, Balancer>;

export type BalancingPolicy = keyof typeof balancers;

/**
 * Chooses the origin of the next try. Origins of weight 0 are never chosen; those in `tried` (ids) only when no other is
 * left. null: there is no origin with a weight > 0. `random` is uniform in [0, 1).
 */
export function chooseOrigin<C extends Candidate>(
  policy: BalancingPolicy,
  origins: readonly C[],
  state: LoadState,
  tried: ReadonlySet<string>,
  random: () => number,
): C | null {
  const weighted = origins.filter((origin) => origin.weight > 0);
  const untried = tried.size === 0 ? weighted : weighted.filter((origin) => !tried.has(origin.id));
  const candidates = untried.length > 0 ? untried : weighted;
  return candidates.length > 0 ? balancers[policy](candidates, state, random) : null;
}

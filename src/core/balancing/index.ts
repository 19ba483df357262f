/** Policies by the name they have in the document, and the choice of an origin. */
import { consistentHash } from "./consistent-hash.ts";
import { peakEwma } from "./ewma.ts";
import { leastRequest } from "./least-request.ts";
import { weightedRandom } from "./random.ts";
import { roundRobin } from "./round-robin.ts";
import { ageMsOf, isAnyYoung, slowStartWeight } from "./slow-start.ts";
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

/** Chooses the origin of the next try. Origins of weight 0 are never chosen; null: there is none with a weight > 0. */
export function chooseOrigin<C extends Candidate>(choice: Choice<C>): C | null {
  const candidates = candidatesOf(choice);
  if (candidates.length === 0) return null;
  const balancer = balancers[choice.policy];
  const { state, slowStartMs, nowMs } = choice;
  if (!isAnyYoung(state, slowStartMs, nowMs)) return balancer(candidates, choice);
  const ramped = candidates.map((origin) => ({
    id: origin.id,
    weight: slowStartWeight(origin.weight, ageMsOf(state, origin.id, nowMs), slowStartMs),
    origin,
  }));
  return balancer(ramped, choice).origin;
}

/** Those with a weight, and untried if there are any; usually the origins themselves. */
function candidatesOf<C extends Candidate>({ origins, tried }: Choice<C>): readonly C[] {
  const weighted = origins.every(hasWeight) ? origins : origins.filter(hasWeight);
  if (tried.size === 0) return weighted;
  const untried = weighted.filter((origin) => !tried.has(origin.id));
  return untried.length > 0 ? untried : weighted;
}

function hasWeight(origin: Candidate): boolean {
  return origin.weight > 0;
}

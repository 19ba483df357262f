/** How likely each origin is to be chosen for the first try, where the policy says so without drawing. */
import { type Choice, chooseOrigin } from "./index.ts";
import { ageMsOf, slowStartWeight } from "./slow-start.ts";
import type { Candidate } from "./types.ts";

/**
 * Chance in [0, 1] by origin id; null: the policy goes by load or latency, which the next request changes. Origins of
 * weight 0 have none. `round-robin`: the share over time. Remembers and changes nothing.
 */
export function chancesOf<C extends Candidate>(choice: Choice<C>): ReadonlyMap<string, number> | null {
  const { policy, origins, state, slowStartMs, nowMs, hashKey } = choice;
  if (policy === "least-request" || policy === "ewma") return null;
  if (hashKey !== null) {
    const chosen = chooseOrigin(choice);
    return new Map(origins.map(({ id }) => [id, id === chosen?.id ? 1 : 0]));
  }
  const shares = origins.map(({ id, weight }) => slowStartWeight(weight, ageMsOf(state, id, nowMs), slowStartMs));
  const total = shares.reduce((sum, share) => sum + share, 0);
  return new Map(origins.map(({ id }, index) => [id, total > 0 ? shares[index]! / total : 0]));
}

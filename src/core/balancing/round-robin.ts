/** `round-robin`: each origin its share, spread as evenly as whole requests allow. */
import { drawByWeight } from "./random.ts";
import type { Balancer } from "./types.ts";

/**
 * nginx's smooth weighted round-robin: every candidate earns its share, the richest is chosen and pays one request. The
 * credits are in requests, not in weights as in nginx, so that credits from before a change of the weights stay small.
 * The first choice is drawn: isolates are many and short-lived, and would otherwise all begin with the same origin.
 */
export const roundRobin: Balancer = (candidates, { state: { credits }, random }) => {
  let total = 0;
  for (const candidate of candidates) total += candidate.weight;
  let isFirst = true;
  let best = 0;
  let bestCredit = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < candidates.length; index++) {
    const { id, weight } = candidates[index]!;
    const before = credits.get(id);
    if (before !== undefined) isFirst = false;
    const credit = (before ?? 0) + weight / total;
    credits.set(id, credit);
    if (credit > bestCredit) {
      best = index;
      bestCredit = credit;
    }
  }
  if (isFirst) best = drawByWeight(candidates, random);
  const chosen = candidates[best]!;
  credits.set(chosen.id, credits.get(chosen.id)! - 1);
  return chosen;
};

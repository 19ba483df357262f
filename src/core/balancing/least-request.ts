/** `least-request`: the power of two choices, on requests under way by weight. */
import { inFlightOf } from "./load.ts";
import { drawByWeight } from "./random.ts";
import type { Balancer } from "./types.ts";

/**
 * Draws two origins by weight and moves from the first to the second when the second, with this request, would be no
 * more loaded than the first is already: (inFlight + 1) / weight <= inFlight / weight. With equal weights that is the
 * usual rule (fewer requests win, Mitzenmacher 2001); with unequal ones an idle service is shared by weight, where
 * comparing loads alone would send everything to the heaviest.
 */
export const leastRequest: Balancer = (pool, { state, random }) => {
  const { candidates } = pool;
  const firstIndex = drawByWeight(pool, random);
  const first = candidates[firstIndex]!;
  const firstInFlight = inFlightOf(state, first.id);
  if (candidates.length === 1 || firstInFlight === 0) return first;
  const second = candidates[drawByWeight(pool, random, firstIndex)]!;
  const isSecondFreer = (inFlightOf(state, second.id) + 1) / second.weight <= firstInFlight / first.weight;
  return isSecondFreer ? second : first;
};

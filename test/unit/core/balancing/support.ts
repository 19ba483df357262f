import { type BalancingPolicy, type Choice, chooseOrigin } from "../../../../src/core/balancing/index.ts";
import { newLoadState } from "../../../../src/core/balancing/load.ts";
import type { Candidate } from "../../../../src/core/balancing/types.ts";

/** Origins `a`, `b`, ... of these weights. */
export const candidates = (weights: readonly number[]) =>
  weights.map((weight, index) => ({ id: String.fromCharCode(97 + index), weight }));

/** The choice of a request without a key that was not tried, in a new isolate at time 0, changed as `given` says. */
export function choose<C extends Candidate>(
  policy: BalancingPolicy,
  origins: readonly C[],
  given: Partial<Choice<C>> = {},
): C | null {
  return chooseOrigin({
    policy,
    origins,
    state: newLoadState(),
    tried: new Set(),
    random: () => 0,
    nowMs: 0,
    hashKey: null,
    slowStartMs: 0,
    ...given,
  });
}

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BalancingPolicy, balancers, chooseOrigin } from "../../../../src/core/balancing/index.ts";
import { ended, newLoadState, started } from "../../../../src/core/balancing/load.ts";
import { seededRandom } from "./random.ts";

const policies = Object.keys(balancers) as BalancingPolicy[];
const none: ReadonlySet<string> = new Set();
const origins = fc.uniqueArray(
  fc.record({ id: fc.constantFrom(..."abcdefgh"), weight: fc.constantFrom(0, 0, 0.5, 1, 2, 7, 1_000_000) }),
  {
    selector: ({ id }) => id,
  },
);

describe.each(policies)("%s", (policy) => {
  test("chooses only what is offered and has a weight, an untried one if there is one, else a tried one, else nothing", () => {
    fc.assert(
      fc.property(
        origins,
        fc.array(fc.subarray([..."abcdefgh"]), { minLength: 1, maxLength: 30 }),
        fc.integer(),
        (list, tries, seed) => {
          const state = newLoadState();
          const random = seededRandom(seed);
          const weighted = list.filter((origin) => origin.weight > 0);
          for (const ids of tries) {
            const tried = new Set(ids);
            const chosen = chooseOrigin(policy, list, state, tried, random);
            if (chosen === null) {
              expect(weighted).toEqual([]);
              continue;
            }
            expect(weighted).toContain(chosen);
            if (weighted.some((origin) => !tried.has(origin.id))) expect(tried.has(chosen.id)).toBe(false);
            started(state, chosen.id);
            if (random() < 0.5) ended(state, chosen.id);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test("a single candidate is chosen, however loaded", () => {
    const state = newLoadState();
    const only = { id: "a", weight: 3 };
    for (let request = 0; request < 5; request++) {
      expect(chooseOrigin(policy, [only, { id: "b", weight: 0 }], state, none, seededRandom(request))).toBe(only);
      started(state, "a");
    }
  });

  test.each([[[1, 1, 1, 1]], [[5, 1, 1]], [[1, 10]], [[0.5, 0, 1.5, 2]]])(
    "an idle service is shared by weight %j, within 4 sigma",
    (weights) => {
      const state = newLoadState();
      const random = seededRandom(42);
      const list = weights.map((weight, index) => ({ id: String(index), weight }));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const counts = weights.map(() => 0);
      const requests = 20_000;
      for (let request = 0; request < requests; request++) {
        const chosen = chooseOrigin(policy, list, state, none, random)!;
        started(state, chosen.id);
        counts[Number(chosen.id)]!++;
        ended(state, chosen.id);
      }
      for (const [index, weight] of weights.entries()) {
        const share = weight / total;
        expect(Math.abs(counts[index]! - requests * share)).toBeLessThanOrEqual(
          4 * Math.sqrt(requests * share * (1 - share)),
        );
      }
    },
  );

  test("many isolates that serve one request each share it by weight too, within 4 sigma", () => {
    const list = [
      { id: "a", weight: 3 },
      { id: "b", weight: 1 },
    ];
    const random = seededRandom(7);
    const isolates = 10_000;
    let toA = 0;
    for (let isolate = 0; isolate < isolates; isolate++) {
      if (chooseOrigin(policy, list, newLoadState(), none, random)?.id === "a") toA++;
    }
    expect(Math.abs(toA - isolates * 0.75)).toBeLessThanOrEqual(4 * Math.sqrt(isolates * 0.75 * 0.25));
  });
});

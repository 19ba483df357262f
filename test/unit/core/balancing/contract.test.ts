import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { noteResponse } from "../../../../src/core/balancing/ewma.ts";
import { type BalancingPolicy, balancers } from "../../../../src/core/balancing/index.ts";
import { ended, newLoadState, started } from "../../../../src/core/balancing/load.ts";
import { noteOrigins } from "../../../../src/core/balancing/slow-start.ts";
import { seededRandom } from "./random.ts";
import { candidates, choose } from "./support.ts";

interface Case {
  readonly name: string;
  readonly policy: BalancingPolicy;
  readonly keyOf: (random: () => number) => string | null;
}

const cases: readonly Case[] = [
  ...(Object.keys(balancers) as BalancingPolicy[]).map((policy) => ({ name: policy, policy, keyOf: () => null })),
  { name: "consistent-hash with keys", policy: "consistent-hash", keyOf: (random) => `user-${random()}` },
];
const origins = fc.uniqueArray(
  fc.record({ id: fc.constantFrom(..."abcdefgh"), weight: fc.constantFrom(0, 0, 0.5, 1, 2, 7, 1_000_000) }),
  { selector: ({ id }) => id },
);

/** Within 4 sigma of the share of `requests`. */
function expectShare(count: number, requests: number, share: number): void {
  expect(Math.abs(count - requests * share)).toBeLessThanOrEqual(4 * Math.sqrt(requests * share * (1 - share)));
}

test("there are exactly the five policies of the contract", () => {
  expect(Object.keys(balancers).sort()).toEqual(["consistent-hash", "ewma", "least-request", "random", "round-robin"]);
});

describe.each(cases)("$name", ({ policy, keyOf }) => {
  test("chooses only what is offered and has a weight, an untried one if there is one, else a tried one, else nothing", () => {
    fc.assert(
      fc.property(
        origins,
        fc.array(fc.subarray([..."abcdefgh"]), { minLength: 1, maxLength: 30 }),
        fc.constantFrom(0, 40),
        fc.integer(),
        (list, tries, slowStartMs, seed) => {
          const state = newLoadState();
          const random = seededRandom(seed);
          const weighted = list.filter((origin) => origin.weight > 0);
          for (const [step, ids] of tries.entries()) {
            const nowMs = step * 10;
            const tried = new Set(ids);
            const chosen = choose(policy, list, { state, tried, random, nowMs, hashKey: keyOf(random), slowStartMs });
            if (chosen === null) {
              expect(weighted).toEqual([]);
              continue;
            }
            expect(weighted).toContain(chosen);
            if (weighted.some((origin) => !tried.has(origin.id))) expect(tried.has(chosen.id)).toBe(false);
            started(state, chosen.id);
            if (random() < 0.5) ended(state, chosen.id, state.turn);
            if (random() < 0.5) noteResponse(state, chosen.id, 1_000 * random(), nowMs);
            if (random() < 0.2)
              noteOrigins(state, new Set(list.map(({ id }) => id).filter(() => random() < 0.7)), nowMs);
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
      const random = seededRandom(request);
      expect(choose(policy, [only, { id: "b", weight: 0 }], { state, random, hashKey: keyOf(random) })).toBe(only);
      started(state, "a");
    }
  });

  test.each([[[1, 1, 1, 1]], [[5, 1, 1]], [[1, 10]], [[0.5, 0, 1.5, 2]]])(
    "an idle service whose origins are about as fast is shared by weight %j, within 4 sigma",
    (weights) => {
      const state = newLoadState();
      const random = seededRandom(42);
      const list = candidates(weights);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const counts = new Map(list.map(({ id }) => [id, 0]));
      const requests = 20_000;
      for (let request = 0; request < requests; request++) {
        const nowMs = request * 20;
        const { id } = choose(policy, list, { state, random, nowMs, hashKey: keyOf(random) })!;
        started(state, id);
        counts.set(id, counts.get(id)! + 1);
        ended(state, id, state.turn);
        noteResponse(state, id, 10 + 5 * random(), nowMs + 15);
      }
      for (const { id, weight } of list) expectShare(counts.get(id)!, requests, weight / total);
    },
  );

  test("many isolates that serve one request each share it by weight too, within 4 sigma", () => {
    const random = seededRandom(7);
    const isolates = 10_000;
    let toA = 0;
    for (let isolate = 0; isolate < isolates; isolate++) {
      if (choose(policy, candidates([3, 1]), { random, hashKey: keyOf(random) })?.id === "a") toA++;
    }
    expectShare(toA, isolates, 0.75);
  });

  test("an origin that is new at half of its slow start gets 55 % of its share, and all of it afterwards", () => {
    const list = candidates([1, 1, 1]);
    const random = seededRandom(9);
    const isolates = 10_000;
    const shareAt = (nowMs: number) => {
      let toC = 0;
      for (let isolate = 0; isolate < isolates; isolate++) {
        const state = newLoadState();
        noteOrigins(state, new Set(["a", "b"]), 0);
        noteOrigins(state, new Set(["a", "b", "c"]), 1_000);
        const chosen = choose(policy, list, { state, random, nowMs, hashKey: keyOf(random), slowStartMs: 20_000 });
        if (chosen === list[2]) toC++;
      }
      return toC;
    };
    expectShare(shareAt(11_000), isolates, 0.55 / 2.55);
    expectShare(shareAt(21_000), isolates, 1 / 3);
  });
});

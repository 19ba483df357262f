import fc from "fast-check";
import { expect, test } from "vitest";
import { chancesOf } from "../../../../src/core/balancing/chances.ts";
import { type BalancingPolicy, type Choice, chooseOrigin } from "../../../../src/core/balancing/index.ts";
import { newLoadState } from "../../../../src/core/balancing/load.ts";
import { noteOrigins } from "../../../../src/core/balancing/slow-start.ts";

interface Weighted {
  readonly id: string;
  readonly weight: number;
}
const draws = 1_000;

function choiceOf(policy: BalancingPolicy, origins: readonly Weighted[], more: Partial<Choice<Weighted>> = {}) {
  const base = { policy, origins, state: newLoadState(), tried: new Set<string>(), hashKey: null, slowStartMs: 0 };
  return { ...base, random: () => 0, nowMs: 1_000, ...more };
}

const weighted = fc
  .array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 5 })
  .filter((weights) => weights.some((weight) => weight > 0))
  .map((weights) => weights.map((weight, index) => ({ id: `o${index}`, weight })));

test.each(["random", "round-robin", "consistent-hash"] as const)("%s chooses as often as it is said to", (policy) => {
  fc.assert(
    fc.property(weighted, fc.boolean(), (origins, isYoung) => {
      const choice = choiceOf(policy, origins, { slowStartMs: 10_000 });
      const [first, ...others] = origins.map(({ id }) => id);
      // Whoever comes second is new.
      noteOrigins(choice.state, new Set([first!]), 0);
      if (isYoung) noteOrigins(choice.state, new Set([first!, ...others]), 900);
      const before = structuredClone(choice.state);
      const chances = chancesOf(choice)!;
      expect(choice.state).toEqual(before);
      const counts = new Map<string, number>();
      for (let draw = 0; draw < draws; draw++) {
        const { id } = chooseOrigin({ ...choice, random: () => (draw + 0.5) / draws })!;
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      for (const { id } of origins) {
        expect(Math.abs((counts.get(id) ?? 0) / draws - chances.get(id)!)).toBeLessThan(0.01);
      }
    }),
    { numRuns: 40 },
  );
});

test("the key of a request decides with consistent-hash", () => {
  fc.assert(
    fc.property(weighted, fc.string(), (origins, hashKey) => {
      const choice = choiceOf("consistent-hash", origins, { hashKey });
      const chosen = chooseOrigin(choice)!.id;
      expect([...chancesOf(choice)!].filter(([, chance]) => chance > 0)).toEqual([[chosen, 1]]);
    }),
  );
});

test("nothing is said where load decides, and nobody has a chance without a weight", () => {
  const origins = [{ id: "a", weight: 1 }];
  expect(chancesOf(choiceOf("least-request", origins))).toBeNull();
  expect(chancesOf(choiceOf("ewma", origins))).toBeNull();
  expect(chancesOf(choiceOf("random", [{ id: "a", weight: 0 }]))).toEqual(new Map([["a", 0]]));
  expect(chancesOf(choiceOf("consistent-hash", [{ id: "a", weight: 0 }], { hashKey: "k" }))).toEqual(
    new Map([["a", 0]]),
  );
});

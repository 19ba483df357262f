import fc from "fast-check";
import { expect, test } from "vitest";
import { poolOf } from "../../../../src/core/balancing/pool.ts";
import { drawByWeight } from "../../../../src/core/balancing/random.ts";
import { seededRandom } from "./random.ts";
import { candidates } from "./support.ts";

/** Whose part of the line from 0 to the sum of all weights it is. */
function ownerOf(weights: readonly number[], at: number): number {
  let end = 0;
  const owner = weights.findIndex((weight) => {
    end += weight;
    return at < end;
  });
  return owner < 0 ? weights.length - 1 : owner;
}

test("a draw looks at few ends, however many there are, as it begins where its part of the line does", () => {
  const random = seededRandom(1);
  const all = Array.from({ length: 1_000 }, () => 1 + Math.floor(random() * 9));
  for (const weights of [all, Array(10).fill(2) as number[]]) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const owners = weights.map((_, part) => ownerOf(weights, (part * total) / weights.length));
    expect([...poolOf(candidates(weights)).guide]).toEqual(owners);
  }
  const pool = poolOf(candidates(all));
  let looks = 0;
  const ends = new Proxy(pool.ends, {
    get: (of, at) => {
      looks++;
      return Reflect.get(of, at);
    },
  });
  for (let draw = 0; draw < 1_000; draw++) drawByWeight({ ...pool, ends }, random);
  expect(looks).toBeLessThan(8 * 1_000);
});

test("a draw falls to whose part of the line it is, its beginning with it, its end not", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(weights, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (given, random) => {
      const pool = poolOf(candidates(given));
      const total = given.reduce((sum, weight) => sum + weight, 0);
      const places = [
        random,
        ...given.map((_, index) => given.slice(0, index).reduce((sum, one) => sum + one, 0) / total),
      ];
      for (const place of places) expect(drawByWeight(pool, () => place)).toBe(ownerOf(given, place * total));
      if (given.length === 1) return;
      for (const except of given.keys()) {
        const others = given.map((weight, index) => (index === except ? 0 : weight));
        const drawn = drawByWeight(pool, () => random, except);
        expect(drawn).toBe(ownerOf(others, random * (total - given[except]!)));
      }
    }),
    { numRuns: 300, seed: 3 },
  );
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ended, inFlightOf, newLoadState, started } from "../../../../src/core/balancing/load.ts";
import { poolOf } from "../../../../src/core/balancing/pool.ts";
import { drawByWeight } from "../../../../src/core/balancing/random.ts";
import type { Candidate, LoadState } from "../../../../src/core/balancing/types.ts";
import { seededRandom } from "./random.ts";
import { candidates, choose } from "./support.ts";

const take = (list: readonly Candidate[], state: LoadState, count: number, random = () => 0) =>
  Array.from({ length: count }, () => choose("round-robin", list, { state, random })!.id).join("");

/** nginx's smooth weighted round-robin, with credits in requests: of equally rich ones rounding chooses the same. */
function asNginx(list: readonly Candidate[], count: number): string {
  const total = list.reduce((sum, { weight }) => sum + weight, 0);
  const credits = list.map(() => 0);
  return Array.from({ length: count }, () => {
    for (const [index, { weight }] of list.entries()) credits[index]! += weight / total;
    const best = credits.indexOf(Math.max(...credits));
    credits[best]! -= 1;
    return list[best]!.id;
  }).join("");
}

describe("round-robin", () => {
  test("spreads as nginx does where all weights differ", () => {
    const weights = fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(weights, (unsorted) => {
        // nginx begins with the heaviest, here it is drawn: the first.
        const list = candidates(unsorted.toSorted((a, b) => b - a));
        const total = unsorted.reduce((sum, weight) => sum + weight, 0);
        expect(take(list, newLoadState(), 2 * total)).toBe(asNginx(list, 2 * total));
      }),
    );
  });

  test("those of the same weight take turns, between which the others come", () => {
    expect(take(candidates([5, 1, 1]), newLoadState(), 14)).toBe("abaaacaabaaaca");
    expect(take(candidates([1, 1, 1]), newLoadState(), 7)).toBe("abcabca");
  });

  test("at no time is anybody two requests away from its share", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(weights, fc.integer(), (list, seed) => {
        const total = list.reduce((sum, weight) => sum + weight, 0);
        const counts = list.map(() => 0);
        for (const [at, id] of [...take(candidates(list), newLoadState(), 2 * total, seededRandom(seed))].entries()) {
          counts[id.charCodeAt(0) - 97]! += 1;
          for (const [index, weight] of list.entries())
            expect(Math.abs(counts[index]! - ((at + 1) * weight) / total)).toBeLessThan(2);
        }
      }),
    );
  });

  test("nor is it when weights change and origins join meanwhile", () => {
    const phase = fc.record({
      weights: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 6 }),
      requests: fc.nat(30),
    });
    fc.assert(
      fc.property(fc.array(phase, { minLength: 2, maxLength: 6 }), fc.integer(), (phases, seed) => {
        const state = newLoadState();
        const random = seededRandom(seed);
        const owed = new Map<string, number>();
        let count = 0;
        for (const { weights, requests } of phases) {
          count = Math.max(count, weights.length);
          // Who has joined stays.
          const list = candidates(Array.from({ length: count }, (_, index) => weights[index] ?? 1));
          const total = list.reduce((sum, { weight }) => sum + weight, 0);
          for (const chosen of take(list, state, requests, random)) {
            for (const { id, weight } of list) {
              owed.set(id, (owed.get(id) ?? 0) + weight / total - (id === chosen ? 1 : 0));
            }
            const most = Math.max(...[...owed.values()].map(Math.abs));
            if (most >= 2) throw new Error(`${most} requests away`);
          }
        }
      }),
      { seed: 1, numRuns: 150 },
    );
  });

  test("isolates that begin differ in whose turn is first among those of the same weight", () => {
    const random = seededRandom(8);
    const isolates = Array.from({ length: 400 }, () => take(candidates([2, 1, 1, 1]), newLoadState(), 5, random));
    const firsts = isolates.map((order) => order.replaceAll("a", "")[0]);
    for (const id of "bcd") expect(firsts.filter((first) => first === id).length).toBeGreaterThan(100);
  });

  test("every cycle gives each origin exactly its weight, wherever it begins", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
        fc.integer(),
        (weights, seed) => {
          const list = candidates(weights);
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          const state = newLoadState();
          for (let cycle = 0; cycle < 3; cycle++) {
            const order = take(list, state, total, seededRandom(seed));
            expect(list.map(({ id }) => order.split(id).length - 1)).toEqual(weights);
          }
        },
      ),
    );
  });

  test("an origin that joins does not take the turns of others", () => {
    const state = newLoadState();
    expect(take(candidates([1, 1]), state, 1)).toBe("a");
    expect(take(candidates([1, 1, 1]), state, 6)).toBe("bcabca");
  });

  test("a change of weights is not paid for with a run of requests", () => {
    const state = newLoadState();
    take(candidates([1_000_000, 999_999]), state, 1);
    expect(take(candidates([1, 1]), state, 6)).toMatch(/^(ba){3}$|^b(ab){2}a$/);
  });

  test("a retry past an origin does not upset the shares", () => {
    const state = newLoadState();
    const list = candidates([1, 1, 1]);
    const counts = new Map<string, number>();
    for (let request = 0; request < 3_000; request++) {
      const tried = request % 3 === 0 ? new Set(["a"]) : new Set<string>();
      const { id } = choose("round-robin", list, { state, tried })!;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    expect(state.rotation!.groups.every(({ credit }) => Math.abs(credit) < 3)).toBe(true);
    expect(counts.get("b")! - counts.get("c")!).toBeLessThan(3);
  });
});

describe("random", () => {
  test("draws the interval of the weight, and the last one when rounding leaves a rest", () => {
    const list = candidates([1, 2, 1]);
    expect([0, 0.24, 0.25, 0.74, 0.75, 1].map((draw) => drawByWeight(poolOf(list), () => draw))).toEqual([
      0, 0, 1, 1, 2, 2,
    ]);
  });

  test("never draws the exception", () => {
    const list = candidates([1, 2, 1]);
    expect([0, 0.32, 0.34, 1].map((draw) => drawByWeight(poolOf(list), () => draw, 0))).toEqual([1, 1, 1, 2]);
    expect([0, 0.49, 0.5, 1].map((draw) => drawByWeight(poolOf(list), () => draw, 1))).toEqual([0, 0, 2, 2]);
    expect([0, 0.32, 0.34, 1].map((draw) => drawByWeight(poolOf(list), () => draw, 2))).toEqual([0, 0, 1, 1]);
    // Rounding would lead from just below a half of the others, where the exception is, into its part.
    expect(drawByWeight(poolOf(candidates([1, 1, 1])), () => 0.5 - 2 ** -54, 1)).toBe(0);
  });
});

describe("least-request", () => {
  test("of two origins the busy one gets nothing until the other is as busy", () => {
    const state = newLoadState();
    const random = seededRandom(1);
    for (let request = 0; request < 20; request++) started(state, "a");
    for (let request = 0; request < 19; request++) {
      const { id } = choose("least-request", candidates([1, 1]), { state, random })!;
      expect(id).toBe("b");
      started(state, id);
    }
  });

  test("of ten origins a stuck one is never chosen, as the second choice is always another", () => {
    const state = newLoadState();
    for (let request = 0; request < 100; request++) started(state, "c");
    const random = seededRandom(2);
    for (let request = 0; request < 2_000; request++)
      expect(choose("least-request", candidates(Array(10).fill(1)), { state, random })?.id).not.toBe("c");
  });

  test("is the usual power of two choices for equal weights: fewer requests win, a tie stays with the first", () => {
    fc.assert(
      fc.property(fc.nat(6), fc.nat(6), fc.boolean(), (a, b, isFirstA) => {
        const state = newLoadState();
        for (let request = 0; request < a; request++) started(state, "a");
        for (let request = 0; request < b; request++) started(state, "b");
        const { id } = choose("least-request", candidates([1, 1]), { state, random: () => (isFirstA ? 0 : 0.9) })!;
        expect(id).toBe(a === b ? (isFirstA ? "a" : "b") : a < b ? "a" : "b");
      }),
    );
  });

  test.each([
    // Of weights 1 and 4, a is drawn first: b must be no more loaded with this request than a is without it.
    [0, 0, "a"],
    [1, 3, "b"],
    [1, 4, "a"],
    [2, 7, "b"],
    [2, 8, "a"],
  ])("%d requests at weight 1 and %d at weight 4 send the next to %s", (a, b, chosen) => {
    const state = newLoadState();
    for (let request = 0; request < a; request++) started(state, "a");
    for (let request = 0; request < b; request++) started(state, "b");
    expect(choose("least-request", candidates([1, 4]), { state })?.id).toBe(chosen);
  });

  test("under a steady load the requests under way follow the weights", () => {
    const state = newLoadState();
    const random = seededRandom(3);
    const list = candidates([1, 2, 5]);
    const running: string[] = [];
    const sums = new Map(list.map(({ id }) => [id, 0]));
    for (let step = 0; step < 20_000; step++) {
      const { id } = choose("least-request", list, { state, random })!;
      started(state, id);
      running.push(id);
      if (running.length > 80) ended(state, running.splice(Math.floor(random() * running.length), 1)[0]!, state.turn);
      if (step >= 1_000) for (const { id } of list) sums.set(id, sums.get(id)! + inFlightOf(state, id));
    }
    for (const { id, weight } of list) expect(sums.get(id)! / (19_000 * 80)).toBeCloseTo(weight / 8, 1);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { chooseOrigin } from "../../../../src/core/balancing/index.ts";
import { leastRequest } from "../../../../src/core/balancing/least-request.ts";
import { ended, inFlightOf, newLoadState, retain, started, turn } from "../../../../src/core/balancing/load.ts";
import { drawByWeight } from "../../../../src/core/balancing/random.ts";
import { roundRobin } from "../../../../src/core/balancing/round-robin.ts";
import type { Candidate, LoadState } from "../../../../src/core/balancing/types.ts";
import { seededRandom } from "./random.ts";

const none: ReadonlySet<string> = new Set();
const candidates = (weights: readonly number[]) =>
  weights.map((weight, index) => ({ id: String.fromCharCode(97 + index), weight }));
const take = (list: readonly Candidate[], state: LoadState, count: number, random = () => 0) =>
  Array.from({ length: count }, () => roundRobin(list, state, random).id).join("");

describe("load", () => {
  test("counts requests under way and forgets origins that have none", () => {
    const state = newLoadState();
    started(state, "a");
    started(state, "a");
    expect(inFlightOf(state, "a")).toBe(2);
    ended(state, "a");
    expect(inFlightOf(state, "a")).toBe(1);
    ended(state, "a");
    ended(state, "a");
    expect(inFlightOf(state, "a")).toBe(0);
    expect(state.inFlight.size).toBe(0);
  });

  test("retain forgets who left, so churn of origins leaves nothing behind", () => {
    const state = newLoadState();
    for (let turn = 0; turn < 1_000; turn++) {
      const list = candidates([1, 1]).map(({ id, weight }) => ({ id: `${id}${turn}`, weight }));
      retain(state, new Set(list.map(({ id }) => id)));
      started(state, roundRobin(list, state, () => 0).id);
    }
    expect(state.inFlight.size).toBe(1);
    expect(state.credits.size).toBe(2);
  });

  test("a request whose end nobody sees is forgotten after the turn that follows its own", () => {
    const state = newLoadState();
    const turnMs = bounds.inFlightTurnMs;
    turn(state, turnMs);
    started(state, "a");
    turn(state, 2 * turnMs - 1);
    turn(state, 2 * turnMs);
    started(state, "a");
    expect(inFlightOf(state, "a")).toBe(2);
    retain(state, new Set(["a"]));
    expect(inFlightOf(state, "a")).toBe(2);
    turn(state, 3 * turnMs);
    expect(inFlightOf(state, "a")).toBe(1);
    turn(state, 9 * turnMs);
    expect(inFlightOf(state, "a")).toBe(0);
  });

  test("requests that end in the turn after their own are counted down", () => {
    const state = newLoadState();
    turn(state, bounds.inFlightTurnMs);
    started(state, "a");
    started(state, "a");
    turn(state, 2 * bounds.inFlightTurnMs);
    ended(state, "a");
    expect(inFlightOf(state, "a")).toBe(1);
    ended(state, "a");
    expect(inFlightOf(state, "a")).toBe(0);
    expect(state.older.size).toBe(0);
    retain(state, new Set());
    started(state, "b");
    turn(state, 3 * bounds.inFlightTurnMs);
    retain(state, new Set());
    expect(inFlightOf(state, "b")).toBe(0);
  });

  test("retain keeps what the others have, and the turn when nobody left", () => {
    const state = newLoadState();
    started(state, "a");
    started(state, "b");
    expect(take(candidates([1, 1]), state, 1)).toBe("a");
    retain(state, new Set(["a", "b", "c"]));
    expect(take(candidates([1, 1]), state, 1)).toBe("b");
    retain(state, new Set(["a"]));
    expect([...state.inFlight]).toEqual([["a", 1]]);
    expect(state.credits.size).toBe(0);
  });
});

describe("round-robin", () => {
  test("spreads as nginx does", () => {
    expect(take(candidates([5, 1, 1]), newLoadState(), 14)).toBe("aabacaaaabacaa");
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
      const tried = request % 3 === 0 ? new Set(["a"]) : none;
      const { id } = chooseOrigin("round-robin", list, state, tried, () => 0)!;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    expect([...state.credits.values()].every((credit) => Math.abs(credit) < 3)).toBe(true);
    expect(counts.get("b")! - counts.get("c")!).toBeLessThan(3);
  });
});

describe("random", () => {
  test("draws the interval of the weight, and the last one when rounding leaves a rest", () => {
    const list = candidates([1, 2, 1]);
    expect([0, 0.24, 0.25, 0.74, 0.75, 1].map((draw) => drawByWeight(list, () => draw))).toEqual([0, 0, 1, 1, 2, 2]);
  });

  test("never draws the exception", () => {
    const list = candidates([1, 2, 1]);
    expect([0, 0.32, 0.34, 1].map((draw) => drawByWeight(list, () => draw, 0))).toEqual([1, 1, 1, 2]);
    expect([0, 0.49, 0.5, 1].map((draw) => drawByWeight(list, () => draw, 1))).toEqual([0, 0, 2, 2]);
    expect([0, 0.32, 0.34, 1].map((draw) => drawByWeight(list, () => draw, 2))).toEqual([0, 0, 1, 1]);
  });
});

describe("least-request", () => {
  test("of two origins the busy one gets nothing until the other is as busy", () => {
    const state = newLoadState();
    const random = seededRandom(1);
    for (let request = 0; request < 20; request++) started(state, "a");
    for (let request = 0; request < 19; request++) {
      const { id } = leastRequest(candidates([1, 1]), state, random);
      expect(id).toBe("b");
      started(state, id);
    }
  });

  test("of ten origins a stuck one is never chosen, as the second choice is always another", () => {
    const state = newLoadState();
    for (let request = 0; request < 100; request++) started(state, "c");
    const random = seededRandom(2);
    for (let request = 0; request < 2_000; request++)
      expect(leastRequest(candidates(Array(10).fill(1)), state, random).id).not.toBe("c");
  });

  test("is the usual power of two choices for equal weights: fewer requests win, a tie stays with the first", () => {
    fc.assert(
      fc.property(fc.nat(6), fc.nat(6), fc.boolean(), (a, b, isFirstA) => {
        const state = newLoadState();
        for (let request = 0; request < a; request++) started(state, "a");
        for (let request = 0; request < b; request++) started(state, "b");
        const { id } = leastRequest(candidates([1, 1]), state, () => (isFirstA ? 0 : 0.9));
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
    expect(leastRequest(candidates([1, 4]), state, () => 0).id).toBe(chosen);
  });

  test("under a steady load the requests under way follow the weights", () => {
    const state = newLoadState();
    const random = seededRandom(3);
    const list = candidates([1, 2, 5]);
    const running: string[] = [];
    const sums = new Map(list.map(({ id }) => [id, 0]));
    for (let step = 0; step < 20_000; step++) {
      const { id } = leastRequest(list, state, random);
      started(state, id);
      running.push(id);
      if (running.length > 80) ended(state, running.splice(Math.floor(random() * running.length), 1)[0]!);
      if (step >= 1_000) for (const { id } of list) sums.set(id, sums.get(id)! + inFlightOf(state, id));
    }
    for (const { id, weight } of list) expect(sums.get(id)! / (19_000 * 80)).toBeCloseTo(weight / 8, 1);
  });
});

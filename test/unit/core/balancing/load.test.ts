import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { noteFailure } from "../../../../src/core/balancing/ewma.ts";
import {
  ended,
  inFlightOf,
  newLoadState,
  retain,
  started,
  totalInFlight,
  turn,
} from "../../../../src/core/balancing/load.ts";
import { noteOrigins } from "../../../../src/core/balancing/slow-start.ts";
import { candidates, choose } from "./support.ts";

describe("load", () => {
  test("counts requests under way and forgets origins that have none", () => {
    const state = newLoadState();
    started(state, "a");
    started(state, "a");
    expect(inFlightOf(state, "a")).toBe(2);
    ended(state, "a", state.turn);
    expect(inFlightOf(state, "a")).toBe(1);
    ended(state, "a", state.turn);
    ended(state, "a", state.turn);
    expect(inFlightOf(state, "a")).toBe(0);
    expect(state.inFlight.size).toBe(0);
  });

  test("counts as a list of requests would, whatever begins, ends or leaves", () => {
    const id = fc.constantFrom("a", "b", "c");
    const step = fc.oneof(
      fc.record({ op: fc.constant("start" as const), id }),
      fc.record({ op: fc.constant("end" as const), index: fc.nat(20) }),
      fc.record({ op: fc.constant("turn" as const), turns: fc.constantFrom(0, 1, 1, 2) }),
      fc.record({ op: fc.constant("retain" as const), ids: fc.subarray(["a", "b", "c"]) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const state = newLoadState();
        let underWay: { id: string; turn: number }[] = [];
        let now = 0;
        for (const done of steps) {
          if (done.op === "start") underWay.push({ id: done.id, turn: started(state, done.id) });
          else if (done.op === "end") {
            const [over] = underWay.splice(done.index, 1);
            if (over !== undefined) ended(state, over.id, over.turn);
          } else if (done.op === "turn") {
            now += done.turns;
            turn(state, 10, now * 10);
          } else {
            retain(state, new Set(done.ids));
            underWay = underWay.filter((request) => done.ids.includes(request.id));
          }
          underWay = underWay.filter((request) => request.turn >= now - 1);
          expect(totalInFlight(state)).toBe(underWay.length);
          for (const each of "abc") {
            expect(inFlightOf(state, each)).toBe(underWay.filter((request) => request.id === each).length);
          }
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test("the total is that of all origins and both turns", () => {
    const state = newLoadState();
    turn(state, bounds.loadTurnMs, bounds.loadTurnMs);
    started(state, "a");
    started(state, "b");
    turn(state, bounds.loadTurnMs, 2 * bounds.loadTurnMs);
    started(state, "a");
    expect(totalInFlight(state)).toBe(3);
  });

  test("a request that ends in the turn after its own is over; later it is forgotten already, and its end is no other's", () => {
    const state = newLoadState();
    const counts = () => [inFlightOf(state, "a"), totalInFlight(state)];
    const [first, second] = [started(state, "a"), started(state, "a")];
    turn(state, 10, 10);
    const third = started(state, "a");
    ended(state, "a", first);
    ended(state, "b", second);
    expect(counts()).toEqual([2, 2]);
    turn(state, 10, 20);
    ended(state, "a", second);
    expect(counts()).toEqual([1, 1]);
    ended(state, "a", third);
    expect(counts()).toEqual([0, 0]);
  });

  test("two turns that pass at once forget everything", () => {
    const state = newLoadState();
    started(state, "a");
    turn(state, 10, 20);
    expect([inFlightOf(state, "a"), totalInFlight(state)]).toEqual([0, 0]);
  });

  test("the total is without those of origins that left, in both turns", () => {
    const state = newLoadState();
    for (const id of "aaab") started(state, id);
    turn(state, 10, 10);
    for (const id of "aab") started(state, id);
    retain(state, new Set("a"));
    expect(totalInFlight(state)).toBe(5);
  });

  test("retain forgets who left, so churn of origins leaves nothing behind", () => {
    const state = newLoadState();
    for (let turn = 0; turn < 1_000; turn++) {
      const list = candidates([1, 1]).map(({ id, weight }) => ({ id: `${id}${turn}`, weight }));
      retain(state, new Set(list.map(({ id }) => id)));
      const { id } = choose("round-robin", list, { state })!;
      started(state, id);
      noteFailure(state, id, 10, 0);
      noteOrigins(state, new Set(list.map(({ id }) => id)), 0);
    }
    expect(state.inFlight.size).toBe(1);
    expect(state.rotation?.candidates.length).toBe(2);
    expect(state.costs.size).toBe(1);
    expect(state.sinceMs.size).toBe(2);
  });

  test("a request whose end nobody sees is forgotten after the turn that follows its own", () => {
    const state = newLoadState();
    const turnMs = bounds.loadTurnMs;
    turn(state, bounds.loadTurnMs, turnMs);
    started(state, "a");
    turn(state, bounds.loadTurnMs, 2 * turnMs - 1);
    turn(state, bounds.loadTurnMs, 2 * turnMs);
    started(state, "a");
    expect(inFlightOf(state, "a")).toBe(2);
    retain(state, new Set(["a"]));
    expect(inFlightOf(state, "a")).toBe(2);
    turn(state, bounds.loadTurnMs, 3 * turnMs);
    expect(inFlightOf(state, "a")).toBe(1);
    turn(state, bounds.loadTurnMs, 9 * turnMs);
    expect(inFlightOf(state, "a")).toBe(0);
  });

  test("requests that end in the turn after their own are counted down", () => {
    const state = newLoadState();
    turn(state, bounds.loadTurnMs, bounds.loadTurnMs);
    started(state, "a");
    started(state, "a");
    turn(state, bounds.loadTurnMs, 2 * bounds.loadTurnMs);
    ended(state, "a", state.turn - 1);
    expect(inFlightOf(state, "a")).toBe(1);
    ended(state, "a", state.turn - 1);
    expect(inFlightOf(state, "a")).toBe(0);
    expect(state.older.size).toBe(0);
    retain(state, new Set());
    started(state, "b");
    turn(state, bounds.loadTurnMs, 3 * bounds.loadTurnMs);
    retain(state, new Set());
    expect(inFlightOf(state, "b")).toBe(0);
  });

  test("retain keeps what the others have, and the turn when nobody left", () => {
    const state = newLoadState();
    started(state, "a");
    started(state, "b");
    expect(choose("round-robin", candidates([1, 1]), { state })?.id).toBe("a");
    retain(state, new Set(["a", "b", "c"]));
    expect(choose("round-robin", candidates([1, 1]), { state })?.id).toBe("b");
    retain(state, new Set(["a"]));
    expect([...state.inFlight]).toEqual([["a", 1]]);
    expect(state.rotation).toBeNull();
  });
});

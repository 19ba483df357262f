import { describe, expect, test } from "vitest";
import { noteFailure, noteResponse } from "../../../../src/core/balancing/ewma.ts";
import { limits } from "../../../../src/core/balancing/limits.ts";
import { ended, newLoadState, started } from "../../../../src/core/balancing/load.ts";
import { seededRandom } from "./random.ts";
import { candidates, choose } from "./support.ts";

const pair = candidates([1, 1]);

/** Requests of `pair` one after the other, 20 ms apart, with latencies as given; how many of them went to `b`. */
function oneByOne(state = newLoadState(), latencyOfB: number | "fails", fromMs: number, requests: number): number {
  const random = seededRandom(3);
  let toB = 0;
  for (let request = 0; request < requests; request++) {
    const nowMs = fromMs + request * 20;
    const { id } = choose("ewma", pair, { state, random, nowMs })!;
    if (id === "a") noteResponse(state, "a", 10, nowMs);
    else if (latencyOfB === "fails") noteFailure(state, "b", 1, nowMs);
    else noteResponse(state, "b", latencyOfB, nowMs);
    if (id === "b") toB++;
  }
  return toB;
}

describe("ewma", () => {
  test("a slow answer counts at once, a fast one with time, silence as if it had been fast", () => {
    const state = newLoadState();
    const costMs = () => state.costs.get("a")!.ms;
    noteResponse(state, "a", 10, 0);
    noteResponse(state, "a", 500, 1);
    expect(costMs()).toBe(500);
    noteResponse(state, "a", 10, 1);
    expect(costMs()).toBe(500);
    noteResponse(state, "a", 10, 1 + limits.costFadeMs);
    expect(costMs()).toBeCloseTo(10 + 490 / Math.E, 9);
    // Slower than what has faded, though not than what was noted.
    noteResponse(state, "a", 150, 1 + 2 * limits.costFadeMs);
    expect(costMs()).toBe(150);
    noteResponse(state, "a", 10, 1 + 30 * limits.costFadeMs);
    expect(costMs()).toBeCloseTo(10, 5);
  });

  test("a clock that steps back changes no cost but by what is noted", () => {
    const state = newLoadState();
    noteResponse(state, "a", 100, 5_000);
    noteResponse(state, "a", 10, 0);
    expect(state.costs.get("a")).toEqual({ ms: 100, atMs: 0 });
  });

  test("an origin that is five times as slow is avoided even when there is never more than one request", () => {
    const state = newLoadState();
    expect(oneByOne(state, 50, 0, 5_000)).toBeLessThan(0.05 * 5_000);
  });

  test("it gets its share back when it is as fast as the other again", () => {
    const state = newLoadState();
    oneByOne(state, 50, 0, 1_000);
    oneByOne(state, 10, 20_000, 3_000);
    expect(oneByOne(state, 10, 80_000, 1_000)).toBeGreaterThan(400);
  });

  test("failing fast does not look fast", () => {
    const state = newLoadState();
    expect(oneByOne(state, "fails", 0, 5_000)).toBeLessThan(0.01 * 5_000);
  });

  test("nor beside good answers that take longer than a failure counts: failures double the cost, up to a bound", () => {
    const state = newLoadState();
    noteResponse(state, "a", 2_000, 0);
    noteFailure(state, "a", 1, 0);
    expect(state.costs.get("a")?.ms).toBe(4_000);
    noteFailure(state, "b", 1, 0);
    expect(state.costs.get("b")?.ms).toBe(limits.failureCostMsMin);
    for (let failure = 0; failure < 20; failure++) noteFailure(state, "b", 1, 0);
    expect(state.costs.get("b")?.ms).toBe(limits.failureCostMsMax);
    noteFailure(state, "b", 90_000, 0);
    expect(state.costs.get("b")?.ms).toBe(90_000);
  });

  test("a new origin is tried at once, but no more than a few requests wait for its first answer", () => {
    const state = newLoadState();
    const random = seededRandom(4);
    noteResponse(state, "a", 100, 0);
    const chosen = Array.from({ length: 20 }, () => {
      const { id } = choose("ewma", pair, { state, random })!;
      started(state, id);
      if (id === "a") ended(state, id, state.turn);
      return id;
    });
    expect(chosen.slice(0, limits.probesMax)).toEqual(Array(limits.probesMax).fill("b"));
    expect(chosen.slice(limits.probesMax)).toEqual(Array(20 - limits.probesMax).fill("a"));
  });

  test("after a long silence all costs are the same, so the service is shared by weight", () => {
    const state = newLoadState();
    noteResponse(state, "a", 10, 0);
    noteResponse(state, "b", 10_000, 0);
    const nowMs = 12 * limits.costFadeMs;
    expect(choose("ewma", pair, { state, nowMs, random: () => 0 })?.id).toBe("a");
    expect(choose("ewma", pair, { state, nowMs, random: () => 0.9 })?.id).toBe("b");
  });

  test("an idle origin keeps what it has drawn, unless it is more than twice as slow as the other", () => {
    const state = newLoadState();
    noteResponse(state, "a", 20, 0);
    noteResponse(state, "b", 10, 0);
    expect(choose("ewma", pair, { state })?.id).toBe("a");
    noteResponse(state, "a", 21, 0);
    expect(choose("ewma", pair, { state })?.id).toBe("b");
  });

  test("a failure doubles what is left of a cost", () => {
    const state = newLoadState();
    noteResponse(state, "a", 10_000, 0);
    noteFailure(state, "a", 1, limits.costFadeMs);
    expect(state.costs.get("a")?.ms).toBeCloseTo(20_000 / Math.E, 6);
  });

  test.each([
    [0, 3, "b"],
    [0, 4, "a"],
    [1, 7, "b"],
    [1, 8, "a"],
  ])(
    "%d requests at weight 1 and %d at weight 4, of which that is drawn first, send the next to %s",
    (a, b, chosen) => {
      const state = newLoadState();
      for (const { id } of pair) noteResponse(state, id, 10, 0);
      for (let request = 0; request < a; request++) started(state, "a");
      for (let request = 0; request < b; request++) started(state, "b");
      expect(choose("ewma", candidates([1, 4]), { state, random: () => 0.9 })?.id).toBe(chosen);
    },
  );

  test.each([
    // Of weights 1 and 4 at the same cost, a is drawn first: as least-request would.
    [0, 0, "a"],
    [1, 3, "b"],
    [1, 4, "a"],
    [2, 7, "b"],
    [2, 8, "a"],
  ])("%d requests at weight 1 and %d at weight 4 send the next to %s", (a, b, chosen) => {
    const state = newLoadState();
    noteResponse(state, "a", 10, 0);
    noteResponse(state, "b", 10, 0);
    for (let request = 0; request < a; request++) started(state, "a");
    for (let request = 0; request < b; request++) started(state, "b");
    expect(choose("ewma", candidates([1, 4]), { state })?.id).toBe(chosen);
  });
});

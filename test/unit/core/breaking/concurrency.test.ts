import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import {
  askOf,
  type Concurrency,
  enter,
  leave,
  newConcurrency,
  settle,
  shareOfConcurrency,
} from "../../../../src/core/breaking/concurrency.ts";
import { seededRandom } from "../balancing/random.ts";
import { runWorld, World } from "./bulkhead-world.ts";

const t0 = 1_000_000;
const max = 100;
const ttlMs = bounds.concurrencyTtlMs;
const usableMs = ttlMs - bounds.concurrencyGuardMs;

/** How often `enter` said what, for `count` requests at once. */
function enters(state: Concurrency, count: number, nowMs: number, most = max) {
  const said = { entered: 0, ask: 0, full: 0 };
  for (let n = 0; n < count; n++) said[enter(state, most, nowMs)] += 1;
  return said;
}

/** An isolate that was granted so many at `t0`, which is what it wanted: its peak and a quarter. */
function holding(granted: number, isolates = 4): Concurrency {
  const state = newConcurrency();
  enters(state, Math.floor(granted / bounds.concurrencyHeadroom), t0);
  expect(askOf(state, max, 0, t0).wanted).toBeLessThanOrEqual(granted);
  settle(state, 0, { concurrency: { granted, ttlMs }, isolates }, t0 + 20);
  return state;
}

describe("a request", () => {
  test("asks when nothing is held, and enters when enough is", () => {
    const state = newConcurrency();
    expect(enters(state, 3, t0)).toEqual({ entered: 0, ask: 3, full: 0 });
    expect(askOf(state, max, 0, t0)).toEqual({ inFlight: 0, held: 0, wanted: 4 });
    expect(enters(state, 5, t0 + 10), "more come meanwhile").toEqual({ entered: 0, ask: 5, full: 0 });
    settle(state, 0, { concurrency: { granted: 4, ttlMs }, isolates: 1 }, t0 + 20);
    expect(enters(state, 8, t0 + 20)).toEqual({ entered: 4, ask: 4, full: 0 });
    expect(askOf(state, max, 1, t0 + 20)).toEqual({ inFlight: 4, held: 4, wanted: 10 });
  });

  test("is refused for a while after less was granted than wanted, then asks again", () => {
    const state = newConcurrency();
    enters(state, 4, t0);
    askOf(state, max, 0, t0);
    settle(state, 0, { concurrency: { granted: 1, ttlMs }, isolates: 1 }, t0 + 20);
    expect(enters(state, 4, t0 + 20)).toEqual({ entered: 1, ask: 0, full: 3 });
    const againMs = t0 + 20 + bounds.concurrencyAskPauseMs;
    expect(enters(state, 2, againMs - 1)).toEqual({ entered: 0, ask: 0, full: 2 });
    expect(enters(state, 1, againMs)).toEqual({ entered: 0, ask: 1, full: 0 });
    expect(askOf(state, max, 1, againMs).wanted, "what was refused, without headroom").toBe(7);
  });

  test("does not enter on a grant that is over, by the clock from which it was asked for", () => {
    const state = holding(3);
    expect(enter(state, max, t0 + usableMs - 1)).toBe("entered");
    expect(enter(state, max, t0 + usableMs)).toBe("ask");
  });

  test("makes room when it leaves", () => {
    const state = holding(1);
    expect(enters(state, 2, t0 + 30)).toEqual({ entered: 1, ask: 1, full: 0 });
    leave(state, t0 + 30, t0 + 40);
    expect(enter(state, max, t0 + 50)).toBe("entered");
  });

  test("a lowered max is in effect at once", () => {
    expect(enters(holding(10), 10, t0 + 30, 6).entered).toBe(6);
  });
});

describe("requests whose end is never seen", () => {
  const turnMs = bounds.inFlightTurnMs;
  const firstMs = Math.ceil(t0 / turnMs) * turnMs;

  test("count for the turn in which they began and the one after", () => {
    const state = newConcurrency();
    settle(state, -1, { concurrency: { granted: 2, ttlMs: 1e9 }, isolates: 1 }, firstMs);
    expect(enters(state, 2, firstMs).entered).toBe(2);
    expect(askOf(state, max, 0, firstMs + 2 * turnMs - 1).inFlight).toBe(2);
    expect(askOf(state, max, 1, firstMs + 2 * turnMs).inFlight).toBe(0);
  });

  test("take their places meanwhile, and give them up after a pause of any length", () => {
    const state = newConcurrency();
    settle(state, -1, { concurrency: { granted: 3, ttlMs: 1e9 }, isolates: 1 }, firstMs);
    expect(enters(state, 2, firstMs).entered).toBe(2);
    expect(enters(state, 3, firstMs + turnMs).entered).toBe(1);
    expect(enters(state, 4, firstMs + 3 * turnMs).entered).toBe(3);
  });

  test("when they leave after all, they take no other along", () => {
    const state = newConcurrency();
    settle(state, -1, { concurrency: { granted: 9, ttlMs: 1e9 }, isolates: 1 }, firstMs);
    enters(state, 3, firstMs);
    enters(state, 2, firstMs + turnMs);
    leave(state, firstMs, firstMs + turnMs);
    expect(askOf(state, max, 0, firstMs + turnMs).inFlight).toBe(4);
    leave(state, firstMs, firstMs + 2 * turnMs);
    expect(askOf(state, max, 1, firstMs + 2 * turnMs).inFlight).toBe(2);
    expect(askOf(state, max, 2, firstMs + 9 * turnMs).inFlight, "after a long pause").toBe(0);
    leave(state, firstMs + 9 * turnMs, firstMs + 9 * turnMs);
    expect(askOf(state, max, 3, firstMs + 9 * turnMs).inFlight, "never below none").toBe(0);
  });
});

describe("answers", () => {
  test("to an older report do nothing: the object was told later that less is held", () => {
    const state = holding(3);
    enters(state, 3, t0 + 500);
    askOf(state, max, 1, t0 + 1_000);
    askOf(state, max, 2, t0 + 2_000);
    settle(state, 1, { concurrency: { granted: 50, ttlMs }, isolates: 1 }, t0 + 2_010);
    settle(state, 1, null, t0 + 2_010);
    expect(state).toMatchObject({ held: 3, isAway: false });
    settle(state, 2, { concurrency: { granted: 7, ttlMs }, isolates: 1 }, t0 + 2_020);
    expect(enters(state, 8, t0 + 2_030).entered).toBe(4);
  });

  test("that come after they were given up still count", () => {
    const state = newConcurrency();
    askOf(state, max, 0, t0);
    settle(state, 0, null, t0 + 100);
    settle(state, 0, { concurrency: { granted: 2, ttlMs }, isolates: 1 }, t0 + 200);
    expect(state).toMatchObject({ held: 2, isAway: false });
  });

  test("a report gives back at once what it does not ask for", () => {
    const state = holding(50);
    enters(state, 2, t0 + 100);
    expect(askOf(state, max, 1, t0 + 4_000)).toEqual({ inFlight: 2, held: 7, wanted: 7 });
    expect(enters(state, 20, t0 + 4_001).entered).toBe(5);
  });

  test("a request that came and went since the last report is asked for", () => {
    const state = holding(3);
    askOf(state, max, 1, t0 + 60_000);
    settle(state, 1, { concurrency: { granted: 3, ttlMs }, isolates: 1 }, t0 + 60_000);
    expect(enter(state, max, t0 + 60_100)).toBe("entered");
    leave(state, t0 + 60_100, t0 + 60_200);
    expect(askOf(state, max, 2, t0 + 61_000)).toEqual({ inFlight: 0, held: 2, wanted: 2 });
  });

  test("without traffic everything goes back", () => {
    const state = holding(50);
    let seq = 1;
    const asks = Array.from({ length: 12 }, () => askOf(state, max, seq, t0 + 1_000 * seq++));
    expect(asks.map(({ wanted }) => wanted)).toEqual([31, 19, 12, 7, 5, 3, 2, 1, 0, 0, 0, 0]);
    expect(asks.at(-1)).toEqual({ inFlight: 0, held: 0, wanted: 0 });
  });

  test("never asks for more than max, except for what runs", () => {
    const state = holding(50);
    expect(enters(state, 60, t0 + 30)).toEqual({ entered: 50, ask: 10, full: 0 });
    expect(askOf(state, 20, 1, t0 + 40)).toEqual({ inFlight: 50, held: 20, wanted: 20 });
  });
});

describe("while the object is away", () => {
  test("the grant is used to its end, then the share of the isolates last known, and no request waits", () => {
    const state = holding(10, 4);
    expect(enters(state, 9, t0 + 500).entered).toBe(9);
    askOf(state, max, 1, t0 + 1_000);
    settle(state, 1, null, t0 + 1_150);
    expect(enters(state, 30, t0 + 1_200)).toEqual({ entered: 1, ask: 0, full: 29 });
    expect(enters(state, 30, t0 + usableMs)).toEqual({ entered: 15, ask: 0, full: 15 });
    const { inFlight, held } = askOf(state, max, 2, t0 + usableMs);
    expect({ inFlight, held }).toEqual({ inFlight: 25, held: 0 });
    settle(state, 2, { concurrency: { granted: 25, ttlMs }, isolates: 4 }, t0 + 6_000);
    expect(enter(state, max, t0 + 6_300)).toBe("ask");
  });

  test("an object that grants nothing, as it knows of no limit, counts as away", () => {
    const state = newConcurrency();
    askOf(state, max, 0, t0);
    settle(state, 0, { concurrency: null, isolates: 9 }, t0);
    expect(enters(state, 30, t0)).toEqual({ entered: 10, ask: 0, full: 20 });
  });

  test("a share is at least one request", () => {
    expect(shareOfConcurrency(100, 3)).toBe(33);
    expect(shareOfConcurrency(100, 0)).toBe(100 / bounds.concurrencyIsolatesAssumed);
    expect(shareOfConcurrency(2, 3)).toBe(1);
  });
});

test("in steady traffic hardly a request waits, and none is refused", () => {
  const options = { max: 400, requestMs: 100, delayMsMax: 40, lostShare: 0, restartShare: 0, deathShare: 0 };
  const world = new World({ ...options, requestsPerSecond: [20, 100, 300, 5] }, seededRandom(5));
  runWorld(world, 10_000);
  expect(world.waited, "at first they do").toBeGreaterThan(0);
  Object.assign(world, { waited: 0, refused: 0 });
  world.entered.fill(0);
  runWorld(world, 70_000);
  const entered = world.entered.reduce((sum, count) => sum + count, 0);
  expect(entered).toBeGreaterThan(20_000);
  expect(world.waited / entered).toBeLessThan(0.005);
  expect(world.refused).toBe(0);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gradientAdmits, newGradient, noteSample } from "../../../../src/core/breaking/gradient.ts";
import { seededRandom } from "../balancing/random.ts";
import { type Phase, runQueue } from "./queue.ts";

const settings = { minConcurrency: 5, maxConcurrency: 1_000 };
/** Serves 800 requests a second, as 40 at once. */
const calm: Phase = { durationMs: 60_000, servers: 40, serviceMs: 50, requestsPerSecond: 600 };
const overload: Phase = { ...calm, requestsPerSecond: 1_600 };

describe("an origin with twice the requests that it can serve", () => {
  test("gets about as many at once as it serves, and answers soon; without a limit it does not", () => {
    const [limited] = runQueue(settings, [overload], seededRandom(1));
    const [unlimited] = runQueue(null, [{ ...overload, durationMs: 20_000 }], seededRandom(1));
    expect(limited!.limit).toBeGreaterThan(35);
    expect(limited!.limit).toBeLessThan(80);
    expect(limited!.latencyMs).toBeLessThan(100);
    expect(limited!.servedPerSecond).toBeGreaterThan(760);
    expect(unlimited!.latencyMs).toBeGreaterThan(5_000);
  });

  test("for as long as it lasts", () => {
    const phases = runQueue(settings, [overload, { ...overload, durationMs: 900_000 }, overload], seededRandom(2));
    expect(phases[2]!.limit).toBeLessThan(80);
    expect(phases[2]!.latencyMs).toBeLessThan(100);
    expect(phases[2]!.servedPerSecond).toBeGreaterThan(760);
  });

  test("from several isolates, none of which sees the others' requests", () => {
    const many = { ...overload, servers: 100, requestsPerSecond: 4_000, durationMs: 120_000 };
    const [result] = runQueue(settings, [many], seededRandom(3), 10);
    expect(result!.latencyMs).toBeLessThan(125);
    expect(result!.servedPerSecond).toBeGreaterThan(1_900);
  });

  test("although it was so when the isolate started, and serves far fewer at once than the first limit", () => {
    const small = { ...overload, servers: 2, serviceMs: 300, requestsPerSecond: 20, durationMs: 300_000 };
    const [, result] = runQueue({ ...settings, minConcurrency: 1 }, [small, small], seededRandom(4));
    expect(result!.limit).toBeLessThan(9);
    expect(result!.servedPerSecond).toBeGreaterThan(6);
  });
});

describe("an origin that", () => {
  test("has no queue is refused nothing, and the limit does not grow beyond what is used", () => {
    const [, result] = runQueue(settings, [calm, calm], seededRandom(5));
    expect(result!.refusedShare).toBe(0);
    expect(result!.limit).toBeLessThan(150);
  });

  test("was slow for a while gets everything again", () => {
    const slow = { ...calm, serviceMs: 500 };
    const [before, during, , after] = runQueue(settings, [calm, slow, calm, calm], seededRandom(6));
    expect(during!.latencyMs, "of which 500 are its own").toBeLessThan(1_000);
    expect(during!.limit).toBeLessThan(before!.limit);
    expect(after!.refusedShare).toBe(0);
    expect(after!.latencyMs).toBeLessThan(60);
  });

  test("is slower from now on, but serves more at once, gets that many", () => {
    const slower = { ...overload, serviceMs: 250, servers: 200, durationMs: 120_000 };
    const [, , result] = runQueue(settings, [overload, slower, slower], seededRandom(7));
    expect(result!.servedPerSecond).toBeGreaterThan(720);
    expect(result!.latencyMs).toBeLessThan(500);
  });

  test("fails often gets less at once; single failures do no harm", () => {
    const failing = (failureShare: number) => ({ ...calm, failureShare });
    const [few, many, all] = runQueue(settings, [failing(0.01), failing(0.4), failing(1)], seededRandom(8));
    expect(few!.refusedShare).toBe(0);
    expect(many!.limit).toBeLessThan(20);
    expect(all!.limit).toBe(settings.minConcurrency);
  });
});

/** One window of 20 samples. */
function window(state: ReturnType<typeof newGradient>, latencyMs: number, inFlight: number, fromMs: number) {
  for (let n = 1; n <= 20; n++) noteSample(state, settings, latencyMs, inFlight, false, fromMs + 20 * n);
}

describe("the limit", () => {
  test("of an isolate that starts is all there at once", () => {
    const nowMs = 1e9;
    const state = newGradient(nowMs);
    for (let n = 0; n < 2; n++) {
      expect(gradientAdmits(state, settings, 19)).toBe(true);
      expect(gradientAdmits(state, settings, 20)).toBe(false);
      noteSample(state, settings, 10, 1, false, nowMs + 10);
    }
  });

  test("is not lowered by a maximum below it: a maximum that is raised finds it as it was", () => {
    const small = { minConcurrency: 1, maxConcurrency: 4 };
    const state = newGradient(0);
    for (let n = 0; n < 20; n++) noteSample(state, small, 10, 1, n % 2 === 0, 300 + 10 * n);
    expect([3, 4].map((inFlight) => gradientAdmits(state, small, inFlight))).toEqual([true, false]);
    expect(gradientAdmits(state, { ...small, maxConcurrency: 100 }, 10)).toBe(true);
  });

  test("follows a window when it has its samples and its time, to the millisecond", () => {
    const state = newGradient(1_000);
    for (let n = 0; n < 20; n++) noteSample(state, settings, 10, 15, false, 1_100);
    noteSample(state, settings, 10, 15, false, 1_249);
    expect(state.limit).toBe(20);
    noteSample(state, settings, 250, 15, false, 1_250);
    expect(state.limit).toBeGreaterThan(20);
    expect(state.usualMs, "what began with the window is of it").toBe((21 * 10 + 250) / 22);
  });

  test("is lowered to find out when ten seconds of the clock begin, and not before", () => {
    const state = newGradient(0);
    window(state, 10, 15, 0);
    window(state, 100, 15, 1_000);
    noteSample(state, settings, 100, 15, false, 9_999);
    expect(gradientAdmits(state, settings, 18)).toBe(true);
    noteSample(state, settings, 100, 15, false, 10_000);
    expect(gradientAdmits(state, settings, 5)).toBe(false);
  });

  test("knows of a faster answer from any window, and believes half of it", () => {
    const state = newGradient(0);
    window(state, 20, 15, 0);
    window(state, 10, 15, 1_000);
    expect(state.usualMs).toBe(15);
  });

  test("is raised only when it was in use", () => {
    const state = newGradient(0);
    window(state, 10, 10, 0);
    expect(state.limit).toBe(20);
    window(state, 10, 11, 1_000);
    expect(state.limit).toBeGreaterThan(20);
  });

  test("takes no notice of what began before the window", () => {
    const state = newGradient(0);
    window(state, 10, 15, 0);
    window(state, 900, 15, 420);
    expect(state.usualMs).toBe(10);
    expect(state.window.samples).toBe(0);
  });

  test("is within its bounds whatever happens, also when they change", () => {
    const samples = fc.array(
      fc.tuple(fc.nat(5_000), fc.nat(200), fc.boolean(), fc.nat(300), fc.nat(30), fc.integer({ min: 1, max: 50 })),
      { minLength: 100, maxLength: 500 },
    );
    fc.assert(
      fc.property(samples, (all) => {
        const state = newGradient(0);
        let nowMs = 0;
        for (const [latencyMs, inFlight, isDropped, gapMs, more, minConcurrency] of all) {
          nowMs += gapMs;
          const now = { minConcurrency, maxConcurrency: minConcurrency + more };
          noteSample(state, now, latencyMs, inFlight, isDropped, nowMs);
          expect(gradientAdmits(state, now, now.minConcurrency - 1)).toBe(true);
          expect(gradientAdmits(state, now, now.maxConcurrency)).toBe(false);
        }
      }),
      { numRuns: 50 },
    );
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newThrottle, noteAnswer, throttleAdmits } from "../../../../src/core/breaking/throttle.ts";
import { seededRandom } from "../balancing/random.ts";

const settings = { windowMs: 10_000, ratio: 2 };
const t0 = 1_000_000;

/** Sends a request each 10 ms to an origin that accepts so many a second; returns the share that was sent, of the last half. */
function sentShare(
  acceptsPerSecond: number,
  seconds: number,
  ratio: number,
  state = newThrottle(settings),
  fromMs = t0,
) {
  const random = seededRandom(7);
  const total = seconds * 100;
  let accepted = 0;
  let sent = 0;
  for (let n = 0; n < total; n++) {
    const nowMs = fromMs + 10 * n;
    if (n % 100 === 0) accepted = 0;
    if (!throttleAdmits(state, { ...settings, ratio }, nowMs, random)) continue;
    if (n >= total / 2) sent += 1;
    noteAnswer(state, ++accepted <= acceptsPerSecond, nowMs);
  }
  return sent / (total / 2);
}

describe("a throttled origin", () => {
  test.each([
    [20, 2],
    [10, 2],
    [30, 1.5],
    [5, 4],
  ])("that accepts %i of 100 requests a second is sent %d times as many", (accepts, ratio) => {
    expect(Math.abs(sentShare(accepts, 120, ratio) - (ratio * accepts) / 100)).toBeLessThan(0.04);
  });

  test("that accepts more than half is sent everything", () => {
    expect(sentShare(60, 60, 2)).toBe(1);
  });

  test("that accepts nothing is still tried, and all is sent again when it has recovered", () => {
    const state = newThrottle(settings);
    const tried = sentShare(0, 60, 2, state);
    expect(tried).toBeGreaterThan(0);
    expect(tried).toBeLessThan(0.01);
    expect(sentShare(100, 300, 2, state, t0 + 60_000)).toBe(1);
  });
});

test("the probability is the formula's, over requests answered or refused and answers accepted", () => {
  const answers = fc.array(fc.boolean(), { maxLength: 60 });
  fc.assert(
    fc.property(answers, fc.nat(20), fc.double({ min: 0, max: 0.999, noNaN: true }), (accepted, refused, chance) => {
      const state = newThrottle(settings);
      for (const isAccepted of accepted) noteAnswer(state, isAccepted, t0);
      let requests = accepted.length;
      for (let n = 0; n < refused; n++) if (!throttleAdmits(state, settings, t0, () => 0)) requests += 1;
      const accepts = accepted.filter(Boolean).length;
      const probability = Math.max(0, (requests - 2 * accepts) / (requests + 1));
      expect(throttleAdmits(state, settings, t0, () => chance)).toBe(chance >= probability);
    }),
  );
});

test("requests under way say nothing: an isolate that starts sends them all", () => {
  const state = newThrottle(settings);
  const admitted = Array.from({ length: 50 }, () => throttleAdmits(state, settings, t0, () => 0));
  expect(admitted).not.toContain(false);
});

test("answers older than the window are forgotten", () => {
  const state = newThrottle(settings);
  for (let n = 0; n < 50; n++) noteAnswer(state, false, t0);
  expect(throttleAdmits(state, settings, t0 + 9_000, () => 0.5)).toBe(false);
  expect(throttleAdmits(state, settings, t0 + 9_000 + settings.windowMs, () => 0)).toBe(true);
});

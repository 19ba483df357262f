import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { hedgeDelayMs, newLatencyState, noteLatency, percentileMs } from "../../../../src/core/retrying/latency.ts";
import { limits } from "../../../../src/core/retrying/limits.ts";

function stateOf(latencies: readonly number[], nowMs = 0) {
  const state = newLatencyState();
  for (const ms of latencies) noteLatency(state, ms, nowMs);
  return state;
}

const enough = bounds.hedgingSamplesMin;
const rounding = 1e-9;

describe("percentileMs", () => {
  test("is within the named error of the sample of that rank, over all latencies that a request may take", () => {
    const latency = fc
      .double({ min: 0, max: Math.log(bounds.requestTimeoutMsMax), noNaN: true })
      .map((log) => Math.min(Math.exp(log), bounds.requestTimeoutMsMax));
    fc.assert(
      fc.property(
        fc.array(latency, { minLength: enough, maxLength: 200 }),
        fc.double({ min: 0.1, max: 100, noNaN: true }),
        (latencies, p) => {
          const sorted = latencies.toSorted((a, b) => a - b);
          const sample = sorted[Math.ceil((p * sorted.length) / 100) - 1]!;
          const error = Math.abs(percentileMs(stateOf(latencies), p, 0)! - sample) / sample;
          expect(error).toBeLessThanOrEqual(limits.latencyErrorMax + rounding);
        },
      ),
    );
    expect(limits.latencyErrorMax).toBeLessThanOrEqual(0.1);
  });

  test("is unknown with too few samples, and again when they are too old", () => {
    const state = stateOf(Array(enough - 1).fill(10));
    expect(percentileMs(state, 50, 0)).toBeNull();
    noteLatency(state, 10, 0);
    expect(percentileMs(state, 50, 0)).not.toBeNull();
    expect(percentileMs(state, 50, bounds.hedgingWindowMs - 1)).not.toBeNull();
    expect(percentileMs(state, 50, bounds.hedgingWindowMs)).toBeNull();
  });

  test("follows a change of the latency within the window", () => {
    const state = stateOf(Array(1_000).fill(10));
    const laterMs = bounds.hedgingWindowMs;
    for (let sample = 0; sample < enough; sample++) noteLatency(state, 1_000, laterMs);
    expect(percentileMs(state, 1, laterMs)).toBeGreaterThan(900);
  });

  test("latencies that the clock cannot see or nobody waits for count as the shortest and the longest", () => {
    expect(percentileMs(stateOf(Array(enough).fill(0)), 50, 0)).toBe(
      percentileMs(stateOf(Array(enough).fill(1)), 50, 0),
    );
    const longest = percentileMs(stateOf(Array(enough).fill(bounds.requestTimeoutMsMax)), 50, 0);
    expect(percentileMs(stateOf(Array(enough).fill(1e300)), 50, 0)).toBe(longest);
  });
});

describe("hedgeDelayMs", () => {
  const state = stateOf([...Array(95).fill(10), ...Array(5).fill(1_000)]);

  test("is the percentile, but no shorter than asked for", () => {
    expect(hedgeDelayMs({ percentile: 95, minDelayMs: 0 }, state, 0)).toBe(percentileMs(state, 95, 0));
    expect(hedgeDelayMs({ percentile: 96, minDelayMs: 0 }, state, 0)).toBe(percentileMs(state, 96, 0));
    expect(percentileMs(state, 95, 0)).toBeLessThan(11);
    expect(percentileMs(state, 96, 0)).toBeGreaterThan(900);
    expect(hedgeDelayMs({ percentile: 95, minDelayMs: 50 }, state, 0)).toBe(50);
  });

  test("there is none while too little is known", () => {
    expect(hedgeDelayMs({ percentile: 95, minDelayMs: 50 }, newLatencyState(), 0)).toBeNull();
  });
});

/** What leases cost and what they use of a limit, without faults beside deaths: printed, and held to the design's figures. */
import { describe, expect, test } from "vitest";
import { quotaOf } from "../../../../src/core/limiting/policy.ts";
import type { WindowSpec } from "../../../../src/core/limiting/types.ts";
import { noFaults, type Scenario, simulate, startMs } from "./simulation.ts";
import { fixed, sliding } from "./support.ts";

const minuteMs = 60_000;

interface Figure {
  readonly name: string;
  readonly spec: WindowSpec;
  readonly isolates: number;
  readonly perSecond: number;
  readonly minutes: number;
  readonly kill?: number;
  /** Object calls per request, and the part of the limit used from the second minute on. */
  readonly callsMax: number;
  readonly usedMin: number;
}

const token = (rate: number, burst: number): WindowSpec => ({ kind: "token-bucket", rate, burst });
const leaky = (rate: number, burst: number): WindowSpec => ({ kind: "leaky-bucket", rate, burst, maxDelayMs: 0 });

const figures: readonly Figure[] = [
  // The four of the design; it expects 1.2 %, 5 %, 21 % and 48 % of calls.
  {
    name: "fixed 100k/60 s, 100 isolates, 1.2x",
    spec: fixed(100_000),
    isolates: 100,
    perSecond: 2_000,
    minutes: 2,
    callsMax: 0.012,
    usedMin: 0.999,
  },
  {
    name: "fixed 1000/60 s, 10 isolates, 2.4x",
    spec: fixed(1_000),
    isolates: 10,
    perSecond: 40,
    minutes: 10,
    callsMax: 0.05,
    usedMin: 0.999,
  },
  {
    name: "sliding 1000/60 s, 10 isolates, 2.4x",
    spec: sliding(1_000),
    isolates: 10,
    perSecond: 40,
    minutes: 10,
    callsMax: 0.15,
    usedMin: 0.998,
  },
  {
    name: "sliding 1000/60 s, 50 isolates, 1 % kill theirs",
    spec: sliding(1_000),
    isolates: 50,
    perSecond: 40,
    minutes: 10,
    kill: 0.01,
    callsMax: 0.48,
    usedMin: 0.965,
  },
  // One hot key.
  {
    name: "sliding 60k/60 s, 4 isolates, 0.9x",
    spec: sliding(60_000),
    isolates: 4,
    perSecond: 900,
    minutes: 2,
    callsMax: 0.01,
    usedMin: 0.89,
  },
  {
    name: "sliding 60k/60 s, 4 isolates, 10x",
    spec: sliding(60_000),
    isolates: 4,
    perSecond: 10_000,
    minutes: 2,
    callsMax: 0.001,
    usedMin: 0.998,
  },
  {
    name: "token 1000/s, 4 isolates, 0.9x",
    spec: token(1_000, 1_000),
    isolates: 4,
    perSecond: 900,
    minutes: 2,
    callsMax: 0.05,
    usedMin: 0.89,
  },
  {
    name: "sliding 1000/1 s, 4 isolates, 2.4x",
    spec: sliding(1_000, 1_000),
    isolates: 4,
    perSecond: 2_400,
    minutes: 2,
    callsMax: 0.05,
    usedMin: 0.8,
  },
  // What the end-to-end tests load.
  {
    name: "sliding 1000/60 s, 4 isolates, 2.4x",
    spec: sliding(1_000),
    isolates: 4,
    perSecond: 40,
    minutes: 4,
    callsMax: 0.06,
    usedMin: 0.99,
  },
  {
    name: "fixed 1000/60 s, 4 isolates, 2.4x",
    spec: fixed(1_000),
    isolates: 4,
    perSecond: 40,
    minutes: 4,
    callsMax: 0.05,
    usedMin: 0.99,
  },
  {
    name: "token 1000/60 s, 4 isolates, 2.4x",
    spec: token(1_000 / 60, 1_000),
    isolates: 4,
    perSecond: 40,
    minutes: 4,
    callsMax: 0.25,
    usedMin: 0.98,
  },
  {
    name: "leaky 1000/60 s, 4 isolates, 2.4x",
    spec: leaky(1_000 / 60, 100),
    isolates: 4,
    perSecond: 40,
    minutes: 4,
    callsMax: 0.3,
    usedMin: 0.98,
  },
];

function scenarioOf({ spec, isolates, perSecond, minutes, kill = 0 }: Figure): Scenario {
  return {
    seed: 7,
    windows: [spec],
    consistency: "leased",
    isolates,
    perSecond,
    costMax: 1,
    durationMs: minutes * minuteMs,
    latencyMs: [2, 12],
    faults: { ...noFaults, kill },
  };
}

function perMinute(spec: WindowSpec): number {
  return "rate" in spec
    ? spec.rate * 60
    : (quotaOf(spec) * minuteMs) / (spec.kind === "calendar-window" ? minuteMs : spec.windowMs);
}

describe("figures", () => {
  test.each(figures)(
    "$name",
    (figure) => {
      const result = simulate(scenarioOf(figure));
      const late = result.log.filter(({ atMs }) => atMs >= startMs + minuteMs).length;
      const used = late / (perMinute(figure.spec) * (figure.minutes - 1));
      const [calls, writes, waited] = [result.calls, result.writes, result.waited].map(
        (count) => count / result.requests,
      );
      const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
      console.log(
        `${figure.name}: calls ${percent(calls!)}, writes ${percent(writes!)}, waited ${percent(waited!)} of requests; used ${percent(used)}`,
      );
      expect(result.breaches).toEqual([]);
      expect(calls).toBeLessThanOrEqual(figure.callsMax);
      expect(used).toBeGreaterThanOrEqual(figure.usedMin);
    },
    60_000,
  );

  test("a flood adds no calls (L7)", () => {
    const base = { spec: sliding(1_000), isolates: 4, minutes: 3, name: "", callsMax: 1, usedMin: 0 };
    const [once, tenfold] = [40, 400].map((perSecond) => simulate(scenarioOf({ ...base, perSecond })).calls);
    expect(tenfold).toBeLessThanOrEqual(once! * 1.1);
  });
});

import { describe, expect, it } from "vitest";
import { compare, type Round, type Sample, summarize } from "../../../bench/rounds.ts";

const sample = (cpuUs: number, rps = 1_000, failed = 0): Sample => ({ cpuUs, rps, failed });
const round = (before: number, cpuUs: number, after: number): Round => ({
  before: sample(before),
  sample: sample(cpuUs),
  after: sample(after),
});

describe("the summary of rounds", () => {
  it("divides each run by the mean of the BAREs around it, and takes the median", () => {
    const { cpuRatio, cpuUs, kept } = summarize([round(100, 130, 100), round(190, 240, 210), round(100, 110, 100)]);
    expect(cpuRatio).toEqual({ median: 1.2, min: 1.1, max: 1.3 });
    expect(cpuUs.median).toBe(130);
    expect(kept).toBe(3);
  });

  it("leaves a round out whose BAREs differ by more than 15 %", () => {
    const { cpuRatio, kept } = summarize([round(100, 130, 100), round(100, 500, 117), round(100, 130, 100)]);
    expect(cpuRatio?.max).toBe(1.3);
    expect(kept).toBe(2);
  });

  it("has no ratio when fewer than half of the rounds are left", () => {
    const moved = round(100, 130, 200);
    expect(summarize([moved, moved, moved, round(100, 130, 100)]).cpuRatio).toBeNull();
    expect(summarize([moved, round(100, 130, 100)]).cpuRatio).toBeNull();
  });

  it("judges throughput by the throughput of BARE", () => {
    const rounds = [1, 2, 3].map(() => ({ ...round(100, 130, 200), sample: sample(130, 800) }));
    const { cpuRatio, rpsRatio } = summarize(rounds);
    expect(cpuRatio).toBeNull();
    expect(rpsRatio?.median).toBe(0.8);
  });

  it("adds up what failed in the case, in rounds that are left out too", () => {
    const failing: Round = { ...round(100, 130, 200), sample: sample(130, 1_000, 3) };
    expect(summarize([failing, failing]).failed).toBe(6);
  });
});

describe("a comparison of two cases", () => {
  const few = [round(100, 120, 100), round(200, 240, 200), round(100, 120, 100)];

  it("divides round by round, so that a machine that has become slower in between changes nothing", () => {
    const many = [round(100, 132, 100), round(200, 240, 200), round(100, 144, 100)];
    expect(compare(many, few)).toEqual({ ratio: { median: 1.1, min: 1, max: 1.2 }, fewToBare: 1.2 });
  });

  it("leaves rounds out in which BARE was slower beside one than beside the other, but not if it moved beside both", () => {
    const many = [round(120, 900, 120), round(150, 240, 250), round(100, 144, 100)];
    expect(compare(many, few)?.ratio).toEqual({ median: 1.1, min: 1, max: 1.2 });
  });

  it("is none when too few are left", () => {
    const slower = round(120, 130, 120);
    expect(compare([slower, slower, round(100, 120, 100)], few)).toBeNull();
  });
});

/** Runs histories of one breaker that other libraries test, as tables of what is done and what it leads to. */
import { describe, expect, test } from "vitest";
import { probeOutcome } from "../../../../src/core/breaking/probes.ts";
import type { BreakerSettings, CallOutcome, Forced } from "../../../../src/core/breaking/types.ts";
import { breakerDefaults, Service } from "./service.ts";

type State = "closed" | "open" | "half-open" | "forced-open" | "disabled";

/** What holds after a step; `counts`: requests, failures; `run`: failures in a row. */
interface Expected {
  readonly is: State;
  readonly counts?: readonly [requests: number, failures: number];
  readonly run?: number;
  readonly slow?: number;
}

type Action =
  /** `times` requests, one after the other, each of which is let through and takes `tookMs`. */
  | { readonly do: CallOutcome; readonly times?: number; readonly tookMs?: number }
  /** A request that is refused. */
  | { readonly do: "refused"; readonly times?: number }
  /** Requests that all come in one report. */
  | { readonly batch: { readonly ok?: number; readonly fail?: number } }
  | { readonly wait: number }
  /** Half-open: requests under way at once; so many are let through. */
  | { readonly begin: number; readonly let: number }
  /** The oldest request under way is over. */
  | { readonly end: CallOutcome }
  /** A result from another generation than the present one. */
  | { readonly late: CallOutcome; readonly generation: number }
  | { readonly force: Forced };

export type Step = Action & Expected;

export type Case = {
  /** The test of the original that the facts are from. */
  readonly name: string;
} & (
  | {
      readonly settings: Partial<BreakerSettings>;
      readonly steps: readonly Step[];
      /** What the original expects otherwise, and why it is so here. */
      readonly differs?: string;
    }
  /** Why the case does not apply. */
  | { readonly reason: string }
);

/** Runs the cases that apply; every other one must say why it does not. */
export function runCases(library: string, cases: readonly Case[]): void {
  describe(`the cases of ${library}`, () => {
    for (const row of cases) if ("steps" in row) test(row.name, () => run(row.settings, row.steps));
    test("are all run, or say why they do not apply", () => {
      expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
      for (const row of cases) if (!("steps" in row)) expect(row.reason, row.name).toMatch(/\w{3,} \w+/);
    });
  });
}

function run(settings: Partial<BreakerSettings>, steps: readonly Step[]): void {
  const breaker: BreakerSettings = { ...breakerDefaults, ...settings };
  const service = new Service({ breaker });
  const underWay: string[] = [];
  steps.forEach((step, index) => {
    act(service, breaker, underWay, step, `step ${index}`);
    const { state, forced, counts, consecutiveFailures } = service.v1;
    const at = `after step ${index}: ${JSON.stringify(step)}`;
    expect(forced === "auto" ? state : forced, at).toBe(step.is);
    if (step.counts) expect([counts.requests, counts.failures], at).toEqual(step.counts);
    if (step.run !== undefined) expect(consecutiveFailures, at).toBe(step.run);
    if (step.slow !== undefined) expect(counts.slow, at).toBe(step.slow);
  });
}

function act(service: Service, settings: BreakerSettings, underWay: string[], step: Step, at: string): void {
  if ("wait" in step) service.wait(step.wait);
  else if ("force" in step) service.force("v1", step.force);
  else if ("batch" in step) service.results(step.batch);
  else if ("late" in step) lateResult(service, step.late, step.generation);
  else if ("begin" in step) {
    const permits = service.permits(step.begin);
    expect(permits.length, at).toBe(step.let);
    underWay.push(...permits);
  } else if ("end" in step) service.settle(underWay.shift()!, step.end);
  else {
    for (let time = 0; time < (step.times ?? 1); time++) {
      const isLet = request(
        service,
        settings,
        step.do === "refused" ? "ok" : step.do,
        "tookMs" in step ? step.tookMs : 0,
      );
      expect(isLet, `${at}, request ${time}`).toBe(step.do !== "refused");
    }
  }
}

/** A request to v1, as an isolate that knows the object's state would have it. False: refused. */
function request(service: Service, settings: BreakerSettings, outcome: CallOutcome, tookMs = 0): boolean {
  const { state, forced } = service.v1;
  const isSlow = tookMs >= settings.slowCallMs;
  if (forced === "forced-open" || (forced === "auto" && state === "open")) return false;
  const permit = state === "half-open" ? service.permits()[0] : null;
  if (permit === undefined) return false;
  const { generation } = service.v1;
  service.wait(tookMs);
  if (permit !== null) service.settle(permit, probeOutcome(outcome, isSlow, settings), generation);
  else
    service.results({
      generation,
      [outcome]: 1,
      tail: outcome === "fail" ? 1 : 0,
      slow: isSlow ? 1 : 0,
      ageMs: tookMs,
    });
  return true;
}

function lateResult(service: Service, outcome: CallOutcome, generation: number): void {
  service.results({ generation, [outcome]: 1, tail: outcome === "fail" ? 1 : 0 });
  service.settle(`${generation}.1`, outcome, generation);
}

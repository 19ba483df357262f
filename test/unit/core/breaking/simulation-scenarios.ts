/** Random scenarios of a service in the world, small enough that breakers trip and close again and again. */
import fc from "fast-check";
import type { BreakerSettings, HealthSettings } from "../../../../src/core/breaking/types.ts";
import { noFaults, type Scenario } from "./simulation.ts";
import type { Illness } from "./simulation-origins.ts";

const breaker: fc.Arbitrary<BreakerSettings> = fc.record({
  windowMs: fc.constantFrom(1_000, 3_000),
  minimumRequests: fc.constantFrom(1, 5, 10),
  failureRate: fc.constantFrom(0.2, 0.5, 1),
  slowCallMs: fc.constant(200),
  slowCallRate: fc.constantFrom(0.5, 1),
  consecutiveFailures: fc.constantFrom(0, 0, 4),
  openMs: fc.constantFrom(200, 800),
  maxOpenMs: fc.constantFrom(800, 2_000),
  halfOpenProbes: fc.constantFrom(1, 2, 3),
  recoveryMs: fc.constantFrom(0, 1_000),
});

const outlier = fc.constantFrom(null, { consecutiveFailures: 3, baseEjectionMs: 500, maxEjectionPercent: 50 });

const settings: fc.Arbitrary<HealthSettings> = fc.record({
  revision: fc.constant(1),
  breaker,
  outlier,
  maxConcurrent: fc.constant(0),
});

const faults = fc.record({
  loss: fc.constantFrom(0, 0.05, 0.3),
  duplicate: fc.constantFrom(0, 0.1, 0.3),
  late: fc.constantFrom(0, 0.1, 0.3),
  kill: fc.constantFrom(0, 0.01),
  leave: fc.constantFrom(0, 0.05),
  outage: fc.constantFrom(false, false, false, true),
  crash: fc.constantFrom(0, 0.03),
  replace: fc.constantFrom(0, 0.03),
  clockSteps: fc.boolean(),
});

const illness: fc.Arbitrary<Illness> = fc.constantFrom("failing", "failing", "flaky", "slow", "hanging");

function scenario(
  faults: fc.Arbitrary<Scenario["faults"]>,
  illnesses: fc.Arbitrary<readonly Illness[]>,
  orders: fc.Arbitrary<number>,
): fc.Arbitrary<Scenario> {
  return fc.record({
    seed: fc.integer(),
    settings,
    isolates: fc.integer({ min: 1, max: 4 }),
    versions: fc.constantFrom(1, 1, 2),
    origins: fc.constantFrom(1, 1, 3),
    illnesses,
    perSecond: fc.constantFrom(10, 30, 60),
    faultyMs: fc.constantFrom(4_000, 10_000),
    orders,
    latencyMs: fc.constantFrom([1, 5] as const, [5, 80] as const),
    faults,
  });
}

const some = fc.array(illness, { minLength: 1, maxLength: 2 });
const none = fc.constant([]);

export const scenarios = {
  faulty: scenario(faults, some, fc.constant(0)),
  ordered: scenario(faults, some, fc.integer({ min: 1, max: 4 })),
  faultless: scenario(fc.constant(noFaults), some, fc.constantFrom(0, 0, 3)),
  healthy: scenario(faults, none, fc.constant(0)),
};

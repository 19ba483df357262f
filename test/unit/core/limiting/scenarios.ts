/** Random scenarios of each family of windows, small enough that the limit is reached again and again. */
import fc from "fast-check";
import type { WindowSpec } from "../../../../src/core/limiting/types.ts";
import type { Scenario } from "./simulation.ts";

const faults = fc.record({
  loss: fc.constantFrom(0, 0.02, 0.2),
  duplicate: fc.constantFrom(0, 0.05, 0.3),
  late: fc.constantFrom(0, 0.05, 0.3),
  kill: fc.constantFrom(0, 0.01, 0.05),
  evict: fc.constantFrom(0, 0.02),
  crash: fc.constantFrom(0, 0.02, 0.1),
  replace: fc.constantFrom(0, 0.02, 0.1),
});

const slidingSpec: fc.Arbitrary<WindowSpec> = fc.oneof(
  fc.record({
    kind: fc.constant("sliding-window" as const),
    limit: fc.constantFrom(5, 20, 60),
    windowMs: fc.constantFrom(10_000, 15_000),
  }),
  fc.record({ kind: fc.constant("sliding-window" as const), limit: fc.constant(110), windowMs: fc.constant(1_000) }),
);

const fixedSpec: fc.Arbitrary<WindowSpec> = fc.oneof(
  fc.record({
    kind: fc.constant("fixed-window" as const),
    limit: fc.constantFrom(5, 30, 80),
    windowMs: fc.constantFrom(10_000, 15_000),
  }),
  fc.record({ kind: fc.constant("fixed-window" as const), limit: fc.constant(110), windowMs: fc.constant(1_000) }),
);

const bucketSpec: fc.Arbitrary<WindowSpec> = fc.oneof(
  fc.record({
    kind: fc.constant("token-bucket" as const),
    rate: fc.constantFrom(2.5, 10, 50),
    burst: fc.constantFrom(20, 30, 100),
  }),
  fc.record({
    kind: fc.constant("leaky-bucket" as const),
    rate: fc.constantFrom(10, 30),
    burst: fc.constantFrom(1, 20, 40),
    maxDelayMs: fc.constantFrom(0, 0, 300),
  }),
);

const exactSpec: fc.Arbitrary<WindowSpec> = fc.oneof(slidingSpec, fixedSpec, bucketSpec);

function scenario(
  windows: fc.Arbitrary<readonly WindowSpec[]>,
  consistency: Scenario["consistency"],
  clockSteps: boolean,
): fc.Arbitrary<Scenario> {
  return fc
    .record({
      seed: fc.integer(),
      windows,
      isolates: fc.integer({ min: 1, max: 4 }),
      load: fc.constantFrom(0.7, 2.4),
      costMax: fc.constantFrom(1, 1, 5),
      latencyMs: fc.constantFrom([1, 5] as const, [5, 80] as const),
      faults,
    })
    .map(({ load, ...rest }) => {
      const perSecond = Math.min(...rest.windows.map(rateOf));
      const meanCost = (1 + rest.costMax) / 2;
      return {
        ...rest,
        consistency,
        perSecond: Math.max(2, (load * perSecond) / meanCost),
        durationMs: Math.max(2_500, ...rest.windows.map((spec) => ("windowMs" in spec ? 1.7 * spec.windowMs : 4_000))),
        faults: { ...rest.faults, clockSteps },
      };
    });
}

function rateOf(spec: WindowSpec): number {
  return "windowMs" in spec ? (spec.limit * 1_000) / spec.windowMs : "rate" in spec ? spec.rate * 1.5 : 1;
}

const oneOrTwo = (spec: fc.Arbitrary<WindowSpec>) => fc.array(spec, { minLength: 1, maxLength: 2 });

const base = {
  sliding: scenario(oneOrTwo(slidingSpec), "leased", true),
  fixed: scenario(oneOrTwo(fixedSpec), "leased", false),
  bucket: scenario(
    bucketSpec.map((spec) => [spec]),
    "leased",
    true,
  ),
  exact: scenario(oneOrTwo(exactSpec).filter(isOneFamily), "exact", false),
};

export const scenarios = { ...base, changed: fc.oneof(changed(base.sliding), changed(base.fixed)) };

/** A plan is changed while it is used: another limit for each of the same windows. */
function changed(base: fc.Arbitrary<Scenario>): fc.Arbitrary<Scenario> {
  return fc
    .tuple(base, fc.constantFrom(0.3, 0.6, 2), fc.double({ min: 0.2, max: 0.6, noNaN: true }))
    .map(([scenario, factor, at]) => ({
      ...scenario,
      change: {
        afterMs: Math.floor(scenario.durationMs * at),
        windows: scenario.windows.map((spec) => scaled(spec, factor)),
      },
    }));
}

function scaled(spec: WindowSpec, factor: number): WindowSpec {
  if ("limit" in spec) return { ...spec, limit: Math.ceil(spec.limit * factor) };
  return spec;
}

function isOneFamily(windows: readonly WindowSpec[]): boolean {
  return windows.every(({ kind }) => kind === windows[0]!.kind);
}

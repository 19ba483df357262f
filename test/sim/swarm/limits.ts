/** Schedules of rate limits: few permits, so that the limit is reached again and again. */
import type { WindowSpec } from "../../../src/core/limiting/types.ts";
import { noFaults } from "../faults.ts";
import type { LimitsSetup, ObjectName, Plan, Step } from "../plan.ts";
import { accidents, type Draw, faultsOf, inOrder } from "./draw.ts";

export function limitsPlan(seed: number, draw: Draw): Plan {
  const isolates = draw.int(1, 4);
  const family = draw.of("sliding", "sliding", "fixed", "bucket", "exact");
  const windows = draw.times(family === "bucket" ? 1 : draw.int(1, 2), () => windowOf(draw, family));
  const kind = windows[0]!.kind;
  const setup: LimitsSetup = {
    windows: family === "exact" ? windows.filter((window) => window.kind === kind) : windows,
    consistency: family === "exact" ? "exact" : "leased",
    onUnavailable: draw.of("deny", "deny", "share", "allow"),
    keys: draw.of(1, 1, 2),
  };
  const spanMs = Math.max(2_500, ...setup.windows.map((spec) => ("windowMs" in spec ? 1.7 * spec.windowMs : 4_000)));
  const objects = draw.times(setup.keys, (at): ObjectName => `RATE_LIMITER/limit${at}|k`);
  const hasFixed = setup.windows.some((window) => window.kind === "fixed-window");
  const faults = faultsOf(draw);
  const costMax = draw.of(1, 1, 5);
  const bursts = draw.times(draw.int(8, 30), (): Step => {
    const [atMs, place] = [draw.int(0, spanMs), draw.int(0, isolates - 1)];
    const costs = draw.times(draw.of(1, 2, 4, 8), () => draw.int(1, costMax));
    return { atMs, kind: "permits", place, costs, gapMs: draw.of(0, 0, 7, 40) };
  });
  const quietMs = spanMs + 2 * Math.max(...setup.windows.map(windowMsOf)) + 15_000;
  const last = draw.times(
    isolates,
    (place): Step => ({
      atMs: quietMs + 1_500 * place,
      kind: "permits",
      place,
      costs: [1],
      gapMs: 0,
      isLast: true,
    }),
  );
  return {
    seed,
    isolates,
    latencyMs: draw.of([1, 5] as const, [5, 80] as const),
    // Fixed windows are aligned to the object's clock, which is the true one only without skew.
    faults: hasFixed || family === "exact" ? { ...faults, objectSkewMs: 0 } : faults,
    healAtMs: spanMs,
    endAtMs: quietMs + 4 * 3_600_000,
    limits: setup,
    service: null,
    registry: null,
    config: null,
    steps: inOrder([...bursts, ...accidents(draw, objects, isolates, spanMs, faults === noFaults), ...last]),
  };
}

function windowMsOf(spec: WindowSpec): number {
  return "windowMs" in spec ? spec.windowMs : 10_000;
}

function windowOf(draw: Draw, family: string): WindowSpec {
  switch (family === "exact" ? draw.of("sliding", "fixed", "bucket") : family) {
    case "sliding":
      return draw.of<WindowSpec>(
        { kind: "sliding-window", limit: draw.of(5, 20, 60), windowMs: draw.of(10_000, 15_000) },
        { kind: "sliding-window", limit: 110, windowMs: 1_000 },
      );
    case "fixed":
      return draw.of<WindowSpec>(
        { kind: "fixed-window", limit: draw.of(5, 30, 80), windowMs: draw.of(10_000, 15_000) },
        { kind: "fixed-window", limit: 110, windowMs: 1_000 },
      );
    default:
      return draw.of<WindowSpec>(
        { kind: "token-bucket", rate: draw.of(2.5, 10, 50), burst: draw.of(20, 30, 100) },
        { kind: "leaky-bucket", rate: draw.of(10, 30), burst: draw.of(1, 20, 40), maxDelayMs: draw.of(0, 0, 300) },
      );
  }
}

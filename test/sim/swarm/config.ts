/** Schedules of the configuration, and of everything at once. */
import { calmMs } from "../faults.ts";
import type { ObjectName, Plan, ServiceSetup, Step } from "../plan.ts";
import type { Draw } from "./draw.ts";
import { protection } from "./health.ts";
import { limitsPlan } from "./limits.ts";
import { registryCalls } from "./registry.ts";
import { health, plain, plane, registry, servicePlan, timeIn, traffic } from "./service.ts";

export function configPlan(seed: number, draw: Draw): Plan {
  const spanMs = draw.of(1_000, 4_000) + calmMs;
  const withVariable = draw.random.chance(0.3) ? [draw.int(1, 5)] : [];
  return servicePlan(seed, draw, [plane], spanMs, { config: { withVariable } }, (isolates) => [
    ...configCalls(draw, isolates, draw.int(4, 14), spanMs),
    ...traffic(draw, isolates, draw.int(3, 8), spanMs),
  ]);
}

function configCalls(draw: Draw, isolates: number, count: number, spanMs: number): Step[] {
  const hasCanary = draw.of(true, false);
  return draw.times(count, (): Step => {
    const base = { atMs: timeIn(draw, spanMs), place: draw.int(0, isolates - 1), note: draw.int(0, 5) };
    const ifRevision = draw.of<"any" | "known">("any", "known", "known");
    switch (draw.of("put", "put", "patch", "read", ...(hasCanary ? ["try", "end"] : []))) {
      case "put":
        return { ...base, kind: "put", ifRevision, endsCanary: draw.of(true, false) };
      case "patch":
        return { ...base, kind: "patch" };
      case "try":
        return { ...base, kind: "try", percent: draw.of(5, 50), ifRevision };
      case "end":
        return { ...base, kind: "end", promote: draw.of(true, false) };
      default:
        return { ...base, kind: "read" };
    }
  });
}

/** A little of everything at once. */
export function allPlan(seed: number, draw: Draw): Plan {
  const limits = limitsPlan(seed, draw);
  const spanMs = 5_000;
  const service: ServiceSetup = {
    ...plain,
    ...protection(draw),
    maxConcurrentRequests: 0,
    origins: 2,
    illnesses: ["failing"],
    illForMs: spanMs,
  };
  const part = {
    service,
    limits: limits.limits,
    registry: { ttlSeconds: 300, isTimeless: true },
    config: { withVariable: [] },
  };
  const objects: ObjectName[] = [plane, registry, health, "RATE_LIMITER/limit0|k"];
  const plan = servicePlan(seed, draw, objects, spanMs, part, (isolates) => [
    ...limits.steps
      .filter((step) => step.kind === "permits" && step.atMs < spanMs && step.place < isolates)
      .slice(0, 12),
    ...traffic(draw, isolates, 8, spanMs),
    ...registryCalls(draw, isolates, 6, spanMs, 3),
    ...configCalls(draw, isolates, 4, spanMs),
  ]);
  return {
    ...plan,
    endAtMs: plan.endAtMs + 4 * 3_600_000,
    faults: { ...plan.faults, objectSkewMs: limits.faults.objectSkewMs },
  };
}

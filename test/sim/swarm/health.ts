/** Schedules of breakers: origins that are well and ill by turns, and an operator who gives orders. */
import type { Illness } from "../../unit/core/breaking/simulation-origins.ts";
import { lateMsMax } from "../faults.ts";
import type { Plan, ServiceSetup, Step } from "../plan.ts";
import type { Draw } from "./draw.ts";
import { health, plain, plane, servicePlan, timeIn, traffic } from "./service.ts";

export function healthPlan(seed: number, draw: Draw): Plan {
  const mustHeal = draw.random.chance(0.06);
  const spanMs = draw.of(2_000, 4_000);
  const service: ServiceSetup = {
    ...plain,
    ...protection(draw),
    origins: draw.of(1, 1, 3),
    illnesses: draw.times(draw.int(1, 2), () => draw.of<Illness>("failing", "failing", "flaky", "slow")),
    illForMs: spanMs,
    mustHeal,
  };
  return servicePlan(seed, draw, [health, health, plane], spanMs, { service }, (isolates) => [
    ...traffic(draw, isolates, draw.int(5, 14), spanMs),
    ...orders(draw, isolates, spanMs),
    ...(mustHeal ? draw.times(isolates, (place) => healing(place, spanMs)) : []),
  ]);
}

/** Enough requests that a breaker of which all is forgotten closes. */
const healing = (place: number, atMs: number): Step => ({ atMs, kind: "traffic", place, count: 80, gapMs: 800 });

/** What a service is protected by. */
export function protection(
  draw: Draw,
): Pick<ServiceSetup, "circuitBreaker" | "outlierDetection" | "maxConcurrentRequests"> {
  const openSeconds = draw.of(0.2, 0.8);
  return {
    circuitBreaker: {
      windowSeconds: draw.of(1, 3),
      minimumRequests: draw.of(1, 3, 6),
      failureRate: draw.of(0.2, 0.5, 1),
      slowCallMs: 200,
      slowCallRate: draw.of(0.5, 1),
      consecutiveFailures: draw.of(0, 0, 4),
      openSeconds,
      maxOpenSeconds: draw.of(0.8, 2),
      halfOpenProbes: draw.int(1, 3),
      recoverySeconds: draw.of(0, 1),
    },
    outlierDetection: draw.of(null, { consecutiveFailures: 3, baseEjectionSeconds: 1, maxEjectionPercent: 50 }),
    maxConcurrentRequests: draw.of(0, 0, 2, 6),
  };
}

/** Orders of an operator; the last ends them all. */
function orders(draw: Draw, isolates: number, spanMs: number): Step[] {
  const count = draw.random.chance(0.3) ? draw.int(1, 3) : 0;
  const some = draw.times(count, (): Step => {
    const state = draw.of<"auto" | "forced-open" | "disabled">("auto", "forced-open", "disabled");
    return { atMs: timeIn(draw, spanMs), kind: "force", place: draw.int(0, isolates - 1), state };
  });
  return count === 0 ? [] : [...some, { atMs: spanMs + 2 * lateMsMax, kind: "force", place: 0, state: "auto" }];
}

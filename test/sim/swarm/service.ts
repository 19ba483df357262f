/** What all schedules of the service have in common. */
import { calmMs, noFaults } from "../faults.ts";
import type { ObjectName, Plan, ServiceSetup, Step } from "../plan.ts";
import { accidents, type Draw, faultsOf, inOrder } from "./draw.ts";

export const plane: ObjectName = "CONTROL_PLANE/control-plane";
export const registry: ObjectName = "SERVICE_REGISTRY/s";
export const health: ObjectName = "SERVICE_HEALTH/s";

/** Longest time, once all is well, until everybody knows everything: an alarm that was late, and what follows from it. */
const settleMs = 66_000;

/** A service that nothing protects. */
export const plain: ServiceSetup = {
  circuitBreaker: null,
  outlierDetection: null,
  healthCheck: null,
  maxConcurrentRequests: 0,
  origins: 1,
  illnesses: [],
  illForMs: 0,
  mustHeal: false,
};

/** A plan with the first document in force, and with requests at the end by which every isolate learns the newest. */
export function servicePlan(
  seed: number,
  draw: Draw,
  objects: readonly ObjectName[],
  spanMs: number,
  part: Partial<Plan>,
  steps: (isolates: number) => readonly Step[],
): Plan {
  const isolates = draw.int(1, 3);
  const faults = faultsOf(draw);
  const endMs = spanMs + settleMs;
  const last = draw.times(2 * isolates, (at): Step => {
    return {
      atMs: endMs + 1_000 * Math.floor(at / isolates),
      kind: "traffic",
      place: at % isolates,
      count: 1,
      gapMs: 0,
      ...(at >= isolates && { isLast: true }),
    };
  });
  // Who has not been reached is told by the next who asks.
  const asked: Step[] = [{ atMs: spanMs + 100, kind: "list", place: 0 }];
  const first: Step = { atMs: 0, kind: "put", place: 0, note: 0, ifRevision: "any", endsCanary: false };
  return {
    seed,
    isolates,
    latencyMs: draw.of([1, 5] as const, [5, 80] as const),
    faults,
    healAtMs: spanMs,
    endAtMs: endMs + 3_000,
    limits: null,
    service: plain,
    registry: null,
    config: null,
    ...part,
    steps: inOrder([
      first,
      ...steps(isolates),
      ...accidents(draw, objects, isolates, spanMs, faults === noFaults),
      ...(part.registry ? asked : []),
      ...last,
    ]),
  };
}

/** A time within the span, once things may go wrong. */
export const timeIn = (draw: Draw, spanMs: number): number => draw.int(calmMs, spanMs - 1);

/** Requests in small bursts. */
export function traffic(draw: Draw, isolates: number, steps: number, spanMs: number): Step[] {
  return draw.times(steps, (): Step => {
    const [atMs, place] = [timeIn(draw, spanMs), draw.int(0, isolates - 1)];
    return { atMs, kind: "traffic", place, count: draw.of(1, 2, 4, 8), gapMs: draw.of(0, 5, 60) };
  });
}

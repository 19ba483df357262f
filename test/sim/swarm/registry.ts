/** Schedules of the registry: calls that overlap, and leases that end. */
import { calmMs } from "../faults.ts";
import type { Plan, ServiceSetup, Step } from "../plan.ts";
import type { Draw } from "./draw.ts";
import { plain, plane, registry, servicePlan, timeIn, traffic } from "./service.ts";

/** Calls that overlap, on few origins, while no lease ends. */
export function registryPlan(seed: number, draw: Draw): Plan {
  const spanMs = draw.of(300, 2_000) + calmMs;
  const part = { registry: { ttlSeconds: 300, isTimeless: true } };
  return servicePlan(seed, draw, [registry, registry, plane], spanMs, part, (isolates) =>
    registryCalls(draw, isolates, draw.int(6, 18), spanMs, 3),
  );
}

export function registryCalls(draw: Draw, isolates: number, count: number, spanMs: number, origins: number): Step[] {
  return draw.times(count, (): Step => {
    const base = { atMs: timeIn(draw, spanMs), place: draw.int(0, isolates - 1) };
    const origin = draw.int(0, origins - 1);
    switch (draw.of("register", "register", "register", "heartbeat", "drain", "deregister", "list", "list", "events")) {
      case "register":
        return { ...base, kind: "register", origins: [origin], ifRevision: draw.of("any", "any", "none", "known") };
      case "heartbeat":
        return {
          ...base,
          kind: "heartbeat",
          origins: draw.times(origins, (at) => at),
          isVoid: draw.of(true, false, false),
        };
      case "drain":
        return { ...base, kind: "drain", origin, graceSeconds: draw.of(0, 600) };
      case "deregister":
        return { ...base, kind: "deregister", origin };
      case "list":
        return { ...base, kind: "list" };
      default:
        return { ...base, kind: "events" };
    }
  });
}

/** Registrants that renew their leases until they die, one by one or all at once. */
export function leasesPlan(seed: number, draw: Draw): Plan {
  const spanMs = draw.of(12_000, 24_000);
  const part = {
    registry: { ttlSeconds: 5, isTimeless: false },
    service: { ...plain, ...checks(draw, spanMs) },
  };
  return servicePlan(seed, draw, [registry, registry, plane], spanMs, part, (isolates) => [
    ...fleet(draw, isolates, spanMs),
    ...traffic(draw, isolates, draw.int(4, 10), spanMs),
    ...draw.times(
      draw.int(2, 8),
      (): Step => ({ atMs: timeIn(draw, spanMs), kind: draw.of("list", "events"), place: 0 }),
    ),
  ]);
}

function checks(draw: Draw, illForMs: number): Partial<ServiceSetup> {
  if (draw.random.chance(0.75)) return {};
  const healthCheck = {
    path: "/healthz",
    intervalSeconds: 5,
    timeoutMs: 500,
    statuses: ["200-299"],
    healthyAfter: 1,
    unhealthyAfter: 2,
  };
  return { healthCheck, illnesses: ["failing"], illForMs };
}

function fleet(draw: Draw, isolates: number, spanMs: number): Step[] {
  const size = draw.of(1, 3, 12);
  const all = draw.times(size, (at) => at);
  const steps: Step[] = [{ atMs: calmMs, kind: "register", origins: all, place: 0, ifRevision: "any" }];
  const deathAtMs = draw.times(size, () => draw.int(calmMs, 2 * spanMs));
  const allDieAtMs = draw.random.chance(0.3) ? draw.int(calmMs, spanMs) : spanMs;
  for (let atMs = calmMs + 1_500; atMs < spanMs; atMs += draw.int(1_300, 2_000)) {
    const alive = all.filter((at) => atMs < Math.min(deathAtMs[at]!, allDieAtMs));
    if (alive.length > 0)
      steps.push({ atMs, kind: "heartbeat", origins: alive, place: draw.int(0, isolates - 1), isVoid: false });
    const gone = all.filter((at) => !alive.includes(at));
    const isOdd = draw.random.chance(0.15);
    if (isOdd) steps.push({ atMs: atMs + 200, kind: "heartbeat", origins: all, place: 0, isVoid: true });
    if (isOdd && gone.length > 0)
      steps.push({ atMs: atMs + 300, kind: "register", origins: gone.slice(0, 1), place: 0, ifRevision: "any" });
  }
  return steps;
}

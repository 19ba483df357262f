/** What `/v1/services` shows of a service. */
import type * as z from "zod";
import { listOrigins } from "../clients/service-registry.ts";
import type * as api from "../schema/api.ts";
import type { ServiceView } from "../snapshot/types.ts";

type ServiceAnswer = z.output<typeof api.ServiceAnswer>;
type OriginAnswer = ServiceAnswer["origins"][number];

/** The service as its registry has it now; what is ejected, as this isolate's snapshot has it. */
export async function describe(env: Env, { config, health }: ServiceView): Promise<ServiceAnswer> {
  // Until a deploy has reached the registry it says nothing of checks.
  const { revision, frozen, origins, unhealthyStatic = [], runs = {} } = await listOrigins(env, config.name);
  const ejected = new Map(health?.ejected.map(({ origin, forMs }) => [origin, forMs]));
  const withHealth = <T extends Pick<OriginAnswer, "id" | "state">>(origin: T) => {
    const ejectedForMs = ejected.get(origin.id);
    return {
      ...origin,
      state: origin.state === "ready" && ejectedForMs !== undefined ? ("ejected" as const) : origin.state,
      health: { ...checksOf(runs[origin.id] ?? 0), ...(ejectedForMs === undefined ? {} : { ejectedForMs }) },
    };
  };
  const failing = new Set(unhealthyStatic);
  const fixed = config.staticOrigins.map((origin) => ({
    ...withHealth({ ...origin, state: failing.has(origin.id) ? ("unhealthy" as const) : origin.state }),
    // What came from a variable is not shown (C6).
    ...config.shown.get(origin.id),
    static: true,
  }));
  const listed = new Set(config.staticOrigins.map(({ id }) => id));
  const leased = origins
    .filter(({ id }) => !listed.has(id))
    .map(({ ttlMs: _ttlMs, drainUntilMs: _drainUntilMs, ...origin }) => ({ ...withHealth(origin), static: false }));
  return { service: config.name, revision, frozen, origins: [...fixed, ...leased] };
}

function checksOf(run: number): Pick<OriginAnswer["health"], "checks" | "inARow"> {
  if (run === 0) return { checks: "none" };
  return { checks: run > 0 ? "passing" : "failing", inARow: Math.abs(run) };
}

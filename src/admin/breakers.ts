/** `/v1/breakers`: the circuit breakers and ejected origins of services, and an operator's orders to them. */

import type * as z from "zod";
import { bounds } from "../bounds.ts";
import { describeHealth, forceBreaker } from "../clients/service-health.ts";
import { forEachService } from "../clients/service-registry.ts";
import type { Description } from "../core/breaking/view.ts";
import { GatewayError } from "../errors.ts";
import type * as api from "../schema/api.ts";
import type { ServiceView } from "../snapshot/types.ts";
import type { AdminApp } from "./app.ts";
import * as calls from "./breakers-calls.ts";
import type { SnapshotSource } from "./context.ts";
import { declaredServices } from "./declared.ts";
import { pageOf } from "./pages.ts";

/** Adds the calls to the admin app. */
export function mountBreakers(app: AdminApp, snapshots: SnapshotSource): void {
  const declared = declaredServices(snapshots);
  app.add(calls.getAllBreakers, async (c) => {
    await declared.all(c.env);
    const judged = [...(snapshots.status().snapshot?.services.values() ?? [])].filter(isJudged);
    const { page, next } = pageOf(judged, c.req.valid("query"));
    const services = await forEachService(page, async ({ config: { name } }) =>
      answerOf(name, await describeHealth(c.env, name)),
    );
    return c.json({ services, next }, 200);
  });
  app.add(calls.getBreakers, async (c) => {
    const { name } = await declared.one(c.env, c.req.valid("param").service);
    return c.json(answerOf(name, await describeHealth(c.env, name)), 200);
  });
  app.add(calls.putBreaker, async (c) => {
    const { name } = await declared.one(c.env, c.req.valid("param").service);
    const { version, state } = c.req.valid("json");
    const forced = await forceBreaker(c.env, name, version ?? null, state);
    if (!forced.ok) {
      const detail = `The service has ${bounds.breakerVersionsMax} breakers, as many as it may have.`;
      throw new GatewayError("invalid_request", {
        detail,
        errors: [{ detail: "is not known yet", pointer: "#/version" }],
      });
    }
    return c.json(answerOf(name, forced), 200);
  });
}

/** Has the service breakers, ejections or an order, or had it? The object of any other knows nothing. */
function isJudged({ config, health }: ServiceView): boolean {
  return config.health.breaker !== null || config.health.outlier !== null || health !== null;
}

function answerOf(service: string, described: Description): z.output<typeof api.BreakersAnswer> {
  const { revision, forced, isolates, breakers, ejected } = described;
  const nowMs = Date.now();
  const isoIn = (ms: number) => new Date(nowMs + ms).toISOString();
  return {
    service,
    revision,
    forced,
    isolates,
    breakers: breakers.map(({ openForMs, recoveringForMs, ...breaker }) => ({
      ...breaker,
      until: openForMs > 0 ? isoIn(openForMs) : null,
      recoveringSince: recoveringForMs === null ? null : isoIn(-recoveringForMs),
    })),
    ejected: ejected.map(({ origin, forMs, times }) => ({ origin, until: isoIn(forMs), times })),
  };
}

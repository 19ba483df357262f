/** `/v1/services` and `/v1/heartbeats`: origins that register themselves, and what is known of all. */

import type { Context } from "hono";
import type * as z from "zod";
import { superviseChecks } from "../clients/health-checks.ts";
import {
  deregisterOrigin,
  drainOrigin,
  forEachService,
  registerOrigin,
  renewLeases,
} from "../clients/service-registry.ts";
import { GatewayError } from "../errors.ts";
import type * as api from "../schema/api.ts";
import { parseOriginUrl } from "../schema/origin-url.ts";
import type { CompiledService, ServiceView, Snapshot } from "../snapshot/types.ts";
import type { AdminApp } from "./app.ts";
import { revisionConflict } from "./config.ts";
import type { AdminContext, SnapshotSource } from "./context.ts";
import { type DeclaredServices, declaredServices } from "./declared.ts";
import { ifMatchOf } from "./openapi.ts";
import { pageOf } from "./pages.ts";
import * as calls from "./services-calls.ts";
import { describe } from "./services-view.ts";

/** Adds the calls to the admin app. */
export function mountServices(app: AdminApp, snapshots: SnapshotSource): void {
  const declared = declaredServices(snapshots);
  const views = (): Snapshot["services"] => snapshots.status().snapshot?.services ?? new Map();
  /** Checks begin with the first registration and the first look, if not with a request. */
  const supervise = (c: Context<AdminContext>, view: ServiceView | undefined) => {
    if (view) superviseChecks(c.env, c.executionCtx as ExecutionContext, view);
  };
  app.add(calls.putOrigin, async (c) => {
    const { service, origin } = c.req.valid("param");
    const ifRevision = ifMatchOf(c.req.header("if-match"));
    const { created, ...answer } = await register(
      c.env,
      await declared.one(c.env, service),
      origin,
      c.req.valid("json"),
      ifRevision,
    );
    supervise(c, views().get(service));
    return c.json(answer, created ? 201 : 200);
  });
  app.add(calls.postOrigin, async (c) => {
    const { service } = c.req.valid("param");
    const into = await declared.one(c.env, service);
    const { created: _, ...answer } = await register(c.env, into, crypto.randomUUID(), c.req.valid("json"), null);
    supervise(c, views().get(service));
    return c.json(answer, 201);
  });
  app.add(calls.postHeartbeat, async (c) => {
    const { service, origin } = c.req.valid("param");
    await declared.one(c.env, service);
    const { renewed } = await renewLeases(c.env, service, [{ origin, leaseId: c.req.valid("json").leaseId }]);
    if (!renewed[0]) throw new GatewayError("lease_not_found");
    const { ttlSeconds, heartbeatSeconds, expiresAt } = renewed[0];
    return c.json({ ttlSeconds, heartbeatSeconds, expiresAt }, 200);
  });
  app.add(calls.postHeartbeats, async (c) => {
    const { leases } = c.req.valid("json");
    return c.json(await renewMany(c.env, declared, leases), 200);
  });
  app.add(calls.postDrain, async (c) => {
    const { service, origin } = c.req.valid("param");
    refuseStatic(await declared.one(c.env, service), origin);
    const drained = await drainOrigin(c.env, service, origin, c.req.valid("json").graceSeconds);
    if (!drained.ok) throw new GatewayError(drained.code);
    return c.json({ service, origin, state: "draining" as const, revision: drained.revision }, 200);
  });
  app.add(calls.deleteOrigin, async (c) => {
    const { service, origin } = c.req.valid("param");
    // Not declared any more is no reason to keep what would come back with the declaration.
    const known = (await declared.among(c.env, [service])).get(service);
    if (known) refuseStatic(known, origin);
    await deregisterOrigin(c.env, service, origin);
    return c.body(null, 204);
  });
  app.add(calls.getService, async (c) => {
    const { service } = c.req.valid("param");
    await declared.one(c.env, service);
    const view = views().get(service);
    if (view === undefined) throw new GatewayError("service_unknown");
    supervise(c, view);
    const answer = await describe(c.env, view);
    c.header("etag", `"${answer.revision}"`);
    return c.json(answer, 200);
  });
  app.add(calls.getServices, async (c) => {
    await declared.all(c.env);
    const { page, next } = pageOf([...views().values()], c.req.valid("query"));
    const services = await forEachService(page, (view) => {
      supervise(c, view);
      return describe(c.env, view);
    });
    return c.json({ services, next }, 200);
  });
}

function refuseStatic(service: CompiledService, origin: string): void {
  if (service.staticOrigins.some(({ id }) => id === origin)) throw new GatewayError("origin_static");
}

async function register(
  env: Env,
  service: CompiledService,
  origin: string,
  request: z.output<typeof api.Registration>,
  ifRevision: number | null,
) {
  const { name } = service;
  refuseStatic(service, origin);
  const { url, ttlSeconds } = checked(env, service, request);
  const answer = await registerOrigin(env, name, {
    origin,
    url,
    version: request.version ?? null,
    weight: request.weight,
    zone: request.zone ?? null,
    metadata: request.metadata ?? {},
    ttlMs: ttlSeconds * 1000,
    ...(ifRevision === null ? {} : { ifRevision }),
  });
  if (!answer.ok)
    throw answer.code === "revision_conflict" ? revisionConflict(answer.revision) : new GatewayError(answer.code);
  const { created, leaseId, heartbeatSeconds, revision, expiresAt } = answer;
  return { created, service: name, origin, leaseId, ttlSeconds, heartbeatSeconds, revision, expiresAt };
}

/** The rules of the service that its registrations must keep. */
function checked(env: Env, { registration }: CompiledService, request: z.output<typeof api.Registration>) {
  const errors: { detail: string; pointer: string }[] = [];
  const parsed = parseOriginUrl(request.url, {
    allowPrivate: env.ALLOW_PRIVATE_ORIGINS === "true",
    ...(registration.allowedHosts ? { allowedHosts: registration.allowedHosts } : {}),
  });
  if (!parsed.ok) errors.push({ detail: parsed.detail, pointer: "#/url" });
  const { min, max, default: usual } = registration.ttlSeconds;
  const ttlSeconds = request.ttlSeconds ?? usual;
  if (ttlSeconds < min || ttlSeconds > max) {
    errors.push({ detail: `the service allows ${min} to ${max} seconds`, pointer: "#/ttlSeconds" });
  }
  if (!parsed.ok || errors.length > 0) {
    throw new GatewayError("invalid_request", { detail: "The origin cannot be registered like this.", errors });
  }
  return { url: parsed.url, ttlSeconds };
}

/** Each registry is called once, for all of its leases; a service that is not declared has none. */
async function renewMany(env: Env, declared: DeclaredServices, leases: z.output<typeof api.Heartbeats>["leases"]) {
  const byService = Map.groupBy(leases, ({ service }) => service);
  const services = await declared.among(env, [...byService.keys()]);
  const answers = await forEachService([...byService], async ([service, some]) => {
    const { renewed, lost } = services.has(service)
      ? await renewLeases(env, service, some)
      : { renewed: [], lost: some };
    return {
      renewed: renewed.map((lease) => ({ ...lease, service })),
      lost: lost.map((lease) => ({ ...lease, service })),
    };
  });
  return { renewed: answers.flatMap(({ renewed }) => renewed), lost: answers.flatMap(({ lost }) => lost) };
}

/** The gateway's own addresses: everything under `/_sluice/`. */
import { Hono } from "hono";
import { isRequestId } from "../core/forwarding/headers.ts";
import { GatewayError } from "../errors.ts";
import { errorResponse } from "../respond.ts";
import { Health } from "../schema/api.ts";
import { configJsonSchema } from "../schema/config.ts";
import { AdminApp } from "./app.ts";
import { audited, mountAudit } from "./audit.ts";
import { mountBreakers } from "./breakers.ts";
import { mountConfig } from "./config.ts";
import type { AdminContext, Explainer, SnapshotSource } from "./context.ts";
import { docsHeaders, docsPage } from "./docs.ts";
import { openApiDocument } from "./document.ts";
import { mountEvents } from "./events.ts";
import { mountExplain } from "./explain.ts";
import { mountLimits } from "./limits.ts";
import { describeCall, json } from "./openapi.ts";
import { adminPrefix } from "./own.ts";
import { mountServices } from "./services.ts";
import { mountWatch } from "./watch.ts";

const health = describeCall({
  method: "get",
  path: "/health",
  summary: "Is this isolate ready for traffic, and with which configuration",
  security: [],
  responses: {
    200: json("Ready", Health),
    503: json("No configuration has been applied yet", Health),
  },
});

/** The admin app. Every error leaves it as a problem document. */
export function newAdmin(snapshots: SnapshotSource, explain: Explainer): Hono<AdminContext> {
  const hono = new Hono<AdminContext>().basePath(adminPrefix);
  hono.use(async (c, next) => {
    const given = c.req.header("x-request-id") ?? null;
    c.set("requestId", isRequestId(given) ? given : crypto.randomUUID());
    await next();
    c.header("cache-control", "no-store");
    c.header("x-request-id", c.var.requestId);
  });
  hono.use(audited());
  hono.onError((error, c) => {
    const refusal =
      error instanceof GatewayError ? error : new GatewayError("internal_error", { reason: String(error.stack) });
    return errorResponse(refusal, c.var.requestId);
  });
  hono.notFound((c) => errorResponse(notFound(hono, c.req.path), c.var.requestId));
  const app = new AdminApp(hono);
  app.add(health, async (c) => {
    // Waits for the first configuration, so that a cold isolate does not call itself unconfigured.
    await snapshots.current(c.env, c.executionCtx as ExecutionContext);
    const { snapshot, ageMs, problems } = snapshots.status();
    const answer = {
      status: snapshot ? ("ok" as const) : ("unconfigured" as const),
      version: c.env.VERSION_METADATA.id,
      configRevision: snapshot?.revision ?? 0,
      snapshotAgeMs: ageMs,
      ...(problems.length > 0 ? { problems: [...problems] } : {}),
    };
    return c.json(answer, snapshot ? 200 : 503);
  });
  mountConfig(app, snapshots);
  mountServices(app, snapshots);
  mountLimits(app, snapshots);
  mountBreakers(app, snapshots);
  mountEvents(app);
  mountExplain(app, snapshots, explain);
  mountWatch(app, snapshots);
  mountAudit(app);
  mountDocuments(hono, app);
  return hono;
}

/** Anybody may ask for these, and to write one takes milliseconds: an isolate keeps what it has written. */
function mountDocuments(hono: Hono<AdminContext>, app: AdminApp): void {
  const kept = (path: string, headers: Record<string, string>, write: () => string | Promise<string>) => {
    let text: string | undefined;
    hono.get(path, async (c) => {
      text ??= await write();
      return c.body(text, 200, headers);
    });
  };
  const jsonHeaders = { "content-type": "application/json" };
  kept("/openapi.json", jsonHeaders, () => JSON.stringify(openApiDocument(app.calls)));
  kept("/schema.json", jsonHeaders, () => JSON.stringify(configJsonSchema()));
  kept("/docs", docsHeaders, () => docsPage(openApiDocument(app.calls)));
}

/** 405 with the methods of a path that exists (RFC 9110 15.5.6), else 404. */
function notFound(hono: Hono<AdminContext>, path: string): GatewayError {
  const handlersOf = (method: string) => hono.router.match(method, path)[0].length;
  // What every method passes through is middleware.
  const handled = ["GET", "PUT", "POST", "PATCH", "DELETE"].filter((method) => handlersOf(method) > handlersOf("NONE"));
  // Hono answers HEAD by the handler of GET.
  const allowed = handled.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : method));
  return allowed.length === 0
    ? new GatewayError("not_found")
    : new GatewayError("method_not_allowed", { headers: { allow: allowed.join(", ") } });
}

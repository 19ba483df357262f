/** The audit log: every write of the admin API, by whom, and what became of it. `/v1/audit` reads it. */

import type { Context, MiddlewareHandler } from "hono";
import { bounds } from "../bounds.ts";
import { type AuditEntry, readAudit, writeAudit } from "../clients/control-plane.ts";
import { AuditAnswer } from "../schema/api.ts";
import type { AdminApp } from "./app.ts";
import { requireRole } from "./auth.ts";
import type { AdminContext } from "./context.ts";
import { describeCall, json, problems } from "./openapi.ts";
import { LogQuery } from "./pages.ts";

/** Calls that change nothing worth keeping: heartbeats come thousands of times a minute, an explanation is a question. */
const unaudited = /\/v1\/(heartbeats|explain|services\/[^/]+\/origins\/[^/]+\/heartbeat)$/;

const getAudit = describeCall({
  method: "get",
  path: "/v1/audit",
  summary: "Writes of the admin API, oldest first",
  middleware: [requireRole("viewer")],
  request: { query: LogQuery },
  responses: { 200: json("Entries by id", AuditAnswer), ...problems(400, 401, 403, 503) },
});

/**
 * Records each write of a caller with a valid token, refused ones too, after its answer: a write never fails because it
 * cannot be recorded. An entry that the control plane does not take is logged instead.
 */
export function audited(): MiddlewareHandler<AdminContext> {
  return async (c, next) => {
    await next();
    const { method, path } = c.req;
    if (method === "GET" || method === "HEAD" || (method === "POST" && unaudited.test(path))) return;
    if (c.var.role === undefined || c.var.isDryRun) return;
    const entry = entryOf(c);
    c.executionCtx.waitUntil(
      writeAudit(c.env, entry).catch((error) =>
        console.error({ message: "not audited", ...entry, error: String(error) }),
      ),
    );
  };
}

function entryOf(c: Context<AdminContext>): AuditEntry {
  const { pathname, search } = new URL(c.req.url);
  const etag = /^"(\d+)"$/.exec(c.res.headers.get("etag") ?? "")?.[1];
  return {
    time: new Date().toISOString(),
    role: c.var.role,
    address: c.req.header("cf-connecting-ip") ?? null,
    method: c.req.method,
    target: (pathname.replace(/^\/[^/]*/, "") + search).slice(0, bounds.auditTargetLengthMax),
    status: c.res.status,
    code: c.res.headers.get("sluice-error"),
    revision: etag === undefined ? null : Number(etag),
    requestId: c.var.requestId,
  };
}

/** Adds the call to the admin app. */
export function mountAudit(app: AdminApp): void {
  app.add(getAudit, async (c) => {
    const { since, limit } = c.req.valid("query");
    const { entries, next, oldest } = await readAudit(c.env, since, limit);
    return c.json({ entries: [...entries], next, oldest }, 200);
  });
}

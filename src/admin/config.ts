/** `/v1/config`: the document in force, and how a new one takes its place. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { bounds } from "../bounds.ts";
import { applyConfig, currentConfig } from "../clients/control-plane.ts";
import { GatewayError } from "../errors.ts";
import { ApplyAnswer } from "../schema/api.ts";
import { compileDocument } from "../snapshot/compile.ts";
import type { Variables } from "../snapshot/placeholders.ts";
import { requireRole } from "./auth.ts";
import { strictJson } from "./body.ts";
import type { AdminContext, SnapshotSource } from "./context.ts";
import { ifMatchOf, json, problems } from "./openapi.ts";

const Document = z.looseObject({}).openapi("Config", { description: "Its JSON Schema is at /_sluice/schema.json." });

const getConfig = createRoute({
  method: "get",
  path: "/v1/config",
  summary: "The document in force",
  middleware: [requireRole("viewer")],
  responses: { 200: json("The document; its revision is the ETag", Document), ...problems(401, 403, 503) },
});

const putConfig = createRoute({
  method: "put",
  path: "/v1/config",
  summary: "Replaces the document",
  // An empty body must not become the empty document, which routes nothing.
  middleware: [requireRole(), strictJson(bounds.configBytesMax, "")],
  request: {
    query: z.strictObject({ dryRun: z.enum(["true", "false"]).optional(), note: z.string().max(500).optional() }),
    headers: z.object({ "if-match": z.string().optional().openapi({ example: '"12"' }) }),
    body: { required: true, content: { "application/json": { schema: Document } } },
  },
  responses: {
    200: json("The revision in force after the call, and what changed", ApplyAnswer),
    ...problems(400, 401, 403, 412, 413, 422, 503),
  },
});

/** Adds the calls to the admin app. */
export function mountConfig(app: OpenAPIHono<AdminContext>, snapshots: SnapshotSource): void {
  app.openapi(getConfig, async (c) => {
    const config = await currentConfig(c.env);
    if (!config) throw new GatewayError("gateway_unconfigured");
    const headers = { etag: `"${config.revision}"`, "content-type": "application/json" };
    return c.body(config.text, 200, headers) as never;
  });

  app.openapi(putConfig, async (c) => {
    const text = c.var.bodyText;
    const compiled = compileDocument(text, c.env as unknown as Variables);
    if (!compiled.ok) {
      const detail = `The document has ${compiled.total} problem(s); nothing was changed.`;
      throw new GatewayError("invalid_config", { detail, errors: compiled.issues });
    }
    const { dryRun, note } = c.req.valid("query");
    const applied = await applyConfig(c.env, {
      text,
      ifRevision: ifMatchOf(c.req.header("if-match")),
      dryRun: dryRun === "true",
      author: c.var.role,
      note: note ?? null,
    });
    if (!applied.ok) throw revisionConflict(applied.revision);
    // This isolate follows its own change at once, the others within their snapshot's age. The change is made already:
    // if it can't be read back now, it is read with the next refresh.
    if (dryRun !== "true") await snapshots.refresh(c.env).catch(() => {});
    const { revision, hash, diff } = applied;
    c.header("etag", `"${revision}"`);
    const answer = { revision, hash, ...diff, warnings: compiled.warnings };
    // `unknown` in the schema stands for any JSON value, which Hono's types do not believe.
    return c.json(answer, 200) as never;
  });
}

/** The 412 of a compare-and-swap that lost. */
export function revisionConflict(revision: number): GatewayError {
  return new GatewayError("revision_conflict", { detail: `The revision is ${revision}.`, members: { revision } });
}

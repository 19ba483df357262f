/** `/v1/config`: the calls as the OpenAPI document describes them. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import * as api from "../schema/api.ts";
import { requireRole } from "./auth.ts";
import { strictJson } from "./body.ts";
import { describeCall, integer, json, problems } from "./openapi.ts";

const Document = z
  .looseObject({})
  .meta({ component: "Config", description: "Its JSON Schema is at /_sluice/schema.json." });
const ofWrite = {
  query: z.strictObject({
    dryRun: z.enum(["true", "false"]).optional(),
    note: z.string().max(bounds.noteLengthMax).optional(),
    canary: integer(1, 99).optional().meta({
      description: "Serve it to so many percent of the clients only; again, with the same document, to change that",
    }),
  }),
  headers: z.object({ "if-match": z.string().optional().meta({ example: '"12"' }) }),
};
const applied = json("The revision in force after the call, and what changed", api.ApplyAnswer);
const ofRevision = (from: number) => integer(from, Number.MAX_SAFE_INTEGER);

export const getConfig = describeCall({
  method: "get",
  path: "/v1/config",
  summary: "The document in force",
  middleware: [requireRole("viewer")],
  responses: {
    200: {
      ...json("The document; its revision is the ETag", Document),
      headers: z.object({
        "sluice-rejected-by": z
          .string()
          .optional()
          .meta({ description: "Versions of deployed Workers that cannot compile it and use an older one" }),
      }),
    },
    ...problems(401, 403, 503),
  },
});
export const putConfig = describeCall({
  method: "put",
  path: "/v1/config",
  summary: "Replaces the document",
  // An empty body must not become the empty document, which routes nothing.
  middleware: [requireRole(), strictJson(bounds.configBytesMax, "")],
  request: { ...ofWrite, body: { required: true, content: { "application/json": { schema: Document } } } },
  responses: { 200: applied, ...problems(400, 401, 403, 409, 412, 413, 422, 503) },
});
export const patchConfig = describeCall({
  method: "patch",
  path: "/v1/config",
  summary: "Changes the document by a JSON merge patch (RFC 7396)",
  middleware: [requireRole(), strictJson(bounds.configBytesMax, "")],
  request: { ...ofWrite, body: { required: true, content: { "application/merge-patch+json": { schema: Document } } } },
  responses: { 200: applied, ...problems(400, 401, 403, 409, 412, 413, 422, 503) },
});
export const postRollback = describeCall({
  method: "post",
  path: "/v1/config/rollback",
  summary: "Makes the document of an earlier revision a new revision",
  middleware: [requireRole(), strictJson(bounds.adminBodyBytesMax)],
  request: {
    headers: ofWrite.headers,
    body: { required: true, content: { "application/json": { schema: api.Rollback } } },
  },
  responses: { 200: applied, ...problems(400, 401, 403, 404, 412, 413, 422, 503) },
});
export const getCanary = describeCall({
  method: "get",
  path: "/v1/config/canary",
  summary: "The revision that is tried on some clients",
  middleware: [requireRole("viewer")],
  responses: { 200: json("The canary", api.CanaryAnswer), ...problems(401, 403, 404, 503) },
});
export const postPromote = describeCall({
  method: "post",
  path: "/v1/config/canary/promote",
  summary: "Puts the canary in force for all",
  middleware: [requireRole()],
  request: { headers: ofWrite.headers },
  responses: { 200: applied, ...problems(400, 401, 403, 404, 412, 503) },
});
export const deleteCanary = describeCall({
  method: "delete",
  path: "/v1/config/canary",
  summary: "Ends the canary; what is in force stays",
  middleware: [requireRole()],
  request: { headers: ofWrite.headers },
  responses: { 200: applied, ...problems(400, 401, 403, 404, 412, 503) },
});
export const getRevisions = describeCall({
  method: "get",
  path: "/v1/config/revisions",
  summary: "Revisions of the configuration, newest first, in pages",
  middleware: [requireRole("viewer")],
  request: {
    query: z.strictObject({
      before: ofRevision(1).optional().meta({ description: "`next` of the page before" }),
      limit: integer(1, bounds.revisionsPerPageMax).default(bounds.revisionsPerPageDefault),
    }),
  },
  responses: { 200: json("Revisions", api.RevisionsAnswer), ...problems(400, 401, 403, 503) },
});
export const getRevision = describeCall({
  method: "get",
  path: "/v1/config/revisions/{revision}",
  summary: "One revision with its document",
  middleware: [requireRole("viewer")],
  request: { params: z.object({ revision: ofRevision(1) }) },
  responses: { 200: json("The revision", api.RevisionAnswer), ...problems(400, 401, 403, 404, 503) },
});
export const getDiff = describeCall({
  method: "get",
  path: "/v1/config/diff",
  summary: "What changed between two revisions",
  middleware: [requireRole("viewer")],
  request: {
    query: z.strictObject({
      from: ofRevision(0).meta({ description: "0 = before the first" }),
      to: ofRevision(0).optional().meta({ description: "Left out: the one in force" }),
    }),
  },
  responses: { 200: json("Changes", api.DiffAnswer), ...problems(400, 401, 403, 404, 503) },
});

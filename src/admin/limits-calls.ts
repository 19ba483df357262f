/** `/v1/limits`: the calls as the OpenAPI document describes them. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import * as api from "../schema/api.ts";
import { Name } from "../schema/names.ts";
import { requireRole } from "./auth.ts";
import { describeCall, json, problems } from "./openapi.ts";

const ofKey = z.object({
  limit: Name,
  key: z.string().min(1).max(bounds.headerValueLengthMax).meta({
    description: "`<source>=<value>`, `global`, or `shared` for requests without a key; URL-encoded",
    example: "header:x-client-id=gold-1",
  }),
});

export const getLimit = describeCall({
  method: "get",
  path: "/v1/limits/{limit}/{key}",
  summary: "What a key has used of a limit",
  middleware: [requireRole("viewer")],
  request: { params: ofKey },
  responses: { 200: json("Its windows and leases", api.LimitAnswer), ...problems(400, 401, 403, 404, 503) },
});
export const deleteLimit = describeCall({
  method: "delete",
  path: "/v1/limits/{limit}/{key}",
  summary: "Forgets what a key has used of a limit; leases that are out stay charged",
  middleware: [requireRole()],
  request: { params: ofKey },
  responses: { 204: { description: "Nothing but leases is charged" }, ...problems(400, 401, 403, 404, 503) },
});

/** `/v1/explain`: the call as the OpenAPI document describes it. */
import { bounds } from "../bounds.ts";
import * as api from "../schema/api.ts";
import { requireRole } from "./auth.ts";
import { strictJson } from "./body.ts";
import { describeCall, json, problems } from "./openapi.ts";

export const explainRequest = describeCall({
  method: "post",
  path: "/v1/explain",
  summary: "What would become of a request, and why; nothing is sent or spent",
  middleware: [requireRole("viewer"), strictJson(bounds.adminBodyBytesMax)],
  request: { body: { required: true, content: { "application/json": { schema: api.Explain } } } },
  responses: { 200: json("Every decision with its reason", api.ExplainAnswer), ...problems(400, 401, 403, 413, 503) },
});

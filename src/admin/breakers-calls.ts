/** `/v1/breakers`: the calls as the OpenAPI document describes them. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import * as api from "../schema/api.ts";
import { Name } from "../schema/names.ts";
import { requireRole } from "./auth.ts";
import { strictJson } from "./body.ts";
import { describeCall, json, problems } from "./openapi.ts";
import { PageQuery } from "./pages.ts";

const ofService = z.object({ service: Name });
const answer = json("Its breakers and ejected origins", api.BreakersAnswer);

export const getAllBreakers = describeCall({
  method: "get",
  path: "/v1/breakers",
  summary: "The breakers and ejected origins of every service that has any, in pages",
  middleware: [requireRole("viewer")],
  request: {
    query: PageQuery,
  },
  responses: { 200: json("Services by name", api.AllBreakersAnswer), ...problems(400, 401, 403, 503) },
});
export const getBreakers = describeCall({
  method: "get",
  path: "/v1/breakers/{service}",
  summary: "A service's breakers and ejected origins",
  middleware: [requireRole("viewer")],
  request: { params: ofService },
  responses: { 200: answer, ...problems(400, 401, 403, 404, 503) },
});
export const putBreaker = describeCall({
  method: "put",
  path: "/v1/breakers/{service}",
  summary: "Forces the breaker of a version, or of a whole service, or ends that",
  middleware: [requireRole(), strictJson(bounds.adminBodyBytesMax)],
  request: {
    params: ofService,
    body: { required: true, content: { "application/json": { schema: api.BreakerOrder } } },
  },
  responses: { 200: answer, ...problems(400, 401, 403, 404, 413, 503) },
});

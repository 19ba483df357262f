/** `/v1/services` and `/v1/heartbeats`: the calls as the OpenAPI document describes them. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import * as api from "../schema/api.ts";
import { Name } from "../schema/names.ts";
import { requireRole } from "./auth.ts";
import { strictJson } from "./body.ts";
import { describeCall, json, problems } from "./openapi.ts";
import { PageQuery } from "./pages.ts";

const ofService = z.object({ service: Name });
const ofOrigin = z.object({ service: Name, origin: Name });
const body = <T extends z.ZodType>(schema: T) => ({ required: true, content: { "application/json": { schema } } });
const ifMatch = z.object({ "if-match": z.string().optional().meta({ example: '"12"' }) });
const write = [requireRole("registrar"), strictJson(bounds.adminBodyBytesMax)];
const read = [requireRole("viewer", "registrar")];

const registered = {
  200: json("The origin replaced itself; its old lease is void", api.RegistrationAnswer),
  201: json("The origin is new", api.RegistrationAnswer),
  ...problems(400, 401, 403, 404, 409, 412, 413, 503),
};
export const putOrigin = describeCall({
  method: "put",
  path: "/v1/services/{service}/origins/{origin}",
  summary: "Registers an origin under its own id",
  middleware: write,
  request: { params: ofOrigin, headers: ifMatch, body: body(api.Registration) },
  responses: registered,
});
export const postOrigin = describeCall({
  method: "post",
  path: "/v1/services/{service}/origins",
  summary: "Registers an origin under an id that the gateway chooses",
  middleware: write,
  request: { params: ofService, body: body(api.Registration) },
  responses: registered,
});
export const postHeartbeat = describeCall({
  method: "post",
  path: "/v1/services/{service}/origins/{origin}/heartbeat",
  summary: "Renews a lease",
  middleware: write,
  request: { params: ofOrigin, body: body(api.Heartbeat) },
  responses: { 200: json("The lease is renewed", api.HeartbeatAnswer), ...problems(400, 401, 403, 404, 413, 503) },
});
export const postHeartbeats = describeCall({
  method: "post",
  path: "/v1/heartbeats",
  summary: "Renews many leases in one call",
  middleware: write,
  request: { body: body(api.Heartbeats) },
  responses: {
    200: json("Which are renewed and which are lost", api.HeartbeatsAnswer),
    ...problems(400, 401, 403, 413, 503),
  },
});
export const postDrain = describeCall({
  method: "post",
  path: "/v1/services/{service}/origins/{origin}/drain",
  summary: "Sends an origin no new requests and removes it after a grace",
  middleware: write,
  request: { params: ofOrigin, body: body(api.Drain) },
  responses: { 200: json("The origin is draining", api.DrainAnswer), ...problems(400, 401, 403, 404, 409, 413, 503) },
});
export const deleteOrigin = describeCall({
  method: "delete",
  path: "/v1/services/{service}/origins/{origin}",
  summary: "Removes an origin",
  middleware: [requireRole("registrar")],
  request: { params: ofOrigin },
  responses: { 204: { description: "The origin is not there (any more)" }, ...problems(400, 401, 403, 404, 409, 503) },
});
export const getService = describeCall({
  method: "get",
  path: "/v1/services/{service}",
  summary: "A service's origins",
  middleware: read,
  request: { params: ofService },
  responses: {
    200: json("Its origins; the registry's revision is the ETag", api.ServiceAnswer),
    ...problems(400, 401, 403, 404, 503),
  },
});
export const getServices = describeCall({
  method: "get",
  path: "/v1/services",
  summary: "Every service with its origins, in pages",
  middleware: read,
  request: {
    query: PageQuery,
  },
  responses: { 200: json("Services by name", api.ServicesAnswer), ...problems(400, 401, 403, 503) },
});

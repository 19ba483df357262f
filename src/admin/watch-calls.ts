/** `/v1/watch` and `/v1/services/{service}/watch`: the calls as the OpenAPI document describes them. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import { ManifestWatchAnswer, ServiceWatchAnswer } from "../schema/api.ts";
import { Name } from "../schema/names.ts";
import { requireRole } from "./auth.ts";
import { describeCall, integer, json, problems } from "./openapi.ts";

const query = z.strictObject({
  from: integer(0, Number.MAX_SAFE_INTEGER).optional().meta({
    description: "The last one seen; the answer has what came after it. Left out: from now on, answered at once",
  }),
  waitSeconds: integer(bounds.watchWaitSecondsMin, bounds.watchWaitSecondsMax)
    .default(bounds.watchWaitSecondsDefault)
    .meta({ description: "How long to wait for the first event; not of a WebSocket" }),
});
const description = "With `Upgrade: websocket` the answer is 101, and then each event is one text message.";

export const watchService = describeCall({
  method: "get",
  path: "/v1/services/{service}/watch",
  summary: "Waits for changes of a service's origins",
  description,
  middleware: [requireRole("viewer", "registrar")],
  request: { params: z.object({ service: Name }), query },
  responses: {
    200: json("Every event after `from`, or none when there was none in time", ServiceWatchAnswer),
    ...problems(400, 401, 403, 404, 410, 503),
  },
});
export const watchManifest = describeCall({
  method: "get",
  path: "/v1/watch",
  summary: "Waits for changes of what isolates follow: the configuration, origins and health of services",
  description,
  middleware: [requireRole("viewer")],
  request: { query },
  responses: {
    200: json("Every event after `from`, or none when there was none in time", ManifestWatchAnswer),
    ...problems(400, 401, 403, 410, 503),
  },
});

/** `/v1/events`: what has happened to services, as far as it is kept. */

import { readEvents } from "../clients/control-plane.ts";
import { EventsAnswer } from "../schema/api.ts";
import type { AdminApp } from "./app.ts";
import { requireRole } from "./auth.ts";
import { describeCall, json, problems } from "./openapi.ts";
import { LogQuery } from "./pages.ts";

const getEvents = describeCall({
  method: "get",
  path: "/v1/events",
  summary: "What has happened to services, oldest first",
  middleware: [requireRole("viewer")],
  request: { query: LogQuery },
  responses: { 200: json("Events by id", EventsAnswer), ...problems(400, 401, 403, 503) },
});

/** Adds the call to the admin app. */
export function mountEvents(app: AdminApp): void {
  app.add(getEvents, async (c) => {
    const { since, limit } = c.req.valid("query");
    const { events, next, oldest } = await readEvents(c.env, since, limit);
    return c.json({ events: [...events], next, oldest }, 200);
  });
}

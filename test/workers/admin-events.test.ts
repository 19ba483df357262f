import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { bounds } from "../../src/bounds.ts";
import { apply, call, callWith, problemOf } from "./admin-support.ts";

interface Page {
  readonly events: readonly ({ readonly id: number; readonly type: string } & Record<string, unknown>)[];
  readonly next: number;
  readonly oldest: number | null;
}
const get = async (query = "") => {
  const response = await call("GET", `/v1/events${query}`, { role: "viewer" });
  expect(response.status).toBe(200);
  return response.json<Page>();
};
beforeAll(() => apply({ services: { users: { circuitBreaker: {} } } }));

describe("GET /v1/events", () => {
  test("tells what has happened, from an order to the reader", async () => {
    expect(await get()).toEqual({ events: [], next: 0, oldest: null });
    for (const state of ["forced-open", "auto"]) {
      await call("PUT", "/v1/breakers/users", { body: { version: "v1", state } });
    }
    const deadlineMs = Date.now() + 5_000;
    while ((await get()).events.length < 2 && Date.now() < deadlineMs) await scheduler.wait(20);
    const { events, next, oldest } = await get();
    const ordered = { service: "users", type: "breaker_forced", version: "v1", time: expect.any(String) };
    expect(events).toEqual([
      { id: 1, ...ordered, forced: "forced-open" },
      { id: 2, ...ordered, forced: "auto" },
    ]);
    expect([next, oldest]).toEqual([2, 1]);
    expect(Math.abs(Date.parse(String(events[0]?.time)) - Date.now())).toBeLessThan(10_000);
  });
  test("in pages, each after the one before", async () => {
    const plane = env.CONTROL_PLANE.getByName("control-plane");
    const count = bounds.eventsPerCallDefault + 5;
    const event = { time: new Date(0).toISOString(), service: "other", type: "test" };
    const events = Array.from({ length: count }, (_, n) => ({ revision: 1, event: { ...event, n } }));
    await plane.publish({ section: "health/other", revision: 1, body: "{}", events });
    const seen: unknown[] = [];
    let page = await get("?since=2");
    expect(page.events).toHaveLength(bounds.eventsPerCallDefault);
    while (page.events.length > 0) {
      seen.push(...page.events.map(({ n }) => n));
      page = await get(`?since=${page.next}&limit=30`);
      expect(page.events.length).toBeLessThanOrEqual(30);
    }
    expect(seen).toEqual(events.map((_, n) => n));
    expect(page.next).toBe(2 + count);
  });
  test.each(["?since=-1", "?since=x", "?since=1.5", "?limit=0", "?limit=1001", "?from=1"])(
    "refuses %s",
    async (query) => {
      await problemOf(await call("GET", `/v1/events${query}`), "invalid_request");
    },
  );
  test("is 503 while the control plane is away", async () => {
    const away = { getByName: () => ({ events: () => Promise.reject("away") }) };
    await problemOf(await callWith({ CONTROL_PLANE: away }, "GET", "/v1/events"), "control_plane_unavailable");
  });
});

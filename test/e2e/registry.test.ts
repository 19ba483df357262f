/** Origins that register themselves: how fast they come, and that they go when their lease does. */
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { type HttpOrigin, startHttpOrigin } from "../support/http-origin.ts";

/** What the registry promises: a change is followed within this time, and no request goes to an origin later than this
 * after its lease ended (R5). */
const promisedMs = 1_000;

let gateway: Gateway;
let origin: HttpOrigin;

beforeAll(async () => {
  origin = await startHttpOrigin("here");
  gateway = await startGateway({
    isolates: 2,
    config: { services: { users: {} }, routes: [{ name: "users", service: "users" }] },
  });
});

afterAll(async () => {
  await gateway?.dispose();
  await origin?.close();
});

/** Asks every isolate again and again until `done` says so. */
async function poll(done: (status: number, isolate: number) => boolean, msMax: number): Promise<void> {
  const endMs = Date.now() + msMax;
  while (Date.now() < endMs) {
    for (const [isolate, url] of gateway.urls.entries()) {
      const { status } = await fetch(`${url}/x`);
      if (done(status, isolate)) return;
    }
    await wait(10);
  }
}

describe("an origin that registers with one PUT", () => {
  it("carries traffic of every isolate within 1 s", async () => {
    await poll(() => true, 1_000);
    const startMs = Date.now();
    await gateway.register("users", "x", { url: origin.url, ttlSeconds: 5 });
    const serving = new Set<number>();
    await poll((status, isolate) => status === 200 && serving.add(isolate).size === gateway.urls.length, 5_000);
    const tookMs = Date.now() - startMs;
    console.log(`registered -> traffic from ${serving.size} isolates after ${tookMs} ms`);
    expect(serving.size).toBe(2);
    expect(tookMs).toBeLessThan(promisedMs);
  });

  it("keeps carrying it while it renews its lease, and carries none 1 s after the lease ended", async () => {
    const { leaseId } = await gateway.register("users", "x", { url: origin.url, ttlSeconds: 5 });
    await wait(3_000);
    const renewal = await gateway.admin("/v1/services/users/origins/x/heartbeat", {
      method: "POST",
      body: JSON.stringify({ leaseId }),
    });
    const { expiresAt } = (await renewal.json()) as { expiresAt: string };
    const deadlineMs = Date.parse(expiresAt);
    await poll((status) => status !== 200 && Date.now() < deadlineMs, deadlineMs - Date.now() - 100);
    const servedUntil = origin.timesMs.at(-1) ?? 0;
    expect(deadlineMs - servedUntil).toBeLessThan(promisedMs);

    await poll(() => false, deadlineMs - Date.now() + 2 * promisedMs);
    const lastMs = origin.timesMs.at(-1) ?? 0;
    console.log(`last request ${lastMs - deadlineMs} ms after the end of the lease`);
    expect(lastMs).toBeLessThan(deadlineMs + promisedMs);
  });

  it("carries none 1 s after the lease ended, even of an isolate that had no traffic meanwhile", async () => {
    await gateway.register("users", "y", { url: origin.url, ttlSeconds: 5 });
    const serving = new Set<number>();
    await poll((status, isolate) => status === 200 && serving.add(isolate).size === gateway.urls.length, 5_000);
    await wait(5_000 + promisedMs);
    const statuses = await Promise.all(gateway.urls.map(async (url) => (await fetch(`${url}/x`)).status));
    expect(statuses).toEqual([503, 503]);
  });

  it("gets no new requests once it drains, and registers again to be ready", async () => {
    await gateway.register("users", "z", { url: origin.url });
    await poll((status) => status === 200, 5_000);
    const drained = await gateway.admin("/v1/services/users/origins/z/drain", { method: "POST", body: "{}" });
    expect(drained.status).toBe(200);
    await wait(promisedMs);
    expect((await fetch(`${gateway.url}/x`)).status).toBe(503);
    await gateway.register("users", "z", { url: origin.url });
    await wait(promisedMs);
    expect((await fetch(`${gateway.url}/x`)).status).toBe(200);
    await gateway.admin("/v1/services/users/origins/z", { method: "DELETE" });
    await wait(promisedMs);
    expect((await fetch(`${gateway.url}/x`)).status).toBe(503);
  });
});

it("nothing was thrown that nobody caught", () => {
  expect(gateway.uncaught()).toEqual([]);
});

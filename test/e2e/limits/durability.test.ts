/** Quotas of an hour and of a month go on where they were when the gateway is killed and started again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type HttpOrigin, startHttpOrigin } from "../../support/http-origin.ts";
import { type DevGateway, startWranglerDev } from "../../support/wrangler-dev.ts";
import { ask } from "./load.ts";

const limit = 120;
const kills = 2;
const perRound = 25;
const names = ["hourly", "rolling-hour", "monthly", "exact"] as const;
type Name = (typeof names)[number];

const key = ["global"];
const rateLimits: Record<Name, object> = {
  hourly: { algorithm: "fixed-window", windows: [{ limit, per: "hour" }], key },
  "rolling-hour": { algorithm: "sliding-window", windows: [{ limit, seconds: 3_600 }], key },
  monthly: { algorithm: "fixed-window", windows: [{ limit, per: "month" }], key },
  exact: { algorithm: "fixed-window", windows: [{ limit, per: "month" }], key, consistency: "exact" },
};

let state: string;
let origin: HttpOrigin;
let gateway: DevGateway;

beforeAll(async () => {
  // An hour or a month that begins in the midst of the test would give it another quota.
  const leftMs = 3_600_000 - (Date.now() % 3_600_000);
  if (leftMs < 90_000) await wait(leftMs);
  state = await mkdtemp(join(tmpdir(), "sluice-limits-"));
  origin = await startHttpOrigin("alive");
  gateway = await startWranglerDev(state);
  const services = { s: { origins: [{ id: "o", url: origin.url }] } };
  const routes = names.map((name) => ({
    name,
    service: "s",
    matches: [{ path: { prefix: `/${name}` } }],
    rateLimits: [name],
  }));
  await gateway.admin("PUT", "/v1/config", { services, rateLimits, routes });
}, 200_000);

afterAll(async () => {
  await gateway?.kill();
  await origin?.close();
  if (state) await rm(state, { recursive: true, force: true });
});

interface Peeked {
  readonly windows: readonly { readonly charged: number }[];
  readonly leases: readonly { readonly permits: number }[];
}

const peek = (name: Name) => gateway.admin<Peeked>("GET", `/v1/limits/${name}/global`);

/** Sends up to `count` requests one after the other, until one is refused. How many were admitted. */
async function spend(name: Name, count: number): Promise<number> {
  for (let sent = 0; sent < count; sent++) {
    const { status } = await ask(`${gateway.url}/${name}`);
    if (status === 429) return sent;
    expect(status).toBe(200);
  }
  return count;
}

it("a quota is never exceeded, and no more of it is lost than was leased or in a chunk at a kill", async () => {
  const spent = new Map<Name, number>(names.map((name) => [name, 0]));
  const lost = new Map<Name, number>(names.map((name) => [name, 0]));
  for (let round = 0; round <= kills; round++) {
    for (const name of names) {
      const isLast = round === kills;
      const admitted = await spend(name, isLast ? limit + 1 : perRound);
      spent.set(name, spent.get(name)! + admitted);
    }
    if (round === kills) break;
    for (const name of names) {
      const { windows, leases } = await peek(name);
      expect(windows[0]!.charged).toBeGreaterThanOrEqual(spent.get(name)!);
      lost.set(name, lost.get(name)! + leases.reduce((sum, { permits }) => sum + permits, 0));
    }
    const before = await Promise.all(names.map(peek));
    await gateway.kill();
    gateway = await startWranglerDev(state);
    await expect.poll(async () => (await fetch(`${gateway.url}/nowhere`)).status, { timeout: 20_000 }).toBe(404);
    const after = await Promise.all(names.map(peek));
    for (const [at, name] of names.entries()) {
      // A hot key's object has charged a chunk in advance; what it had not granted of it is lost with it.
      const chunk = after[at]!.windows[0]!.charged - before[at]!.windows[0]!.charged;
      expect(chunk, name).toBeGreaterThanOrEqual(0);
      expect(chunk, name).toBeLessThanOrEqual(limit / 4);
      lost.set(name, lost.get(name)! + chunk);
    }
  }
  for (const name of names) {
    console.log(
      `${name}: ${spent.get(name)} of ${limit} spent over ${kills} kills; leased or in a chunk then: ${lost.get(name)}`,
    );
    expect(spent.get(name)).toBeLessThanOrEqual(limit);
    expect(spent.get(name)).toBeGreaterThanOrEqual(limit - lost.get(name)!);
    expect(spent.get(name), "the kills left something to spend").toBeGreaterThan(kills * perRound * 0.5);
  }
}, 240_000);

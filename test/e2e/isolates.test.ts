/** Several isolates are one gateway: they follow the same configuration and the same registry. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { exchange } from "../support/client.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import { pause } from "../support/suite.ts";

let origin: Origin;
let dir: string;

beforeAll(async () => {
  origin = await startOrigin();
  dir = await mkdtemp(join(tmpdir(), "sluice-isolates-"));
});

afterAll(async () => {
  await origin.dispose();
  await rm(dir, { recursive: true, force: true });
});

const config = (name: string) => ({
  services: { [name]: { registration: { allowedHosts: ["127.0.0.1"] } } },
  routes: [{ name, service: name, matches: [{ path: { prefix: `/${name}` } }] }],
});

const statuses = (gateway: Gateway, target: string) =>
  Promise.all(gateway.urls.map(async (url) => (await exchange(url, { target })).status));

it("two isolates answer alike, and so does the gateway after a restart", async () => {
  const gateway = await startGateway({ isolates: 2, persist: dir, config: config("one") });
  try {
    expect(new Set(gateway.urls).size).toBe(2);
    expect(await statuses(gateway, "/one")).toEqual([503, 503]);
    await gateway.register("one", "a", { url: origin.url, ttlSeconds: 60 });
    for (let round = 0; (await statuses(gateway, "/one")).some((status) => status !== 200); round++) {
      expect(round).toBeLessThan(60);
      await pause(50);
    }
    await gateway.put(config("two"));
    expect(await statuses(gateway, "/one")).toEqual([404, 404]);
    expect(await statuses(gateway, "/two")).toEqual([503, 503]);
    expect(gateway.uncaught()).toEqual([]);
  } finally {
    await gateway.dispose();
  }
  const again = await startGateway({ isolates: 2, persist: dir });
  try {
    expect(await statuses(again, "/two")).toEqual([503, 503]);
  } finally {
    await again.dispose();
  }
});

it("a gateway without tokens has no admin API", async () => {
  const gateway = await startGateway({ vars: { ADMIN_TOKEN: undefined } });
  try {
    expect((await gateway.admin("/v1/config")).status).toBe(503);
  } finally {
    await gateway.dispose();
  }
});

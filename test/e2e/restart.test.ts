/** SIGKILL of the gateway and a restart on the same state lose nothing that was acknowledged. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type HttpOrigin, startHttpOrigin } from "../support/http-origin.ts";
import { type DevGateway, startWranglerDev } from "../support/wrangler-dev.ts";

const rounds = 3;
let state: string;
let origin: HttpOrigin;
let gateway: DevGateway;

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "sluice-restart-"));
  origin = await startHttpOrigin("alive");
  gateway = await startWranglerDev(state);
});

afterAll(async () => {
  await gateway?.kill();
  await origin?.close();
  await rm(state, { recursive: true, force: true });
});

interface Listed {
  readonly origins: readonly { readonly id: string; readonly modRevision: number; readonly state: string }[];
}

it("a killed gateway comes back with its configuration, its revision and its live leases", async () => {
  const leases: { origin: string; leaseId: string; revision: number }[] = [];
  for (let round = 1; round <= rounds; round++) {
    const config = {
      services: { users: {} },
      routes: Array.from({ length: round }, (_, index) => ({
        name: `r${index}`,
        service: "users",
        matches: [{ path: { prefix: `/r${index}` } }],
      })),
    };
    const { revision } = await gateway.admin<{ revision: number }>("PUT", "/v1/config", config);
    const id = `o${round}`;
    const body = { url: origin.url, ttlSeconds: 300 };
    const lease = await gateway.admin<{ leaseId: string; revision: number }>(
      "PUT",
      `/v1/services/users/origins/${id}`,
      body,
    );
    leases.push({ origin: id, leaseId: lease.leaseId, revision: lease.revision });
    // At once: whatever was not durable when it was acknowledged is lost now.
    await gateway.kill();
    gateway = await startWranglerDev(state);

    expect(await gateway.admin("GET", "/v1/config")).toEqual(config);
    expect(await gateway.admin<{ configRevision: number }>("GET", "/health")).toMatchObject({
      configRevision: revision,
    });
    const { origins } = await gateway.admin<Listed>("GET", "/v1/services/users");
    expect(origins.map(({ id, modRevision, state }) => [id, modRevision, state])).toEqual(
      leases.map(({ origin, revision }) => [origin, revision, "ready"]),
    );
    for (const { origin, leaseId } of leases) {
      await gateway.admin("POST", `/v1/services/users/origins/${origin}/heartbeat`, { leaseId });
    }
    // What was registered a moment before the kill is also published after it.
    await expect.poll(async () => (await fetch(`${gateway.url}/r${round - 1}`)).status, { timeout: 10_000 }).toBe(200);
  }
}, 180_000);

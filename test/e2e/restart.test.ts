/** SIGKILL of the gateway and a restart on the same state lose nothing that was acknowledged. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type HttpOrigin, startHttpOrigin } from "../support/http-origin.ts";
import { tokens } from "../support/tokens.ts";
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

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${gateway.url}/_sluice${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens.admin}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect(response.status, `${method} ${path}: ${text}`).toBeLessThan(300);
  return JSON.parse(text) as T;
}

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
    const { revision } = await call<{ revision: number }>("PUT", "/v1/config", config);
    const id = `o${round}`;
    const body = { url: origin.url, ttlSeconds: 300 };
    const lease = await call<{ leaseId: string; revision: number }>("PUT", `/v1/services/users/origins/${id}`, body);
    leases.push({ origin: id, leaseId: lease.leaseId, revision: lease.revision });
    // At once: whatever was not durable when it was acknowledged is lost now.
    await gateway.kill();
    gateway = await startWranglerDev(state);

    expect(await call("GET", "/v1/config")).toEqual(config);
    expect(await call<{ configRevision: number }>("GET", "/health")).toMatchObject({ configRevision: revision });
    const { origins } = await call<Listed>("GET", "/v1/services/users");
    expect(origins.map(({ id, modRevision, state }) => [id, modRevision, state])).toEqual(
      leases.map(({ origin, revision }) => [origin, revision, "ready"]),
    );
    for (const { origin, leaseId } of leases) {
      await call("POST", `/v1/services/users/origins/${origin}/heartbeat`, { leaseId });
    }
    // What was registered a moment before the kill is also published after it.
    await expect.poll(async () => (await fetch(`${gateway.url}/r${round - 1}`)).status, { timeout: 10_000 }).toBe(200);
  }
}, 180_000);

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { backoffMs, heartbeatMs, keepRegistered } from "../../../examples/origin-node/sluice.mjs";

/** An answer of the scripted gateway. `reset` closes the connection, `never` leaves the call unanswered. */
type Answer = { readonly status: number; readonly body?: unknown } | "reset" | "never";
interface Call {
  readonly kind: "register" | "heartbeat" | "deregister" | "other";
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
  readonly atMs: number;
}

const kinds = { PUT: "register", POST: "heartbeat", DELETE: "deregister" } as const;
const lease = (leaseId: string, heartbeatSeconds = 0.05): Answer => ({
  status: 201,
  body: { leaseId, heartbeatSeconds },
});
const renewed = (heartbeatSeconds = 0.05): Answer => ({ status: 200, body: { ttlSeconds: 15, heartbeatSeconds } });
const problem = (status: number, code: string): Answer => ({
  status,
  body: { status, code, detail: `because of ${code}` },
});

const servers: Server[] = [];
const stops: (() => Promise<void>)[] = [];

/** A gateway that answers by `script`; a call that it leaves open succeeds. */
async function gatewayOf(script: (call: Call, earlier: readonly Call[]) => Answer | undefined | Promise<Answer>) {
  const calls: Call[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const kind = kinds[request.method as keyof typeof kinds] ?? "other";
    const { authorization } = request.headers;
    const call = {
      kind,
      path: request.url!,
      authorization,
      body: text ? JSON.parse(text) : null,
      atMs: performance.now(),
    };
    const earlier = [...calls];
    calls.push(call);
    const usual: Record<Call["kind"], Answer> = {
      register: lease("lease-1"),
      heartbeat: renewed(),
      deregister: { status: 204 },
      other: { status: 405 },
    };
    const answer = (await script(call, earlier)) ?? usual[kind];
    if (answer === "never") return;
    if (answer === "reset") return void request.socket.destroy();
    response.writeHead(answer.status).end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const count = (kind: Call["kind"]) => calls.filter((call) => call.kind === kind).length;
  return { url, calls, count };
}

function register(gateway: string) {
  const lines: string[] = [];
  const registration = keepRegistered({
    gateway,
    token: "secret-token",
    service: "users",
    origin: "users-a",
    url: "http://127.0.0.1:1",
    version: "v1",
    log: (level, message) => lines.push(`${level} ${message}`),
  });
  stops.push(registration.stop);
  return { ...registration, lines };
}

const becomes = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 5 });

beforeEach(() => {
  // The shortest pauses: 0.5 s after a failure, 80 % of a heartbeat.
  vi.spyOn(Math, "random").mockReturnValue(0);
});

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  vi.restoreAllMocks();
});

describe("a registration", () => {
  it("is made, kept by heartbeats and ended by stop", async () => {
    const gateway = await gatewayOf(() => undefined);
    const { origin, stop, lines } = register(`${gateway.url}/`);
    await becomes(() => expect(gateway.count("heartbeat")).toBeGreaterThanOrEqual(3));
    await stop();
    await stop();

    expect(origin).toBe("users-a");
    const [first, second] = gateway.calls;
    const path = "/_sluice/v1/services/users/origins/users-a";
    expect(first).toMatchObject({ kind: "register", path, body: { url: "http://127.0.0.1:1", version: "v1" } });
    expect(second).toMatchObject({ kind: "heartbeat", path: `${path}/heartbeat`, body: { leaseId: "lease-1" } });
    expect(gateway.calls.at(-1)).toMatchObject({ kind: "deregister", path });
    expect(gateway.count("register")).toBe(1);
    expect(gateway.count("deregister")).toBe(1);
    expect(new Set(gateway.calls.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer secret-token"]));
    expect(lines.join()).not.toContain("secret-token");
    const before = gateway.calls.length;
    await sleep(150);
    expect(gateway.calls.length).toBe(before);
  });

  it("sends heartbeats when the gateway wants them, +-20 %", async () => {
    const gateway = await gatewayOf(({ kind }, earlier) => {
      vi.mocked(Math.random).mockReturnValue(earlier.length % 2 ? 0.999 : 0);
      return kind === "register" ? lease("lease-1", 0.2) : kind === "heartbeat" ? renewed(0.2) : undefined;
    });
    register(gateway.url);
    await becomes(() => expect(gateway.calls.length).toBe(5));
    const gaps = gateway.calls.slice(1).map(({ atMs }, index) => atMs - gateway.calls[index]!.atMs);
    for (const [index, gap] of gaps.entries()) {
      expect(gap).toBeGreaterThanOrEqual(index % 2 ? 235 : 155);
      expect(gap).toBeLessThan(1_000);
    }
  });

  it("is tried again after every failure that may pass", async () => {
    const passing: Record<string, Answer> = {
      "the connection is reset": "reset",
      "the gateway fails": { status: 500 },
      "the admin API is disabled": problem(503, "admin_disabled"),
      "the service is not declared yet": problem(404, "service_unknown"),
      "the id is a static origin's": problem(409, "origin_static"),
      "the gateway waited too long": { status: 408 },
      "there are too many calls": { status: 429 },
      "another server answers": { status: 200, body: "<html>" },
      "the answer has no pace": { status: 200, body: { leaseId: "lease-1" } },
    };
    const tryAgain = async ([name, answer]: [string, Answer]) => {
      const gateway = await gatewayOf((_, earlier) => (earlier.length === 0 ? answer : undefined));
      const { lines } = register(gateway.url);
      await becomes(() => expect(lines.join(), name).toContain("info"));
      const [first, second] = gateway.calls;
      expect(second!.kind, name).toBe("register");
      expect(second!.atMs - first!.atMs, name).toBeGreaterThanOrEqual(495);
      expect(lines[0], name).toMatch(/^warn users\/users-a is not registered: .*; next try in 0\.5 s$/);
    };
    await Promise.all(Object.entries(passing).map(tryAgain));
  });

  it("that is refused at first as wrong is given up and reported as an error", async () => {
    const refusals = [
      [400, "invalid_request"],
      [401, "unauthorized"],
      [403, "forbidden"],
      [404, "not_found"],
    ] as const;
    const giveUp = async ([status, code]: (typeof refusals)[number]) => {
      const errors = [{ detail: "is not allowed", pointer: "#/url" }];
      const gateway = await gatewayOf(() => ({ status, body: { code, errors } }));
      const { stop, lines } = register(gateway.url);
      await becomes(() => expect(lines, code).toHaveLength(1));
      expect(lines[0]).toMatch(/^error users\/users-a is NOT registered/);
      expect(lines[0]).toContain(`HTTP ${status}, ${code}, #/url is not allowed`);
      await sleep(700);
      await stop();
      expect(gateway.calls, code).toHaveLength(1);
    };
    await Promise.all(refusals.map(giveUp));
  });

  it("that has once succeeded is never given up", async () => {
    const script: Answer[] = [
      lease("lease-1"),
      problem(401, "unauthorized"),
      problem(404, "lease_not_found"),
      problem(403, "forbidden"),
    ];
    const gateway = await gatewayOf((_, { length }) => script[length]);
    const { lines } = register(gateway.url);
    await becomes(() => expect(gateway.calls.length).toBeGreaterThan(script.length + 1));
    const kindsOfCalls = gateway.calls.slice(0, 6).map(({ kind }) => kind);
    expect(kindsOfCalls).toEqual(["register", "heartbeat", "heartbeat", "register", "register", "heartbeat"]);
    expect(lines.filter((line) => line.startsWith("error"))).toEqual([]);
  });

  it("is made again at once when the lease is lost, and renewed under the new lease", async () => {
    const gateway = await gatewayOf(({ kind, body }, earlier) => {
      if (kind === "register") return lease(earlier.length === 0 ? "old" : "new");
      return (body as { leaseId?: string } | null)?.leaseId === "old" ? problem(404, "lease_not_found") : undefined;
    });
    register(gateway.url);
    await becomes(() => expect(gateway.calls.length).toBeGreaterThanOrEqual(4));
    const [, lost, again, next] = gateway.calls;
    expect(again!.kind).toBe("register");
    expect(again!.atMs - lost!.atMs).toBeLessThan(400);
    expect(next).toMatchObject({ kind: "heartbeat", body: { leaseId: "new" } });
  });

  it("gives a call that is not answered up after 5 s", async () => {
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    const deadlines = vi.spyOn(AbortSignal, "timeout").mockImplementation(() => timeout(50));
    const gateway = await gatewayOf((_, earlier) => (earlier.length === 0 ? "never" : undefined));
    const { lines } = register(gateway.url);
    await becomes(() => expect(gateway.count("register")).toBe(2));
    expect(lines[0]).toMatch(/timeout/i);
    expect(deadlines.mock.calls.every(([ms]) => ms === 5_000)).toBe(true);
  });

  it("does not keep the process alive", async () => {
    const module = new URL("../../../examples/origin-node/sluice.mjs", import.meta.url).href;
    const gateway = await gatewayOf(() => problem(503, "admin_disabled"));
    const options = JSON.stringify({ gateway: gateway.url, token: "t", service: "users", url: "http://127.0.0.1:1" });
    const code = `import { keepRegistered } from "${module}"; keepRegistered(${options});`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: "ignore" });
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(gateway.count("register")).toBe(1);
  });
});

describe("stop", () => {
  it("ends a backoff at once and deregisters, since a try that failed may have been carried out", async () => {
    vi.mocked(Math.random).mockReturnValue(0.999);
    const gateway = await gatewayOf(({ kind }) => (kind === "register" ? { status: 503 } : undefined));
    const { stop, lines } = register(gateway.url);
    await becomes(() => expect(lines).toHaveLength(1));
    const begin = performance.now();
    await stop();
    expect(performance.now() - begin).toBeLessThan(700);
    expect(gateway.calls.map(({ kind }) => kind)).toEqual(["register", "deregister"]);
  });

  it("waits for a registration under way, which would else come after the deregistration", async () => {
    const gateway = await gatewayOf(async ({ kind }) => {
      if (kind === "register") await sleep(150);
      return kind === "register" ? lease("lease-1") : { status: 204 };
    });
    const { stop, lines } = register(gateway.url);
    await becomes(() => expect(gateway.calls).toHaveLength(1));
    await stop();
    expect(gateway.calls.map(({ kind }) => kind)).toEqual(["register", "deregister"]);
    expect(lines.map((line) => line.split(" ")[0])).toEqual(["info", "info"]);
  });

  it("resolves when the gateway is gone", async () => {
    const gateway = await gatewayOf(() => undefined);
    const { stop, lines } = register(gateway.url);
    await becomes(() => expect(lines).toHaveLength(1));
    servers[0]!.close();
    servers[0]!.closeAllConnections();
    await stop();
    expect(lines.at(-1)).toMatch(/^warn .* could not deregister, its lease will expire: [A-Z_]+$/);
  });
});

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("pauses", () => {
  it("after failures are uniform between 0.5 s and a ceiling that doubles up to 30 s", () => {
    fc.assert(
      fc.property(fc.nat(5_000), random, (failures, share) => {
        const ceiling = Math.min(30_000, 1_000 * 2 ** failures);
        expect(backoffMs(failures, share)).toBeCloseTo(500 + share * (ceiling - 500), 6);
      }),
    );
  });

  it("between heartbeats are within 20 % of what the gateway wants", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 300, noNaN: true }), random, (seconds, share) => {
        const pauseMs = heartbeatMs(seconds, share);
        expect(pauseMs).toBeGreaterThanOrEqual(seconds * 800 - 1e-6);
        expect(pauseMs).toBeLessThanOrEqual(seconds * 1_200 + 1e-6);
      }),
    );
    expect(heartbeatMs(5, 0)).toBe(4_000);
    expect(heartbeatMs(5, 0.5)).toBe(5_000);
  });
});

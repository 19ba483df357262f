/** Rate limits on a request's way, inside workerd. Several isolates, load and faults are in test/e2e/limits. */
import { createExecutionContext, reset, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { parseDictionary, parseList } from "structured-headers";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import worker from "../../src/index.ts";
import { tokens } from "../support/tokens.ts";

const gateway = "https://gateway.example.com";
const minute = { limit: 3, seconds: 60 };

const config = {
  gateway: { debugHeaders: true },
  services: { any: { origins: [{ id: "x", url: inject("originUrl") }] } },
  rateLimits: {
    client: {
      windows: [minute, { limit: 100, seconds: 3600 }],
      key: ["header:x-client-id", "ip"],
      overrides: [{ key: "header:x-client-id=gold-*", windows: [{ limit: 5, seconds: 60 }] }],
      cost: { header: "x-cost" },
    },
    legacy: { windows: [minute], key: ["global"], headers: "legacy" },
    silent: { windows: [minute], key: ["route"], headers: "none" },
    shadow: { windows: [{ limit: 1, seconds: 60 }], key: ["query:k"], mode: "shadow" },
    strict: { windows: [minute], key: ["cookie:sid"], onMissingKey: "deny" },
    "shadow-strict": { windows: [minute], key: ["cookie:sid"], onMissingKey: "deny", mode: "shadow" },
    param: { windows: [{ limit: 1, seconds: 60 }], key: ["path-param:id"] },
    queue: { algorithm: "leaky-bucket", rate: 20, burst: 1, maxDelayMs: 1_000, key: ["global"] },
    exact: { windows: [minute], key: ["global"], consistency: "exact" },
    about: { windows: [minute], key: ["global"], consistency: "approximate" },
    tight: { windows: [{ limit: 1, seconds: 60 }], key: ["global"] },
    wide: { windows: [{ limit: 50, seconds: 60 }], key: ["global"] },
  },
  routes: [
    ...["client", "legacy", "silent", "shadow", "strict", "shadow-strict", "queue", "exact", "about"].map((name) => ({
      name,
      service: "any",
      matches: [{ path: { prefix: `/${name}` } }],
      rateLimits: [name],
    })),
    { name: "param", service: "any", matches: [{ path: { pattern: "/param/:id" } }], rateLimits: ["param"] },
    { name: "both", service: "any", matches: [{ path: { prefix: "/both" } }], rateLimits: ["wide", "tight"] },
  ],
};

async function fetchWith(bindings: Env, path: string, headers: Record<string, string> = {}, init: RequestInit = {}) {
  const ctx = createExecutionContext();
  const request = new Request(gateway + path, { ...init, headers }) as Parameters<typeof worker.fetch>[0];
  const response = await worker.fetch(request, bindings, ctx);
  const text = await response.text();
  await waitOnExecutionContext(ctx);
  const decision = response.headers.get("sluice-decision");
  const members = decision === null ? new Map() : parseDictionary(decision);
  return { response, status: response.status, text, mark: members.get("limit")?.[0], calls: members.get("calls")?.[0] };
}
const ask = (path: string, headers?: Record<string, string>) => fetchWith(env, path, headers);
const statuses = async (count: number, path: string, headers?: Record<string, string>) => {
  const all: number[] = [];
  for (let at = 0; at < count; at++) all.push((await ask(path, headers)).status);
  return all;
};

it("a limit in shadow mode refuses nobody, also for want of a key", async () => {
  expect(await ask("/strict")).toMatchObject({ status: 429, mark: "denied" });
  expect(await ask("/shadow-strict")).toMatchObject({ status: 200, mark: "shadow" });
});

beforeAll(async () => {
  const init = { method: "PUT", body: JSON.stringify(config) };
  const { status, text } = await fetchWith(
    env,
    "/_sluice/v1/config",
    { authorization: `Bearer ${tokens.admin}` },
    init,
  );
  expect(status, text).toBe(200);
});
afterAll(() => reset());

describe("a limit", () => {
  it("admits what it says, then answers 429 with what the draft asks for", async () => {
    expect(await statuses(3, "/client", { "x-client-id": "a" })).toEqual([200, 200, 200]);
    const { response, status, text, mark } = await ask("/client", { "x-client-id": "a" });
    expect([status, mark]).toEqual([429, "denied"]);
    expect(JSON.parse(text)).toMatchObject({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      code: "rate_limited",
      "violated-policies": ["client"],
    });
    const [[, limit] = [], ...others] = parseList(response.headers.get("ratelimit") ?? "");
    expect(others).toEqual([]);
    expect(limit?.get("r")).toBe(0);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThanOrEqual(Number(limit?.get("t")));
    const policies = parseList(response.headers.get("ratelimit-policy") ?? "");
    expect(policies.map(([name, fields]) => [name, fields.get("q"), fields.get("w")])).toEqual([
      ["client", 3, 60],
      ["client-2", 100, 3600],
    ]);
  });

  it("keeps each key's budget apart, and gives some keys another one", async () => {
    expect(await statuses(4, "/client", { "x-client-id": "b" })).toEqual([200, 200, 200, 429]);
    expect(await statuses(6, "/client", { "x-client-id": "gold-1" })).toEqual([200, 200, 200, 200, 200, 429]);
    const address = { "cf-connecting-ip": "192.0.2.1" };
    expect(await statuses(4, "/client", address)).toEqual([200, 200, 200, 429]);
    // A header that says an address is not that address.
    expect((await ask("/client", { "x-client-id": "192.0.2.1" })).status).toBe(200);
  });

  it("counts an IPv6 client by its /64", async () => {
    const from = (ip: string) => ask("/client", { "cf-connecting-ip": ip });
    for (let host = 1; host <= 3; host++) expect((await from(`2001:db8:1:2::${host}`)).status).toBe(200);
    expect((await from("2001:db8:1:2:ffff::9")).status).toBe(429);
    expect((await from("2001:db8:1:3::1")).status).toBe(200);
  });

  it("takes a request's own word on its cost, if it is one", async () => {
    const cost = (value: string) => ask("/client", { "x-client-id": "cost", "x-cost": value });
    expect((await cost("4")).text).toContain("waiting does not help");
    expect((await cost("2")).status).toBe(200);
    expect((await cost("2")).status).toBe(429);
    expect((await cost("-5")).status).toBe(200);
    expect((await cost("0")).status).toBe(429);
  });

  it("keeps keys of any length and bytes apart", async () => {
    const long = "k".repeat(5_000);
    for (const id of [`${long}1`, `${long}2`, "a|b", "a=b"]) {
      expect(await statuses(4, "/client", { "x-client-id": id })).toEqual([200, 200, 200, 429]);
    }
  });

  it("is by parameter, by route, for everybody, or refuses who has no key", async () => {
    expect([(await ask("/param/1")).status, (await ask("/param/1")).status, (await ask("/param/2")).status]).toEqual([
      200, 429, 200,
    ]);
    expect((await ask("/strict")).status).toBe(429);
    expect((await ask("/strict", { cookie: "sid=1" })).status).toBe(200);
  });
});

describe("headers", () => {
  it("legacy", async () => {
    const { response } = await ask("/legacy");
    expect(response.headers.get("ratelimit")).toBeNull();
    expect(response.headers.get("x-ratelimit-limit")).toBe("3");
    expect(Number(response.headers.get("x-ratelimit-remaining"))).toBeLessThanOrEqual(2);
  });

  it("none, but Retry-After", async () => {
    expect(await statuses(3, "/silent")).toEqual([200, 200, 200]);
    const { response } = await ask("/silent");
    expect([response.status, response.headers.get("ratelimit-policy")]).toEqual([429, null]);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});

describe("what is decided apart", () => {
  it("shadow mode never refuses and says what it would have done", async () => {
    expect((await ask("/shadow?k=1")).mark).toBe("ok");
    expect(await ask("/shadow?k=1")).toMatchObject({ status: 200, mark: "shadow" });
  });

  it("several limits are taken all or none", async () => {
    expect((await ask("/both")).status).toBe(200);
    for (let at = 0; at < 5; at++) expect((await ask("/both")).status).toBe(429);
    const authorization = { authorization: `Bearer ${tokens.admin}` };
    const { text } = await ask("/_sluice/v1/limits/wide/global", authorization);
    const { windows, leases } = JSON.parse(text) as {
      windows: { charged: number }[];
      leases: { permits: number }[];
    };
    // What is charged beyond the one request is leased, not spent.
    const leased = leases.reduce((sum, { permits }) => sum + permits, 0);
    expect((windows[0]?.charged ?? 0) - leased).toBeLessThanOrEqual(1);
  });

  it("a leaky bucket holds back what it does not refuse", async () => {
    const beganMs = Date.now();
    const all = await Promise.all(Array.from({ length: 5 }, () => ask("/queue")));
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    // Five at 20 a second: the last waits for four intervals of 50 ms.
    expect(Date.now() - beganMs).toBeGreaterThanOrEqual(150);
  });

  it("exact asks for each request, approximate hardly ever", async () => {
    const exact = [await ask("/exact"), await ask("/exact"), await ask("/exact"), await ask("/exact")];
    expect(exact.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(exact.slice(0, 3).map(({ calls }) => calls)).toEqual([1, 1, 1]);
    expect((await ask("/about")).status).toBe(200);
  });
});

describe("the limiter is away", () => {
  const broken = (lease: () => Promise<never>) =>
    ({ ...env, RATE_LIMITER: { getByName: () => ({ lease }) } }) as unknown as Env;

  it("share goes on with a share, marked, and after three failures without asking", async () => {
    let asked = 0;
    const away = broken(async () => {
      asked++;
      throw new Error("away");
    });
    const all = [];
    for (let at = 0; at < 10; at++) all.push(await fetchWith(away, "/client", { "x-client-id": "away" }));
    expect(all[0]).toMatchObject({ status: 200, mark: "degraded", calls: 1 });
    expect(all.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(3);
    expect(all.at(-1)).toMatchObject({ status: 429, mark: "degraded", calls: 0 });
    expect(asked).toBeLessThanOrEqual(4);
  });

  it("the log has a line of it, at most one a second, that says how many decisions it stands for", async () => {
    const log = vi.spyOn(console, "warn").mockImplementation(() => {});
    const away = broken(() => Promise.reject(new Error("away")));
    await scheduler.wait(1_100);
    for (let at = 0; at < 5; at++) await fetchWith(away, "/client", { "x-client-id": "logged" });
    const lines = log.mock.calls.map(([line]) => JSON.parse(String(line)));
    log.mockRestore();
    expect(lines).toMatchObject([{ event: "rate_limit", mark: "degraded", route: "client", limits: ["client"] }]);
    expect(lines[0].decisions).toBeGreaterThanOrEqual(1);
  });

  it("an object that hangs is waited for no longer than the bound", async () => {
    const hanging = broken(() => new Promise<never>((_, reject) => setTimeout(() => reject(new Error("late")), 400)));
    expect(await fetchWith(hanging, "/client", { "x-client-id": "hangs" })).toMatchObject({ mark: "degraded" });
  });
});

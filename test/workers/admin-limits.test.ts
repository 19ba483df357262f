import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { limitKeyOf } from "../../src/clients/limit-key.ts";
import { leasePermits } from "../../src/clients/rate-limiter.ts";
import type { LeaseQuery, WindowSpec } from "../../src/core/limiting/types.ts";
import { apply, call, callWith, errorsOf, problemOf } from "./admin-support.ts";

const perMinute = { windows: [{ limit: 10, seconds: 60 }] };
beforeAll(async () => {
  await apply({ rateLimits: { "per-client": perMinute } });
});
afterAll(reset);

const everyWindow: readonly WindowSpec[] = [
  { kind: "sliding-window", limit: 10, windowMs: 60_000 },
  { kind: "fixed-window", limit: 1_000, windowMs: 86_400_000 },
  { kind: "calendar-window", limit: 5_000, unit: "month", timeZone: "Europe/Oslo" },
  { kind: "token-bucket", rate: 0.5, burst: 50 },
];
let seq = 0;
/** Takes permits as a request with that key does. */
async function take(keyText: string, need: number, rest: Partial<LeaseQuery> = {}): Promise<void> {
  const windows = everyWindow.slice(0, 1);
  const one = {
    isolate: "a",
    seq: ++seq,
    need,
    rate: 0,
    exact: true,
    spent: 0,
    reports: [],
    windows,
    policyVersion: 1,
  };
  const { granted } = await leasePermits(env, await limitKeyOf("per-client", keyText), { ...one, ...rest });
  expect(granted).toBeGreaterThanOrEqual(need);
}
const pathOf = (key: string, limit = "per-client") => `/v1/limits/${limit}/${encodeURIComponent(key)}`;

interface Answer {
  readonly limit: string;
  readonly key: string;
  readonly policyVersion: number | null;
  readonly windows: readonly ({ readonly charged: number } & Record<string, unknown>)[];
  readonly leases: readonly { readonly isolate: string; readonly permits: number; readonly expiresAt: string }[];
}
async function look(key: string): Promise<Answer> {
  const response = await call("GET", pathOf(key), { role: "viewer" });
  expect(response.status).toBe(200);
  return response.json<Answer>();
}
const charged = async (key: string) => (await look(key)).windows.map((window) => window.charged);

let client = "";
beforeEach(() => {
  client = `header:x-client-id=${crypto.randomUUID()}`;
});

describe("GET", () => {
  test("shows every window in the words of the configuration", async () => {
    await take(client, 4, { windows: everyWindow, policyVersion: 7 });
    const resetSeconds = expect.any(Number);
    const answer = await look(client);
    expect(answer).toEqual({
      limit: "per-client",
      key: client,
      policyVersion: 7,
      windows: [
        { kind: "sliding-window", limit: 10, windowSeconds: 60, charged: 4, free: 6, resetSeconds },
        { kind: "fixed-window", limit: 1_000, windowSeconds: 86_400, charged: 4, free: 996, resetSeconds },
        {
          kind: "calendar-window",
          limit: 5_000,
          per: "month",
          timeZone: "Europe/Oslo",
          charged: 4,
          free: 4_996,
          resetSeconds,
        },
        {
          kind: "token-bucket",
          rate: 0.5,
          burst: 50,
          charged: expect.closeTo(4, 0),
          free: expect.any(Number),
          resetSeconds,
        },
      ],
      leases: [],
    });
    expect(answer.windows[0]?.resetSeconds).toBeGreaterThan(50);
    expect(answer.windows[0]?.resetSeconds).toBeLessThanOrEqual(60.5);
  });

  test("shows the leases that are out", async () => {
    const startMs = Date.now();
    await take(client, 1, {
      exact: false,
      rate: 1,
      windows: [{ kind: "fixed-window", limit: 1_000, windowMs: 86_400_000 }],
    });
    const { leases, windows } = await look(client);
    expect(leases).toEqual([{ isolate: "a", permits: windows[0]?.charged, expiresAt: expect.any(String) }]);
    expect(Date.parse(leases[0]!.expiresAt)).toBeGreaterThan(startMs);
  });

  test("of a key that nobody has used says so", async () => {
    expect(await look(client)).toEqual({
      limit: "per-client",
      key: client,
      policyVersion: null,
      windows: [],
      leases: [],
    });
  });

  test("spends nothing", async () => {
    await take(client, 9);
    for (let times = 0; times < 3; times++) expect(await charged(client)).toEqual([9]);
    await take(client, 1);
  });
});

describe("DELETE", () => {
  test("forgets what that key has spent, and of no other; again is harmless", async () => {
    await take(client, 10);
    await take(`${client}0`, 10);
    for (let times = 0; times < 2; times++) {
      const response = await call("DELETE", pathOf(client));
      expect([response.status, await response.text()]).toEqual([204, ""]);
    }
    expect(await charged(client)).toEqual([0]);
    expect(await charged(`${client}0`)).toEqual([10]);
    await take(client, 10);
  });
});

describe("keys", () => {
  test.each([
    "global",
    "shared",
    "route=users",
    "ip=192.0.2.7",
    "ip=2001:db8:1:2::/64",
    "cookie:sid=a=b",
    "query:k=a/b?c#d&e",
    "query:k=100%25",
    "query:k=%2F",
    "query:k= ",
    "path-param:id=../..",
    "header:x-client-id=é😀",
    "header:x-client-id=a|b",
    "query:k=\u0000",
    `query:k=${"long".repeat(1_000)}`,
  ])("are taken as they are: %s", async (key) => {
    await take(key, 3);
    expect(await look(key)).toMatchObject({ key, windows: [{ charged: 3 }] });
  });

  test.each([
    ["names of headers without case", "header:X-Client-ID=Gold", "header:x-client-id=Gold"],
    ["addresses by their /64", "ip=2001:DB8::7", "ip=2001:db8:0:0::/64"],
  ])("name the same object as those of requests: %s", async (_, written, key) => {
    await take(key, 2);
    expect(await look(written)).toMatchObject({ key, windows: [{ charged: 2 }] });
  });

  test.each(["nonsense", "header:x-client-id", "header:=a", "ip=", "=a", "global=a", "user=7", "ip"])(
    "that no request has are refused: %s",
    async (key) => {
      for (const method of ["GET", "DELETE"]) {
        const { detail } = await problemOf(await call(method, pathOf(key)), "invalid_request");
        expect(detail).toContain("header:x-client-id=gold-1");
      }
    },
  );

  test("are bounded", async () => {
    expect(await errorsOf(await call("GET", pathOf(`query:k=${"k".repeat(8_192)}`)), "invalid_request")).toHaveProperty(
      "#/key",
    );
  });
});

describe("a limit", () => {
  test("that the configuration does not declare is unknown", async () => {
    for (const method of ["GET", "DELETE"]) {
      const { detail } = await problemOf(await call(method, pathOf("global", "per-nobody")), "limit_unknown");
      expect(detail).toContain('"per-nobody"');
    }
  });

  test("that has just been declared elsewhere is known", async () => {
    const text = JSON.stringify({
      rateLimits: { "per-client": perMinute, fresh: { algorithm: "token-bucket", rate: 1 } },
    });
    const plane = env.CONTROL_PLANE.getByName("control-plane");
    await plane.apply({ text, ifRevision: null, dryRun: false, author: "admin", note: null });
    expect((await call("GET", pathOf("global", "fresh"))).status).toBe(200);
  });

  test("whose object does not answer is unavailable", async () => {
    const away = { getByName: () => ({ peek: () => Promise.reject("away"), reset: () => Promise.reject("away") }) };
    for (const method of ["GET", "DELETE"]) {
      const response = await callWith({ RATE_LIMITER: away }, method, pathOf(client));
      await problemOf(response, "control_plane_unavailable");
    }
  });
});

describe("names of objects", () => {
  test("differ for every limit and key, and are bounded", async () => {
    const long = "x".repeat(500);
    const pairs = [
      ["a", "ip=b"],
      ["a", "ip=b|c"],
      ["a.b", "ip=b"],
      ["a", `ip=${"x".repeat(195)}`],
      ["a", `ip=${"x".repeat(196)}`],
      ["a", `ip=${long}`],
      ["b", `ip=${long}`],
      ["a", `ip=${long}x`],
    ] as const;
    const names = await Promise.all(pairs.map(([limit, key]) => limitKeyOf(limit, key)));
    expect(names.slice(0, 4)).toEqual(pairs.slice(0, 4).map(([limit, key]) => `${limit}|${key}`));
    expect(new Set(names).size).toBe(pairs.length);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(200);
    // A key that looks like a hashed name is none: it has its limit before it.
    expect(await limitKeyOf("sha256", names[5]!.slice(7))).not.toBe(names[5]);
  });
});

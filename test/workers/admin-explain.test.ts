import { createExecutionContext, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newAdmin } from "../../src/admin/index.ts";
import { limitKeyOf } from "../../src/clients/limit-key.ts";
import { leasePermits } from "../../src/clients/rate-limiter.ts";
import { forceBreaker } from "../../src/clients/service-health.ts";
import { explain as explainCall } from "../../src/pipeline/explain.ts";
import { ExplainAnswer } from "../../src/schema/api.ts";
import { refreshSnapshot } from "../../src/snapshot/cache.ts";
import { compileDocument } from "../../src/snapshot/compile.ts";
import { buildSnapshot } from "../../src/snapshot/view.ts";
import { apply, call, callWith, errorsOf, problemOf, tokens } from "./admin-support.ts";

type Answer = z.output<typeof ExplainAnswer>;

const windows = [{ limit: 10, seconds: 60 }];
const users = {
  origins: [
    { id: "a", url: "https://a.example.com/base", version: "v1", weight: 3, zone: "eu" },
    { id: "b", url: "https://b.example.com", version: "v1", weight: 1 },
    { id: "c", url: "https://c.example.com", version: "v2" },
    { id: "idle", url: "https://idle.example.com", version: "v1", weight: 0 },
  ],
  defaultVersion: "v1",
  loadBalancing: { policy: "random" },
};
const document = {
  gateway: { trustedProxyHops: 1, allowFaults: true },
  services: {
    users,
    hashed: {
      origins: [1, 2, 3].map((index) => ({ id: `h${index}`, url: `https://h${index}.example.com` })),
      loadBalancing: { policy: "consistent-hash", hashOn: ["header:x-user"] },
    },
    broken: { origins: [{ id: "x", url: "https://x.example.com" }], circuitBreaker: {} },
    empty: {},
  },
  rateLimits: {
    client: { windows, key: ["header:x-client", "ip"], cost: { header: "x-cost" } },
    keyed: { windows, key: ["header:x-client"], onMissingKey: "deny" },
    watched: { windows, key: ["global"], mode: "shadow" },
  },
  routes: [
    {
      name: "users",
      hosts: ["api.example.com"],
      matches: [{ path: { prefix: "/users" } }],
      service: "users",
      traffic: [
        { versionFrom: { header: "api-version" } },
        { when: { country: ["NO"], ip: ["10.0.0.0/8"] }, version: "v2" },
        {
          split: [
            { version: "v1", weight: 1 },
            { version: "v2", weight: 1 },
          ],
          stickyBy: ["header:x-user"],
        },
      ],
      rewrite: { path: { replacePrefixMatch: "/people" }, setHeaders: { "x-set": "1" }, removeHeaders: ["x-drop"] },
    },
    {
      name: "tenant",
      matches: [{ path: { prefix: "/users" }, headers: [{ name: "x-tenant", exact: "acme" }] }],
      service: "users",
    },
    { name: "wild", hosts: ["*.example.com"], matches: [{ path: { pattern: "/users/:id" } }], service: "users" },
    {
      name: "limited",
      matches: [{ path: { exact: "/limited" } }],
      service: "users",
      rateLimits: ["client", "watched"],
    },
    { name: "keyed", matches: [{ path: { exact: "/keyed" } }], service: "users", rateLimits: ["keyed"] },
    { name: "hashed", matches: [{ path: { exact: "/hashed" } }], service: "hashed" },
    { name: "broken", matches: [{ path: { exact: "/broken" } }], service: "broken" },
    { name: "empty", matches: [{ path: { exact: "/empty" } }], service: "empty", fallback: { service: "users" } },
    {
      name: "static",
      matches: [{ path: { exact: "/static" } }],
      service: "empty",
      fallback: { status: 200, body: {} },
    },
    {
      name: "old",
      matches: [{ path: { exact: "/old" } }],
      redirect: { path: { replaceFullPath: "/new" }, statusCode: 301 },
    },
    {
      name: "cors",
      matches: [{ path: { exact: "/cors" }, methods: ["PUT"] }],
      service: "users",
      cors: { allowOrigins: ["https://app.example.com"], allowMethods: ["PUT"] },
    },
    {
      name: "faulty",
      matches: [{ path: { exact: "/faulty" } }],
      service: "users",
      faults: [{ abort: { status: 418 }, percent: 100 }],
    },
  ],
};

/** A placeholder in a document. */
const variable = (name: string) => `\${${name}}`;
/** A document with some. */
const secretive = {
  services: { users: { origins: [{ id: "a", url: variable("URL") }] } },
  routes: [
    {
      name: "secret",
      matches: [{ path: { exact: "/secret" }, headers: [{ name: "x-key", exact: variable("KEY") }] }],
      service: "users",
      rewrite: {
        path: { replaceFullPath: variable("PATH") },
        ...{ setHeaders: { authorization: variable("KEY"), "x-more": "a" }, addHeaders: { "x-more": variable("KEY") } },
      },
    },
    { name: "path", matches: [{ path: { prefix: variable("PATH") } }], service: "users" },
    { name: "host", hosts: [variable("HOST")], service: "users" },
  ],
};

beforeAll(async () => {
  await apply(document);
});
afterAll(reset);

async function explain(path: string, more: Record<string, unknown> = {}): Promise<Answer> {
  const url = `https://api.example.com${path}`;
  const response = await call("POST", "/v1/explain", { role: "viewer", body: { url, ...more } });
  if (response.status !== 200) throw new Error(await response.text());
  // What is promised is what is there, no more and no less.
  const answer = await response.json();
  const parsed = ExplainAnswer.parse(answer);
  expect(answer).toEqual(parsed);
  return parsed;
}

describe("the request", () => {
  test("is read as the gateway reads it: the client is who the trusted proxies name", async () => {
    const { request } = await explain("/users/7?x=1", {
      method: "PUT",
      headers: { "x-forwarded-for": "203.0.113.9, 192.0.2.7", "cf-connecting-ip": "198.51.100.1" },
      ip: "10.0.0.1",
      ...{ continent: "EU", country: "NO", region: "03", colo: "OSL" },
    });
    expect(request).toEqual({
      ...{ method: "PUT", host: "api.example.com", path: "/users/7", clientIp: "192.0.2.7" },
      ...{ continent: "EU", country: "NO", region: "03", colo: "OSL" },
    });
  });
  test("may say nothing but its URL", async () => {
    const { request } = await explain("/x");
    expect(request).toMatchObject({ method: "GET", clientIp: null, country: null });
  });
  test("is refused when it has gone round in circles", async () => {
    const { outcome, request } = await explain("/users", {
      headers: { via: "1.1 sluice, 1.1 sluice, 1.1 sluice, 1.1 sluice" },
    });
    expect({ outcome, request }).toEqual({
      outcome: { kind: "error", status: 508, error: "loop_detected", fallback: null },
      request: null,
    });
  });
  test.each<[Record<string, unknown>, string]>([
    [{ url: "users" }, "#/url"],
    [{ url: "ftp://api.example.com/" }, "#/url"],
    [{ url: "https://a:b@api.example.com/" }, "#/url"],
    [{ url: "https://api.example.com/_sluice/health" }, "#/url"],
    [{ url: "https://api.example.com/%5Fsluice" }, "#/url"],
    [{ url: "https://a.example.com/", ip: "nobody" }, "#/ip"],
    [{ url: "https://a.example.com/", method: "GET IT" }, "#/method"],
    [{ url: "https://a.example.com/", headers: { "x y": "1" } }, "#/headers/x y"],
    [{ url: "https://a.example.com/", headers: { x: "a\nb" } }, "#/headers/x"],
    [{ url: "https://a.example.com/", country: "no" }, "#/country"],
  ])("that is none is refused: %j", async (body, pointer) => {
    const errors = await errorsOf(await call("POST", "/v1/explain", { body }), "invalid_request");
    expect(Object.keys(errors)).toEqual([pointer]);
  });
  test("cannot be explained before the first configuration", async () => {
    const none = {
      current: async () => null,
      refresh: async () => {},
      status: () => ({ snapshot: null, ageMs: 0, problems: [] }),
    };
    const headers = { authorization: `Bearer ${tokens.viewer}` };
    const asked = new Request("https://x.test/_sluice/v1/explain", {
      ...{ method: "POST", headers, body: '{"url":"https://a.test/"}' },
    });
    await problemOf(
      await newAdmin(none, explainCall).fetch(asked, env, createExecutionContext()),
      "gateway_unconfigured",
    );
  });
});

describe("routes", () => {
  test("the winner with its parameters, and of each loser why", async () => {
    const { routes, outcome, version } = await explain("/users/7");
    expect(outcome.kind).toBe("forward");
    expect(routes?.winner).toEqual({ route: "users", host: "api.example.com", path: "prefix /users", params: {} });
    expect(routes?.losers.slice(0, 2)).toEqual([
      {
        ...{ route: "wild", host: "*.example.com", path: "pattern /users/:id", lost: "outranked", criterion: "host" },
        detail: "matches, but is outranked by users: exact host before wildcard host",
      },
      {
        ...{ route: "tenant", host: null, path: "prefix /users", lost: "unmatched", criterion: "header" },
        detail: "does not match: header x-tenant is absent, want exact acme",
      },
    ]);
    expect(routes?.losers).toHaveLength(document.routes.length - 1);
    expect(version?.service).toBe("users");
    const other = await call("POST", "/v1/explain", { body: { url: "https://x.example.com/users/7" } });
    expect((await other.json<Answer>()).routes?.winner).toMatchObject({ route: "wild", params: { id: "7" } });
  });
  test("none", async () => {
    const { outcome, routes, version } = await explain("/nowhere");
    expect(outcome).toEqual({ kind: "error", status: 404, error: "route_not_found", fallback: null });
    expect(routes?.winner).toBeNull();
    expect(version).toBeNull();
  });
  test("a preflight is matched by the method that it asks for, and its answer is shown", async () => {
    const headers = { origin: "https://app.example.com", "access-control-request-method": "PUT" };
    const { outcome, routes, answered, sent } = await explain("/cors", { method: "OPTIONS", headers });
    expect(outcome).toEqual({ kind: "preflight", status: 204, error: null, fallback: null });
    expect(routes?.winner?.route).toBe("cors");
    expect(answered).toMatchObject({ "access-control-allow-methods": "PUT" });
    expect(sent).toBeNull();
    const plain = await explain("/cors", { method: "OPTIONS" });
    expect(plain.routes?.losers[0]?.detail).toBe("does not match: method is OPTIONS, want PUT");
  });
  test("a redirect", async () => {
    const { outcome, answered, version } = await explain("/old?q=1");
    expect(outcome).toEqual({ kind: "redirect", status: 301, error: null, fallback: null });
    expect(answered).toEqual({ location: "https://api.example.com/new?q=1" });
    expect(version).toBeNull();
  });
});

describe("the version", () => {
  test("the request's own", async () => {
    const { version, origins } = await explain("/users", { headers: { "api-version": "v2" } });
    expect(version).toEqual({ service: "users", version: "v2", reason: "header", rule: 0, passed: [], split: null });
    expect(origins?.candidates.map(({ id }) => id)).toEqual(["c"]);
  });
  test("one that nobody has", async () => {
    const { outcome, version, origins } = await explain("/users", { headers: { "api-version": "v9" } });
    expect(outcome).toMatchObject({ status: 400, error: "version_unknown" });
    expect(version).toMatchObject({ version: null, reason: null, rule: 0 });
    expect(origins).toBeNull();
  });
  test("by a condition on the place and the address", async () => {
    const { version } = await explain("/users", { country: "NO", ip: "10.1.2.3" });
    expect(version).toMatchObject({ version: "v2", reason: "when", rule: 1 });
    expect(version?.passed).toEqual([{ rule: 0, why: "header api-version is absent" }]);
  });
  test("by a sticky split, with the key, its bucket and who has which", async () => {
    const { version } = await explain("/users", { headers: { "x-user": "ann" }, country: "NO", ip: "192.0.2.1" });
    expect(version).toMatchObject({ reason: "sticky", rule: 2 });
    expect(version?.passed[1]).toEqual({ rule: 1, why: "ip is 192.0.2.1, in none of the ranges" });
    const { key, bucket, ranges } = version!.split!;
    expect(key).toEqual({ source: "header:x-user", value: "ann" });
    expect(ranges.find(({ from, to }) => from <= bucket! && bucket! < to)?.version).toBe(version!.version);
  });
  test("by a draw: the likeliest, always the same", async () => {
    const drawn = await Promise.all(Array.from({ length: 10 }, () => explain("/users")));
    expect(new Set(drawn.map(({ version }) => version?.version))).toEqual(new Set(["v1"]));
    expect(drawn[0]?.version).toMatchObject({ reason: "split", split: { key: null, bucket: null } });
  });
  test("the default", async () => {
    const { version } = await explain("/limited");
    expect(version).toMatchObject({ version: "v1", reason: "default", rule: null, split: null });
  });
});

describe("origins", () => {
  test("each with its weight, zone and state, whether it may be asked and how likely", async () => {
    const { origins } = await explain("/limited");
    expect(origins).toMatchObject({ policy: "random", zone: null, hashKey: null, panic: false, more: 0 });
    expect(origins?.candidates).toEqual([
      {
        ...{ id: "a", url: "https://a.example.com/base", version: "v1", weight: 3, zone: "eu", state: "ready" },
        ...{ ejected: false, breaker: null, usable: true, chance: 0.75 },
      },
      expect.objectContaining({ id: "b", usable: true, chance: 0.25 }),
      expect.objectContaining({ id: "idle", weight: 0, usable: false, chance: 0 }),
    ]);
  });
  test("the one that a key is hashed to", async () => {
    const { origins } = await explain("/hashed", { headers: { "x-user": "ann" } });
    expect(origins?.hashKey).toBe("ann");
    expect(origins?.candidates.map(({ chance }) => chance).sort()).toEqual([0, 0, 1]);
    const without = await explain("/hashed");
    expect(without.origins?.candidates.map(({ chance }) => chance)).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });
  test("none, and who would answer instead", async () => {
    expect((await explain("/empty")).outcome).toEqual({
      kind: "error",
      status: null,
      error: "no_origin",
      fallback: "users",
    });
    expect((await explain("/static")).outcome).toEqual({
      kind: "error",
      status: 200,
      error: "no_origin",
      fallback: "static",
    });
  });
  test("a breaker that is open", async () => {
    expect((await explain("/broken")).origins?.candidates[0]).toMatchObject({ breaker: "closed", usable: true });
    await forceBreaker(env, "broken", null, "forced-open");
    const outcome = async () => {
      await refreshSnapshot(env);
      return (await explain("/broken")).outcome;
    };
    await expect
      .poll(outcome, { timeout: 5_000 })
      .toEqual({ kind: "error", status: 503, error: "circuit_open", fallback: null });
    expect((await explain("/broken")).origins?.candidates[0]).toMatchObject({ breaker: "forced-open", usable: false });
  });
});

describe("what is sent", () => {
  test("the target after rewriting, the headers, and what changes them", async () => {
    const headers = { "x-drop": "1", "x-keep": "2", "x-forwarded-for": "spoofed", "x-request-id": "r-1" };
    const { sent } = await explain("/users/7?q=%20", { headers, ip: "192.0.2.1" });
    expect(sent).toMatchObject({
      method: "GET",
      target: "/people/7?q=%20",
      edits: { set: { "x-set": "1" }, add: {}, remove: ["x-drop"] },
      headers: {
        "x-keep": "2",
        "x-set": "1",
        "x-request-id": "r-1",
        via: "1.1 sluice",
        "x-forwarded-host": "api.example.com",
      },
    });
    expect(sent?.headers).not.toHaveProperty("x-drop");
    expect(sent?.headers).not.toHaveProperty("host");
    expect((await explain("/users")).sent?.headers["x-request-id"]).toBe("<new>");
  });
  test("a fault that hits every request", async () => {
    const { outcome, fault, sent } = await explain("/faulty");
    expect(outcome).toEqual({ kind: "error", status: 418, error: "fault_injected", fallback: null });
    expect(fault).toEqual({ percent: 100, delayMs: 0, abortStatus: 418 });
    expect(sent?.target).toBe("/faulty");
  });
  test("what comes from a variable is shown as its placeholder", async () => {
    const secrets = {
      KEY: "the-key",
      HOST: "Hidden.Example.com",
      URL: "https://inner.example.com/x",
      PATH: "/hidden/",
    };
    const compiled = compileDocument(JSON.stringify(secretive), secrets);
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
    const snapshot = buildSnapshot(1, 1, compiled.config, new Map());
    const told = async (path: string, headers: Record<string, string> = {}) => {
      const url = new URL(`https://api.example.com${path}`);
      return await explainCall(new Request(url, { headers }), snapshot, env);
    };
    const [lost, won] = [await told("/secret", { "x-key": "wrong" }), await told("/secret", { "x-key": "the-key" })];
    expect(lost.routes?.losers.map(({ detail }) => detail)).toEqual([
      `does not match: header x-key is "wrong", want exact \${KEY}`,
      `does not match: path is "/secret", want prefix \${PATH}`,
      `does not match: host is "api.example.com", want \${HOST}`,
    ]);
    expect(won.sent?.headers).toMatchObject({
      authorization: variable("KEY"),
      "x-key": "the-key",
      "x-more": `a, ${variable("KEY")}`,
    });
    expect(won.origins?.candidates[0]).toMatchObject({ id: "a", url: variable("URL") });
    expect(won.sent?.target).toBe(variable("PATH"));
    for (const secret of [...Object.values(secrets), "hidden.example.com"]) {
      expect(JSON.stringify(lost)).not.toContain(secret);
      if (secret !== secrets.KEY) expect(JSON.stringify(won)).not.toContain(secret);
    }
  });
});

test("of headers that a redirect answers and of names nothing is shown that comes from a variable", async () => {
  const secrets = { HOST: "hidden.example.com", NAME: "x-hidden" };
  const document = {
    services: { s: {} },
    routes: [
      { name: "away", matches: [{ path: { prefix: "/away" } }], redirect: { hostname: variable("HOST") } },
      {
        ...{ name: "named", service: "s", matches: [{ headers: [{ name: variable("NAME"), exact: "1" }] }] },
        rewrite: { removeHeaders: [variable("NAME")] },
      },
    ],
  };
  const compiled = compileDocument(JSON.stringify(document), secrets);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
  const snapshot = buildSnapshot(1, 1, compiled.config, new Map());
  for (const [path, headers] of [
    ["/away", {}],
    ["/named", {}],
    ["/named", { "x-hidden": "1" }],
  ] as const) {
    const url = new URL(`https://api.example.com${path}`);
    const { request: _, sent, ...told } = await explainCall(new Request(url, { headers }), snapshot, env);
    for (const secret of Object.values(secrets)) expect(JSON.stringify([told, sent?.edits])).not.toContain(secret);
  }
});

describe("limits", () => {
  let client = "";
  beforeEach(() => {
    client = crypto.randomUUID();
  });
  const take = async (need: number) => {
    const query = { isolate: "a", seq: 1, need, rate: 0, exact: true, spent: 0, reports: [], policyVersion: 1 };
    const spec = [{ kind: "sliding-window" as const, limit: 10, windowMs: 60_000 }];
    await leasePermits(env, await limitKeyOf("client", `header:x-client=${client}`), { ...query, windows: spec });
  };

  test("each with its key and cost, and what is left; asking takes nothing", async () => {
    await take(7);
    const headers = { "x-client": client, "x-cost": "3" };
    const before = await explain("/limited", { headers });
    expect(before.limits).toEqual([
      {
        ...{ limit: "client", key: `header:x-client=${client}`, mode: "enforce", cost: 3, allowed: true, leased: 0 },
        windows: [
          expect.objectContaining({ kind: "sliding-window", limit: 10, windowSeconds: 60, charged: 7, free: 3 }),
        ],
      },
      expect.objectContaining({ limit: "watched", key: "global", mode: "shadow", allowed: true, windows: [] }),
    ]);
    expect((await explain("/limited", { headers })).limits[0]?.windows).toMatchObject([{ charged: 7, free: 3 }]);
    const larger = await explain("/limited", { headers: { ...headers, "x-cost": "4" } });
    expect(larger.limits[0]?.allowed).toBe(false);
    expect(larger.outcome).toMatchObject({ kind: "error", status: 429, error: "rate_limited" });
    expect(larger.sent?.target).toBe("/limited");
  });
  test("a key that nobody has used is free, but not for more than the limit holds", async () => {
    const asked = (cost: string) => explain("/limited", { headers: { "x-client": client, "x-cost": cost } });
    expect((await asked("10")).limits[0]).toMatchObject({ allowed: true, windows: [] });
    expect((await asked("11")).limits[0]?.allowed).toBe(false);
  });
  test("an address counts as its network, as in requests", async () => {
    const { limits } = await explain("/limited", { ip: "2001:db8::1" });
    expect(limits[0]?.key).toBe("ip=2001:db8:0:0::/64");
  });
  test("a request without a key is refused where the limit says so", async () => {
    const { limits, outcome } = await explain("/keyed");
    expect(limits).toEqual([
      { limit: "keyed", key: null, mode: "enforce", cost: 1, allowed: false, windows: null, leased: 0 },
    ]);
    expect(outcome.error).toBe("rate_limited");
  });
  test("whose object does not answer says so, and nothing is refused for it", async () => {
    const away = { getByName: () => ({ peek: () => Promise.reject(new Error("away")) }) };
    const body = { url: "https://api.example.com/limited" };
    const response = await callWith({ RATE_LIMITER: away }, "POST", "/v1/explain", { body });
    const { limits, outcome } = await response.json<Answer>();
    expect(limits[0]).toMatchObject({ allowed: null, windows: null });
    expect(outcome.kind).toBe("forward");
  });
});

test("a body that is no request is refused like any other", async () => {
  await problemOf(await call("POST", "/v1/explain", { body: "{" }), "invalid_request");
  await problemOf(await call("POST", "/v1/explain", { body: "x".repeat(300_000) }), "payload_too_large");
});

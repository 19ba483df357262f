/** A request's way through the stages, inside workerd. What goes over the wire is in test/e2e/forwarding. */
import { createExecutionContext, reset } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { parseDictionary } from "structured-headers";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { HeaderSection } from "../../src/header-section.ts";
import { handle } from "../../src/pipeline/index.ts";
import { targetFor } from "../../src/target.ts";

const gateway = "https://gateway.example.com";
const origin = inject("originUrl");
const users = { url: origin, weight: 1 };

const config = {
  gateway: { debugHeaders: true, maxBodyBytes: 1_000 },
  services: {
    users: {
      origins: [
        { ...users, id: "a", version: "v1" },
        { ...users, id: "b", version: "v2" },
        { id: "gone", url: "http://127.0.0.1:1", version: "refused" },
        { ...users, id: "idle", version: "empty", weight: 0 },
      ],
      defaultVersion: "v1",
      versions: { v2: { deprecation: "2027-01-01T00:00:00Z", sunset: "2027-07-01T00:00:00Z" } },
    },
    any: { origins: [{ ...users, id: "x" }], loadBalancing: { policy: "round-robin" } },
    nobody: {},
    few: { origins: [{ ...users, id: "y" }], maxConcurrentRequests: 5 },
  },
  routes: [
    {
      name: "users",
      matches: [{ path: { prefix: "/users" }, methods: ["GET", "POST", "PUT"] }],
      service: "users",
      traffic: [
        { versionFrom: { header: "api-version" } },
        { when: { cookies: [{ name: "beta", exact: "1" }] }, version: "v2" },
        { when: { ip: ["192.0.2.0/24"], country: ["NO"] }, version: "v2" },
        { when: { headers: [{ name: "x-none", present: true }] }, version: "empty", onEmpty: "next" },
        { when: { query: [{ name: "split", exact: "1" }] }, version: "v1" },
      ],
      timeouts: { requestMs: 300 },
      cors: { allowOrigins: ["https://app.example.com"], allowMethods: ["PUT"] },
    },
    {
      name: "split",
      matches: [{ path: { pattern: "/split/:id" } }],
      service: "users",
      rewrite: { setHeaders: { "x-from": "route" } },
      traffic: [
        {
          split: [
            { version: "v1", weight: 1, rewrite: { path: { replaceFullPath: "/one" } } },
            { version: "v2", weight: 1, rewrite: { setHeaders: { "x-from": "entry" } } },
          ],
          stickyBy: ["path-param:id"],
        },
      ],
    },
    {
      name: "any",
      matches: [{ path: { prefix: "/any" } }],
      service: "any",
      response: { setHeaders: { "x-set": "1" } },
    },
    { name: "few", matches: [{ path: { prefix: "/few" } }], service: "few" },
    { name: "nobody", matches: [{ path: { prefix: "/nobody" } }], service: "nobody" },
    {
      name: "status",
      matches: [{ path: { prefix: "/status" } }, { path: { prefix: "/late" } }],
      service: "any",
      timeouts: { requestMs: 300 },
    },
    {
      name: "believes",
      matches: [{ path: { prefix: "/believes" } }],
      service: "users",
      rewrite: { addHeaders: { cookie: "z=1", "x-a": "2" } },
      traffic: [
        { when: { headers: [{ name: "x-forwarded-host", exact: "internal" }] }, version: "v2" },
        { when: { headers: [{ name: "x_forwarded_proto", exact: "gopher" }] }, version: "v2" },
        { versionFrom: { header: "sluice-version" } },
        { when: { headers: [{ name: "x-forwarded-proto", exact: "https" }] }, version: "v1" },
        { version: "empty" },
      ],
    },
    {
      name: "old",
      matches: [{ path: { prefix: "/old" } }],
      response: { setHeaders: { "x-set": "1" } },
      redirect: { hostname: "new.example.com", path: { replacePrefixMatch: "/new" } },
    },
  ],
};

const admin = (path: string, init: RequestInit = {}) =>
  exports.default.fetch(`${gateway}/_sluice${path}`, {
    headers: { authorization: `Bearer ${env.ADMIN_TOKEN}` },
    ...init,
  });

async function ask(path: string, init: RequestInit = {}) {
  const response = await exports.default.fetch(gateway + path, { redirect: "manual", ...init });
  const text = await response.text();
  const decision = response.headers.get("sluice-decision");
  const members =
    decision === null ? {} : Object.fromEntries([...parseDictionary(decision)].map(([name, [value]]) => [name, value]));
  return {
    response,
    status: response.status,
    error: response.headers.get("sluice-error"),
    decision: members,
    seen: (text.startsWith("{") ? JSON.parse(text) : {}) as {
      url?: string;
      headers?: Record<string, string>;
      body?: string;
      code?: string;
    },
  };
}

beforeAll(async () => {
  const applied = await admin("/v1/config", { method: "PUT", body: JSON.stringify(config) });
  expect(applied.status, await applied.text()).toBe(200);
});
afterAll(() => reset());

describe("which version answers, and why", () => {
  it.each([
    [{}, "v1", "default"],
    [{ "api-version": "v2" }, "v2", "header"],
    [{ cookie: "a=1; beta=1" }, "v2", "when"],
    [{ "x-none": "1" }, "v1", "default"],
  ])("%j -> %s by %s", async (headers, version, reason) => {
    const { status, decision, error } = await ask("/users/7", { headers });
    expect({ status, error, version: decision.version, reason: decision.reason }).toEqual({
      status: 200,
      error: null,
      version,
      reason,
    });
    expect(decision).toMatchObject({ route: "users", service: "users", tries: 1, calls: 0 });
  });

  it("a client's address and country count together", async () => {
    const from = (ip: string, country: string) =>
      ask("/users/7", { headers: { "cf-connecting-ip": ip }, cf: { country } } as RequestInit);
    expect((await from("192.0.2.7", "NO")).decision.version).toBe("v2");
    expect((await from("192.0.2.7", "SE")).decision.version).toBe("v1");
    expect((await from("198.51.100.7", "NO")).decision.version).toBe("v1");
  });

  it("a version that does not exist is refused, one without an origin is 503, never another version", async () => {
    expect(await ask("/users/7", { headers: { "api-version": "v9" } })).toMatchObject({
      status: 400,
      error: "version_unknown",
    });
    expect(await ask("/users/7", { headers: { "api-version": "empty" } })).toMatchObject({
      status: 503,
      error: "no_origin",
    });
    expect(await ask("/nobody")).toMatchObject({ status: 503, error: "no_origin", decision: { reason: "any" } });
  });

  it("an entry of a split rewrites in its own way, and the same key stays with it", async () => {
    const seen = new Set<string>();
    for (let id = 0; id < 40; id++) {
      const { decision, seen: got } = await ask(`/split/${id}?q=1`);
      const again = await ask(`/split/${id}`);
      expect(again.decision.version).toBe(decision.version);
      expect(decision.reason).toBe("sticky");
      const expected = decision.version === "v1" ? ["/one?q=1", "route"] : [`/split/${id}?q=1`, "entry"];
      expect([got.url, got.headers?.["x-from"]]).toEqual(expected);
      seen.add(String(decision.version));
    }
    expect(seen.size).toBe(2);
  });
});

describe("what the gateway answers itself", () => {
  it.each([
    ["/nowhere", {}, 404, "route_not_found"],
    ["/users/7", { method: "DELETE" }, 404, "route_not_found"],
    ["/users/7", { headers: { "api-version": "refused" } }, 502, "upstream_unreachable"],
    ["/users/7", { headers: { via: Array(4).fill("1.1 sluice").join(", ") } }, 508, "loop_detected"],
    ["/users/7", { method: "POST", body: "x".repeat(1_001) }, 413, "payload_too_large"],
    ["/late/2000", {}, 504, "request_timeout"],
    ["/status/700", {}, 502, "upstream_invalid_response"],
  ])("%s %j -> %i %s", async (path, init, status, code) => {
    const { response, error, seen } = await ask(path, init);
    expect({ status: response.status, error, code: seen.code }).toEqual({ status, error: code, code });
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(JSON.stringify(seen)).not.toContain("127.0.0.1");
  });

  it("a body of unknown length is refused while it streams", async () => {
    const body = new ReadableStream({
      start(controller) {
        for (let part = 0; part < 20; part++) controller.enqueue(new TextEncoder().encode("x".repeat(100)));
        controller.close();
      },
    });
    expect(await ask("/users/7", { method: "POST", body })).toMatchObject({ status: 413, error: "payload_too_large" });
  });

  it("redirects keep the query", async () => {
    const { response } = await ask("/old/a?b=1");
    expect([response.status, response.headers.get("location")]).toEqual([302, "https://new.example.com/new/a?b=1"]);
    expect(response.headers.get("x-set")).toBe("1");
  });
});

describe("what is passed on", () => {
  it("bodies, with the length known or not", async () => {
    expect((await ask("/users/7", { method: "PUT", body: "known" })).seen).toMatchObject({
      method: "PUT",
      body: "known",
    });
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("streamed"));
        controller.close();
      },
    });
    expect((await ask("/users/7", { method: "POST", body })).seen.body).toBe("streamed");
  });

  it("an origin's own errors, as they came but for what it may not say", async () => {
    const { status, error } = await ask("/status/503");
    expect([status, error]).toEqual([503, null]);
  });

  it("the headers of the response are edited, versions give notice", async () => {
    expect((await ask("/any")).response.headers.get("x-set")).toBe("1");
    const { response } = await ask("/users/7", { headers: { "api-version": "v2" } });
    expect(response.headers.get("deprecation")).toBe("@1798761600");
    expect(response.headers.get("sunset")).toBe("Thu, 01 Jul 2027 00:00:00 GMT");
  });

  it("the request's id, kept or made", async () => {
    const kept = await ask("/any", { headers: { "x-request-id": "mine" } });
    expect([kept.response.headers.get("x-request-id"), kept.seen.headers?.["x-request-id"]]).toEqual(["mine", "mine"]);
    const made = await ask("/any", { headers: { "x-request-id": "not ok" } });
    expect(made.seen.headers?.["x-request-id"]).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe("CORS", () => {
  const from = { origin: "https://app.example.com" };

  it("a preflight is answered by the route that will take the request", async () => {
    const { status, response } = await ask("/users/7", {
      method: "OPTIONS",
      headers: { ...from, "access-control-request-method": "PUT" },
    });
    expect(status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe(from.origin);
    expect(response.headers.get("access-control-allow-methods")).toBe("PUT");
  });

  it("a preflight for a route without a policy is an ordinary request", async () => {
    const { status, seen } = await ask("/any", {
      method: "OPTIONS",
      headers: { ...from, "access-control-request-method": "PUT" },
    });
    expect([status, seen.url]).toEqual([200, "/any"]);
  });

  it("answers and errors carry the policy's headers instead of the origin's", async () => {
    for (const headers of [from, { ...from, "api-version": "v9" }]) {
      const { response } = await ask("/users/7", { headers });
      expect(response.headers.get("access-control-allow-origin")).toBe(from.origin);
      expect(response.headers.get("vary")).toContain("Origin");
    }
  });
});

describe("what a client says of itself", () => {
  it("decides nothing: reserved headers are what the gateway would say", async () => {
    const headers = { "x-forwarded-host": "internal", x_forwarded_proto: "gopher", "sluice-version": "v2" };
    const { decision } = await ask("/believes", { headers });
    expect([decision.version, decision.reason]).toEqual(["v1", "when"]);
  });

  it("cookies and lists that the gateway adds to stay readable", async () => {
    const { seen } = await ask("/believes", { headers: { cookie: "a=1", "x-a": "1" } });
    expect([seen.headers?.cookie, seen.headers?.["x-a"]]).toEqual(["a=1; z=1", "1, 2"]);
  });
});

it("`calls` counts the call that a request to a quiet isolate waits for", async () => {
  await ask("/any");
  expect((await ask("/any")).decision.calls).toBe(0);
  await scheduler.wait(1_000);
  expect((await ask("/any")).decision.calls).toBe(1);
});

describe("a client that has gone while its request waited for a place", () => {
  const answered = async (signal: AbortSignal) => {
    const request = new Request(`${gateway}/few/x`, { signal });
    const { method, url } = request;
    const incoming = { request, method, target: targetFor(url), headers: new HeaderSection(request.headers) };
    const response = await handle(incoming, env, createExecutionContext());
    const decision = parseDictionary(response.headers.get("sluice-decision") ?? "");
    return { error: response.headers.get("sluice-error"), tries: decision.get("tries")?.[0] };
  };

  it("no origin is asked for it, and it keeps no place", async () => {
    for (let count = 0; count < 20; count++) {
      expect(await answered(AbortSignal.abort())).toEqual({ error: "upstream_unreachable", tries: undefined });
    }
    expect(await answered(new AbortController().signal)).toEqual({ error: null, tries: 1 });
  });
});

import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { apply, type Call, call, callWith, problemOf, type Role, tokens } from "./admin-support.ts";

const registration = { url: "https://a.example.com" };
/** Every call, with the roles that may make it. */
const calls: readonly (readonly [method: string, path: string, roles: readonly Role[], body?: unknown])[] = [
  ["GET", "/v1/config", ["admin", "viewer"]],
  ["PUT", "/v1/config?dryRun=true", ["admin"], {}],
  ["GET", "/v1/services", ["admin", "registrar", "viewer"]],
  ["GET", "/v1/services/users", ["admin", "registrar", "viewer"]],
  ["PUT", "/v1/services/users/origins/a", ["admin", "registrar"], registration],
  ["POST", "/v1/services/users/origins", ["admin", "registrar"], registration],
  ["POST", "/v1/services/users/origins/a/heartbeat", ["admin", "registrar"], { leaseId: "x" }],
  ["POST", "/v1/heartbeats", ["admin", "registrar"], { leases: [{ service: "users", origin: "a", leaseId: "x" }] }],
  ["POST", "/v1/services/users/origins/a/drain", ["admin", "registrar"], {}],
  ["DELETE", "/v1/services/users/origins/a", ["admin", "registrar"]],
  ["GET", "/v1/limits/per-client/ip=192.0.2.7", ["admin", "viewer"]],
  ["DELETE", "/v1/limits/per-client/ip=192.0.2.7", ["admin"]],
  ["GET", "/v1/breakers", ["admin", "viewer"]],
  ["GET", "/v1/breakers/users", ["admin", "viewer"]],
  ["PUT", "/v1/breakers/users", ["admin"], { state: "auto" }],
  ["GET", "/v1/events", ["admin", "viewer"]],
  ["POST", "/v1/explain", ["admin", "viewer"], { url: "https://api.example.com/" }],
  ["GET", "/v1/watch", ["admin", "viewer"]],
  ["GET", "/v1/services/users/watch", ["admin", "registrar", "viewer"]],
];
const open = ["/openapi.json", "/schema.json", "/docs", "/health"];
const roles: readonly Role[] = ["admin", "registrar", "viewer"];

beforeAll(async () => {
  await apply({
    services: { users: {} },
    rateLimits: { "per-client": { windows: [{ limit: 10, seconds: 60 }] } },
  });
});

describe.each(calls.map(([method, path, allowed, body]) => ({ method, path, allowed, body })))(
  "$method $path",
  ({ method, path, allowed, body }) => {
    const made = (options: Call) => call(method, path, { ...options, body });

    test.each(roles)(`is for ${allowed.join(", ")}: %s`, async (role) => {
      const response = await made({ role });
      if (allowed.includes(role)) {
        expect([200, 201, 204, 404]).toContain(response.status);
        if (response.status === 404)
          expect(["lease_not_found", "origin_unknown"]).toContain(response.headers.get("sluice-error"));
      } else {
        const { detail } = await problemOf(response, "forbidden");
        expect(detail).not.toContain(tokens[role]);
      }
    });

    test.each<readonly [string, Record<string, string>]>([
      ["none", {}],
      ["a wrong one", { authorization: `Bearer ${tokens.admin.slice(0, -1)}!` }],
      ["a part of it", { authorization: `Bearer ${tokens.admin.slice(0, -1)}` }],
      ["more than it", { authorization: `Bearer ${tokens.admin}x` }],
      ["an empty one", { authorization: "Bearer " }],
      ["another scheme", { authorization: `Basic ${btoa(`admin:${tokens.admin}`)}` }],
      ["no scheme", { authorization: tokens.admin }],
      ["a second word", { authorization: `Bearer x ${tokens.admin}` }],
      ["another case", { authorization: `Bearer ${tokens.admin.toUpperCase()}` }],
      ["another header", { "x-authorization": `Bearer ${tokens.admin}` }],
    ])("is refused with a token that is %s", async (_, headers) => {
      const response = await made({ role: null, headers });
      expect(response.headers.get("www-authenticate")).toBe('Bearer realm="sluice"');
      const text = await response.clone().text();
      await problemOf(response, "unauthorized");
      for (const value of Object.values(headers)) expect(text).not.toContain(value.replace("Bearer ", "") || "\u0000");
    });

    test.each<readonly [string, unknown]>([
      ["unset", undefined],
      ["empty", ""],
    ])("is disabled while ADMIN_TOKEN is %s, whatever other tokens there are", async (_, token) => {
      for (const options of [
        {},
        { role: "viewer" },
        { role: null },
        { headers: { authorization: "Bearer undefined" } },
      ] as Call[]) {
        await problemOf(await callWith({ ADMIN_TOKEN: token }, method, path, { ...options, body }), "admin_disabled");
      }
    });
  },
);

describe("tokens", () => {
  test("of roles that are not set up are no tokens", async () => {
    const variables = { REGISTRAR_TOKEN: undefined, VIEWER_TOKEN: "" };
    for (const token of [tokens.viewer, tokens.registrar, "undefined", ""]) {
      const headers = { authorization: `Bearer ${token}` };
      await problemOf(await callWith(variables, "GET", "/v1/services", { headers }), "unauthorized");
    }
    expect((await callWith(variables, "GET", "/v1/services")).status).toBe(200);
  });
  test("are read whatever the case of the scheme and the spaces after it", async () => {
    for (const authorization of [`bearer ${tokens.viewer}`, `BEARER  ${tokens.viewer} `]) {
      expect((await call("GET", "/v1/config", { headers: { authorization } })).status).toBe(200);
    }
  });
  test.each<readonly [string, string]>([
    ["nothing", ""],
    ["the viewer's, which is compared first", tokens.viewer],
    ["the admin's, which is compared last", tokens.admin],
    ["a beginning", tokens.admin.slice(0, -1)],
    ["a long one", "x".repeat(4_000)],
  ])("compares every token with each guess, by digests of one length: %s", async (_, guess) => {
    const compare = vi.spyOn(crypto.subtle, "timingSafeEqual");
    try {
      await call("GET", "/v1/services", { headers: { authorization: `Bearer ${guess}` } });
      expect(compare.mock.calls.map((pair) => pair.map((digest) => digest.byteLength))).toEqual(
        roles.map(() => [32, 32]),
      );
    } finally {
      compare.mockRestore();
    }
  });
  test("are checked before the body is looked at", async () => {
    await problemOf(await call("PUT", "/v1/config", { role: null, body: "{" }), "unauthorized");
    await problemOf(await call("PUT", "/v1/config", { role: "viewer", body: "{" }), "forbidden");
  });
});

test.each(open)("%s is open, and says no token", async (path) => {
  const response = await call("GET", path, { role: null });
  expect(response.status).toBe(200);
  const text = await response.text();
  for (const token of Object.values(tokens)) expect(text).not.toContain(token);
  expect((await callWith({ ADMIN_TOKEN: undefined }, "GET", path, { role: null })).status).toBe(200);
});

test("the tokens are those of the tests", () => {
  expect(env.ADMIN_TOKEN).toBe(tokens.admin);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type CorsHeaders,
  type CorsPolicy,
  corsResponseHeaderNames,
  isPreflight,
  preflightHeaders,
  responseHeaders,
} from "../../../../src/core/cors/cors.ts";
import { type OriginWildcard, parseCorsOrigin } from "../../../../src/core/cors/origin.ts";

function policyOf(allowOrigins: readonly string[], more: Partial<CorsPolicy> = {}): CorsPolicy {
  const origins = new Set<string>();
  const wildcards: OriginWildcard[] = [];
  let any = false;
  for (const text of allowOrigins) {
    const origin = parseCorsOrigin(text);
    if (origin.kind === "any") any = true;
    else if (origin.kind === "exact") origins.add(origin.origin);
    else if (origin.kind === "wildcard") wildcards.push(origin.wildcard);
  }
  const rest = { allowMethods: [], allowHeaders: [], exposeHeaders: [], allowCredentials: false, maxAgeSeconds: 5 };
  return { any, allowOrigins: origins, wildcards, ...rest, ...more };
}

/** As an object; a name that appears twice would be lost, so it fails. */
function named(headers: CorsHeaders): Record<string, string> {
  expect(new Set(headers.map(([name]) => name)).size).toBe(headers.length);
  return Object.fromEntries(headers);
}

const app = "https://app.example.com";
const preflight = (policy: CorsPolicy, origin = app, method = "PUT", headers: string | null = null) =>
  named(preflightHeaders(policy, origin, method, headers));
const response = (policy: CorsPolicy, origin: string | null = app) => named(responseHeaders(policy, origin));

describe("isPreflight", () => {
  const complete = { origin: app, "access-control-request-method": "PUT" };
  test.each<[string, Record<string, string>, boolean]>([
    ["OPTIONS", complete, true],
    ["GET", complete, false],
    ["options", complete, false],
    ["OPTIONS", { origin: app }, false],
    ["OPTIONS", { "access-control-request-method": "PUT" }, false],
    ["OPTIONS", { ...complete, origin: "" }, false],
    ["OPTIONS", {}, false],
  ])("%s with %j: %s", (method, headers, expected) => {
    expect(isPreflight({ method, header: (name) => headers[name] ?? null })).toBe(expected);
  });
});

describe("origins", () => {
  test.each([
    ["https://app.example.com", "https://app.example.com", true],
    ["https://app.example.com:443", "https://app.example.com", true],
    ["https://app.example.com", "https://app.example.com:443", true],
    ["https://app.example.com", "http://app.example.com", false],
    ["https://app.example.com", "https://app.example.com:8443", false],
    ["https://app.example.com", "https://app.example.com.evil.test", false],
    ["https://app.example.com", "null", false],
    ["https://*.example.com", "https://a.example.com", true],
    ["https://*.example.com", "https://a.b.example.com", true],
    ["https://*.example.com", "https://example.com", false],
    ["https://*.example.com", "https://.example.com", false],
    ["https://*.example.com", "https://evilexample.com", false],
    ["https://*.example.com", "https://a.example.com.evil.test", false],
    ["https://*.example.com", "http://a.example.com", false],
    ["https://*.example.com", "https://a.example.com:8443", false],
    ["http://*.example.com:8080", "http://a.example.com:8080", true],
    ["http://*.example.com:8080", "https://a.example.com:8080", false],
    ["http://*", "http://localhost", true],
    ["http://*", "http://localhost:3000", false],
    ["http://*", "null", false],
    ["*", "null", true],
    ["*", "capacitor://localhost", true],
  ])("%s allows %s: %s", (allowed, origin, expected) => {
    const policy = policyOf([allowed], { allowCredentials: true });
    const granted = expected ? origin : undefined;
    expect(preflight(policy, origin)["access-control-allow-origin"]).toBe(granted);
    expect(response(policy, origin)["access-control-allow-origin"]).toBe(granted);
  });

  test("one of many is enough", () => {
    const policy = policyOf(["https://a.test", "https://*.b.test", app]);
    for (const origin of ["https://a.test", "https://x.b.test", app])
      expect(response(policy, origin)["access-control-allow-origin"]).toBe(origin);
  });

  test("an empty list allows nobody", () => {
    expect(response(policyOf([]))).toEqual({ vary: "Origin" });
  });
});

describe("preflight", () => {
  test("an origin that is not allowed is told nothing", () => {
    expect(preflight(policyOf(["https://other.test"], { allowMethods: ["*"], allowCredentials: true }))).toEqual({
      vary: "Origin",
    });
  });

  test("empty lists grant the safelisted methods and no header", () => {
    expect(preflight(policyOf([app]), app, "PUT", "x-a")).toEqual({
      "access-control-allow-origin": app,
      "access-control-allow-methods": "GET, HEAD, POST",
      "access-control-max-age": "5",
      vary: "Origin",
    });
  });

  test("lists are given as written", () => {
    const policy = policyOf([app], { allowMethods: ["PUT", "DELETE"], allowHeaders: ["X-A", "x-b"], maxAgeSeconds: 0 });
    expect(preflight(policy, app, "PATCH", "x-z")).toEqual({
      "access-control-allow-origin": app,
      "access-control-allow-methods": "PUT, DELETE",
      "access-control-allow-headers": "X-A, x-b",
      "access-control-max-age": "0",
      vary: "Origin",
    });
  });

  const wild = { allowMethods: ["*"], allowHeaders: ["*"] };

  test("without credentials * stays *, and a plain * does not vary", () => {
    expect(preflight(policyOf(["*"], wild), app, "PUT", "x-a")).toEqual({
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "*",
      "access-control-allow-headers": "*",
      "access-control-max-age": "5",
    });
  });

  test("with credentials what was asked is echoed", () => {
    expect(preflight(policyOf(["*"], { ...wild, allowCredentials: true }), app, "PUT", "x-a,x-b")).toEqual({
      "access-control-allow-origin": app,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "PUT",
      "access-control-allow-headers": "x-a,x-b",
      "access-control-max-age": "5",
      vary: "Origin",
    });
    expect(preflight(policyOf(["*"], { ...wild, allowCredentials: true }))).not.toHaveProperty(
      "access-control-allow-headers",
    );
  });
});

describe("response", () => {
  test("a plain * says the same with and without an Origin, so caches may mix them up", () => {
    const policy = policyOf(["*"], { exposeHeaders: ["*"] });
    expect(response(policy)).toEqual({ "access-control-allow-origin": "*", "access-control-expose-headers": "*" });
    expect(response(policy, null)).toEqual(response(policy));
  });

  test("all else varies, even where nothing is granted", () => {
    expect(response(policyOf([app]), null)).toEqual({ vary: "Origin" });
    expect(response(policyOf([app]), "https://other.test")).toEqual({ vary: "Origin" });
    expect(response(policyOf(["*"], { allowCredentials: true }), null)).toEqual({ vary: "Origin" });
    expect(response(policyOf([app], { exposeHeaders: ["x-a", "x-b"] }))).toEqual({
      "access-control-allow-origin": app,
      "access-control-expose-headers": "x-a, x-b",
      vary: "Origin",
    });
  });

  test("with credentials * exposes nothing, as a browser would take it for a name", () => {
    expect(response(policyOf([app], { exposeHeaders: ["*"], allowCredentials: true }))).toEqual({
      "access-control-allow-origin": app,
      "access-control-allow-credentials": "true",
      vary: "Origin",
    });
  });
});

test("with credentials no header is ever *, and every name but vary is among those that the gateway replaces", () => {
  const policies = fc.record({
    allowOrigins: fc.subarray(["*", app, "https://*.example.com"]),
    allowMethods: fc.subarray(["*", "PUT"]),
    allowHeaders: fc.subarray(["*", "x-a"]),
    exposeHeaders: fc.subarray(["*", "x-b"]),
    allowCredentials: fc.boolean(),
  });
  fc.assert(
    fc.property(policies, fc.constantFrom(app, "https://other.test", "null"), ({ allowOrigins, ...more }, origin) => {
      const policy = policyOf(allowOrigins, more);
      const headers = [...preflightHeaders(policy, origin, "PUT", "x-a"), ...responseHeaders(policy, origin)];
      for (const [name, value] of headers) {
        expect([...corsResponseHeaderNames, "vary"]).toContain(name);
        if (policy.allowCredentials) expect(value.split(", ")).not.toContain("*");
      }
    }),
  );
});

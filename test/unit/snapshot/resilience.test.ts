/** Checks, ejection, breaker, limits and balancing of a service: what is refused, and what they become. */
import { describe, expect, test } from "vitest";
import { compileDocument } from "../../../src/snapshot/compile.ts";
import type { CompiledService } from "../../../src/snapshot/types.ts";
import { errorsOf, warningsOf } from "./support.ts";

const documentOf = (service: object) => ({ services: { s: service } });
const balancing = (loadBalancing: object) => ({ loadBalancing });

function serviceOf(service: object, revision = 7): CompiledService {
  const compiled = compileDocument(JSON.stringify(documentOf(service)), {}, revision);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
  return compiled.config.services.get("s")!;
}

describe("refused", () => {
  test.each<readonly [what: string, service: object, place: string, detail: RegExp]>([
    [
      "a range of statuses from high to low",
      { healthCheck: { statuses: [200, "299-200"] } },
      "healthCheck/statuses/1",
      /ends before/,
    ],
    ["a range that is none", { healthCheck: { statuses: ["2xx"] } }, "healthCheck/statuses/0", /as in 200-299/],
    ["a status that no answer has", { healthCheck: { statuses: [199] } }, "healthCheck/statuses/0", />=200/],
    ["a relative path to check", { healthCheck: { path: "healthz" } }, "healthCheck/path", /"\/"/],
    ["a check without time", { healthCheck: { timeoutMs: 0 } }, "healthCheck/timeoutMs", />=1/],
    [
      "an ejection after no failure",
      { outlierDetection: { consecutiveFailures: 0 } },
      "outlierDetection/consecutiveFailures",
      />=1/,
    ],
    [
      "an ejection that would be cut short",
      { outlierDetection: { baseEjectionSeconds: 301 } },
      "outlierDetection/baseEjectionSeconds",
      /<=300/,
    ],
    [
      "more out than there are",
      { outlierDetection: { maxEjectionPercent: 101 } },
      "outlierDetection/maxEjectionPercent",
      /<=100/,
    ],
    [
      "a longest opening below the first",
      { circuitBreaker: { openSeconds: 5, maxOpenSeconds: 4.9 } },
      "circuitBreaker/maxOpenSeconds",
      /smaller than openSeconds/,
    ],
    [
      "a first opening above the default of the longest",
      { circuitBreaker: { openSeconds: 61 } },
      "circuitBreaker/maxOpenSeconds",
      /smaller than openSeconds/,
    ],
    [
      "fewer than no failures",
      { circuitBreaker: { consecutiveFailures: -1 } },
      "circuitBreaker/consecutiveFailures",
      />=0/,
    ],
    ["a rate above 1", { circuitBreaker: { failureRate: 50 } }, "circuitBreaker/failureRate", /<=1/],
    ["half a request", { maxConcurrentRequests: 0.5 }, "maxConcurrentRequests", /int/],
    [
      "a most below the least",
      { adaptiveConcurrency: { minConcurrency: 5, maxConcurrency: 4 } },
      "adaptiveConcurrency/maxConcurrency",
      /smaller than minConcurrency/,
    ],
    [
      "an isolate that may do nothing",
      { adaptiveConcurrency: { minConcurrency: 0 } },
      "adaptiveConcurrency/minConcurrency",
      />=1/,
    ],
    ["a throttle that would never open again", { clientThrottling: { ratio: 1 } }, "clientThrottling/ratio", />1/],
    [
      "a throttle without a window",
      { clientThrottling: { windowSeconds: 0 } },
      "clientThrottling/windowSeconds",
      />=1/,
    ],
    [
      "an unknown key to hash on",
      balancing({ policy: "consistent-hash", hashOn: ["ip", "user"] }),
      "loadBalancing/hashOn/1",
      /must be ip, path/,
    ],
    ["nothing to hash on", balancing({ policy: "consistent-hash", hashOn: [] }), "loadBalancing/hashOn", />=1/],
    [
      "a place in lower case",
      balancing({ zones: { map: { no: "eu" } } }),
      "loadBalancing/zones/map/no",
      /the name must be a country/,
    ],
    [
      "a place that is too long",
      balancing({ zones: { map: { NORWAY: "eu" } } }),
      "loadBalancing/zones/map/NORWAY",
      /the name must be a country/,
    ],
    [
      "a zone that is no name",
      balancing({ zones: { map: { NO: "" } } }),
      "loadBalancing/zones/map/NO",
      /must begin with a letter/,
    ],
    [
      "a slow start that ends before it begins",
      balancing({ slowStartSeconds: -1 }),
      "loadBalancing/slowStartSeconds",
      />=0/,
    ],
  ])("%s", (_, service, place, detail) => {
    expect(errorsOf(documentOf(service))).toEqual({ [`#/services/s/${place}`]: expect.stringMatching(detail) });
  });

  test("more places than are bounded", () => {
    const letters = [..."ABCDEFGHIJ"];
    const places = letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => [a + b + c, "eu"] as const)));
    const map = Object.fromEntries([...places, ["NO", "eu"]]);
    expect(errorsOf(documentOf(balancing({ zones: { map } })))).toEqual({
      "#/services/s/loadBalancing/zones/map": "at most 1000 entries",
    });
  });
});

describe("what is not written is off", () => {
  test("in a service without anything", () => {
    expect(serviceOf({})).toMatchObject({
      policy: "least-request",
      hashOn: [],
      zones: null,
      slowStartMs: 0,
      health: { revision: 7, breaker: null, outlier: null, maxConcurrent: 0 },
      check: null,
      throttle: null,
      gradient: null,
    });
  });
});

describe("{} is on, with defaults in the units of the core", () => {
  test("for the breaker and the ejection, with the revision by which objects know the newest", () => {
    const { health } = serviceOf({ circuitBreaker: {}, outlierDetection: {}, maxConcurrentRequests: 9 }, 12);
    expect(health).toEqual({
      revision: 12,
      breaker: {
        windowMs: 10_000,
        minimumRequests: 20,
        failureRate: 0.5,
        slowCallMs: 2_000,
        slowCallRate: 1,
        consecutiveFailures: 0,
        openMs: 5_000,
        maxOpenMs: 60_000,
        halfOpenProbes: 3,
        recoveryMs: 10_000,
      },
      outlier: { consecutiveFailures: 5, baseEjectionMs: 30_000, maxEjectionPercent: 10 },
      maxConcurrent: 9,
    });
  });
  test("for active checks", () => {
    expect(serviceOf({ healthCheck: {} }).check).toEqual({
      path: "/healthz",
      intervalMs: 10_000,
      timeoutMs: 1_000,
      statuses: [[200, 299]],
      healthyAfter: 2,
      unhealthyAfter: 3,
    });
  });
  test("for throttling and adaptive concurrency", () => {
    expect(serviceOf({ clientThrottling: {}, adaptiveConcurrency: {} })).toMatchObject({
      throttle: { windowMs: 30_000, ratio: 2 },
      gradient: { minConcurrency: 4, maxConcurrency: 1_000 },
    });
  });
  test("for zones", () => {
    expect(serviceOf(balancing({ zones: {} })).zones).toEqual({ zoneOf: new Map() });
  });
});

describe("what is written", () => {
  test("statuses are ranges, a single one too", () => {
    const { check } = serviceOf({ healthCheck: { statuses: ["200-204", 304, "401-401"] } });
    expect(check?.statuses).toEqual([
      [200, 204],
      [304, 304],
      [401, 401],
    ]);
  });
  test("zones are looked up by place", () => {
    const map = { NO: "eu", "US-CA": "us-west", EU: "eu", OSL: "eu-north", T1: "eu" };
    expect(serviceOf(balancing({ zones: { map } })).zones?.zoneOf).toEqual(new Map(Object.entries(map)));
  });
  test("part of a second is kept", () => {
    const { health, slowStartMs } = serviceOf({
      circuitBreaker: { openSeconds: 0.1, maxOpenSeconds: 0.1, recoverySeconds: 0 },
      ...balancing({ slowStartSeconds: 2.5 }),
    });
    expect(health.breaker).toMatchObject({ openMs: 100, maxOpenMs: 100, recoveryMs: 0 });
    expect(slowStartMs).toBe(2_500);
  });
});

describe("maxConcurrentRequests", () => {
  const warnings = (idleMs: number, maxConcurrentRequests: number) =>
    warningsOf({
      ...documentOf({ maxConcurrentRequests }),
      routes: [{ name: "r", service: "s", timeouts: { idleMs } }],
    });
  test("of a service that clients may keep from others by sending nothing is worth a word", () => {
    expect(Object.keys(warnings(0, 5))).toEqual(["#/routes/0/timeouts/idleMs"]);
    expect(warnings(1_000, 5)).toEqual({});
    expect(warnings(0, 0)).toEqual({});
  });
});

describe("consistent-hash", () => {
  test("hashes the address when the document does not say", () => {
    expect(serviceOf(balancing({ policy: "consistent-hash" })).hashOn).toEqual([{ kind: "ip" }]);
  });
  test("hashes what the document says, in its order", () => {
    const hashOn = ["header:X-User", "path", "cookie:sid"];
    expect(warningsOf(documentOf(balancing({ policy: "consistent-hash", hashOn })))).toEqual({});
    expect(serviceOf(balancing({ policy: "consistent-hash", hashOn })).hashOn).toEqual([
      { kind: "header", name: "x-user" },
      { kind: "path" },
      { kind: "cookie", name: "sid" },
    ]);
  });
  test.each(["round-robin", "random", "least-request", "ewma"])("%s has no use for a key, and says so", (policy) => {
    const service = balancing({ policy, hashOn: ["ip"] });
    expect(warningsOf(documentOf(service))).toEqual({
      "#/services/s/loadBalancing/hashOn": "has no effect: it is for consistent-hash only",
    });
    expect(serviceOf(service)).toMatchObject({ policy, hashOn: [] });
  });
});

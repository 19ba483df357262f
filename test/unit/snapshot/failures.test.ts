/** Timeouts, retries, hedging, mirrors, fallback and faults of a route: what is refused, and what they become. */
import { describe, expect, test } from "vitest";
import { matchRoute } from "../../../src/core/routing/table.ts";
import { holds } from "../../../src/core/traffic/condition.ts";
import type { Route } from "../../../src/snapshot/types.ts";
import { configOf, decide, errorsOf, factsOf, snapshotOf, warningsOf } from "./support.ts";

const at = "#/routes/0";
const rehearsal = { allowFaults: true };

/** A document with the services `users` and `other`, and one route to `users`. */
const documentOf = (route: object, gateway: object = {}) => ({
  gateway,
  services: { users: {}, other: {} },
  routes: [{ name: "r", service: "users", ...route }],
});

function compiled(route: object): Route {
  return matchRoute(configOf(documentOf(route, rehearsal)).table, factsOf("/")).match!.entry.route;
}

describe("refused", () => {
  test.each<readonly [what: string, route: object, place: string, detail: RegExp]>([
    [
      "a longest pause below the first",
      { retries: { backoffMs: 26, maxBackoffMs: 25 } },
      "retries/maxBackoffMs",
      /smaller than backoffMs/,
    ],
    [
      "a first pause above the default of the longest",
      { retries: { backoffMs: 251 } },
      "retries/maxBackoffMs",
      /smaller than backoffMs/,
    ],
    ["more retries than are bounded", { retries: { attempts: 11 } }, "retries/attempts", /<=10/],
    ["a success that is retried", { retries: { codes: [503, 200] } }, "retries/codes/1", />=400/],
    ["a percentile that all reach", { hedging: { percentile: 100 } }, "hedging/percentile", /<=99\.9/],
    ["a percentile that none reach", { hedging: { percentile: 0 } }, "hedging/percentile", />=1/],
    ["a mirror of nothing", { mirror: [{}] }, "mirror/0", /exactly one of version, service/],
    ["a mirror of two targets", { mirror: [{ version: "v2", service: "other" }] }, "mirror/0", /exactly one/],
    [
      "a mirror to nobody",
      { mirror: [{ version: "v2" }, { service: "none" }] },
      "mirror/1/service",
      /no service has this name/,
    ],
    [
      "a mirror to the route's service as it is",
      { mirror: [{ service: "users" }] },
      "mirror/0/service",
      /give a version/,
    ],
    ["a mirror without end", { mirror: [{ version: "v2", timeoutMs: 0 }] }, "mirror/0/timeoutMs", />=1/],
    [
      "a mirror that outlives what the platform allows",
      { mirror: [{ version: "v2", timeoutMs: 30_001 }] },
      "mirror/0/timeoutMs",
      /<=30000/,
    ],
    [
      "a mirrored method in lower case",
      { mirror: [{ version: "v2", methods: ["post"] }] },
      "mirror/0/methods/0",
      /upper case/,
    ],
    ["a mirror of no method", { mirror: [{ version: "v2", methods: [] }] }, "mirror/0/methods", />=1/],
    ["too many mirrors", { mirror: Array.from({ length: 5 }, () => ({ version: "v2" })) }, "mirror", /<=4/],
    ["a fallback to nobody", { fallback: { service: "none" } }, "fallback/service", /no service has this name/],
    ["a fallback to the service that fails", { fallback: { service: "users" } }, "fallback/service", /the route's own/],
    ["a fallback of both kinds", { fallback: { service: "other", status: 200 } }, "fallback", /fits none of the forms/],
    ["a body where there is none", { fallback: { status: 204, body: {} } }, "fallback/body", /no body/],
    ["a body of a 304", { fallback: { status: 304, body: "" } }, "fallback/body", /no body/],
    ["a fallback of a status that is no answer's", { fallback: { status: 101 } }, "fallback/status", />=200/],
    [
      "a header that only the gateway sends",
      { fallback: { headers: { "Sluice-Error": "x" } } },
      "fallback/headers/Sluice-Error",
      /cannot be edited/,
    ],
    [
      "the framing",
      { fallback: { headers: { "content-length": "1" } } },
      "fallback/headers/content-length",
      /cannot be edited/,
    ],
    [
      "a hop-by-hop field",
      { fallback: { headers: { "Keep-Alive": "1" } } },
      "fallback/headers/Keep-Alive",
      /cannot be edited/,
    ],
    [
      "a field of proxies",
      { fallback: { headers: { "proxy-authenticate": "Basic" } } },
      "fallback/headers/proxy-authenticate",
      /cannot be edited/,
    ],
    [
      "the request's id",
      { fallback: { headers: { "x-request-id": "1" } } },
      "fallback/headers/x-request-id",
      /cannot be edited/,
    ],
    ["a line break in a value", { fallback: { headers: { a: "b\nc" } } }, "fallback/headers/a", /header value/],
    ["a fault that does nothing", { faults: [{ percent: 5 }] }, "faults/0", /delayMs above 0, or abort/],
    ["a fault that succeeds", { faults: [{ abort: { status: 200 } }] }, "faults/0/abort/status", />=400/],
    ["a fault of more than every request", { faults: [{ delayMs: 1, percent: 101 }] }, "faults/0/percent", /<=100/],
    ["a delay without bound", { faults: [{ delayMs: 60_001 }] }, "faults/0/delayMs", /<=60000/],
    [
      "a fault without a condition in its when",
      { faults: [{ delayMs: 1, when: {} }] },
      "faults/0/when",
      /has no condition/,
    ],
    [
      "a broken condition",
      { faults: [{ delayMs: 1, when: { headers: [{ name: "a", regex: "(" }] } }] },
      "faults/0/when/headers/0/regex",
      /RE2/,
    ],
    ["too many faults", { faults: Array.from({ length: 17 }, () => ({ delayMs: 1 })) }, "faults", /<=16/],
  ])("%s", (_, route, place, detail) => {
    expect(errorsOf(documentOf(route, rehearsal))).toEqual({ [`${at}/${place}`]: expect.stringMatching(detail) });
  });

  test("every fault, unless the gateway allows them", () => {
    const faults = [{ when: { country: ["NO"] }, delayMs: 1 }, { abort: { status: 503 } }];
    for (const gateway of [{}, { allowFaults: false }]) {
      expect(errorsOf(documentOf({ faults }, gateway))).toEqual({
        [`${at}/faults/0`]: "needs gateway.allowFaults",
        [`${at}/faults/1`]: "needs gateway.allowFaults",
      });
    }
  });

  test.each([
    ["retries", {}],
    ["hedging", {}],
    ["mirror", [{ version: "v2" }]],
    ["fallback", { status: 200 }],
  ])("%s of a redirect", (part, value) => {
    const route = { name: "r", redirect: { port: 1 }, [part]: value };
    expect(errorsOf({ routes: [route] })).toEqual({ [`${at}/${part}`]: "has no meaning for a redirect" });
  });
});

describe("warned of", () => {
  test("faults that are in force", () => {
    const faults = [
      { when: { country: ["NO"] }, delayMs: 1 },
      { abort: { status: 503 }, percent: 0 },
    ];
    expect(warningsOf(documentOf({ faults }, rehearsal))).toEqual({
      [`${at}/faults`]: "failures are injected into this route",
    });
  });
  test("a fault behind one that takes every request, whatever its percentage", () => {
    const faults = [
      { delayMs: 1, percent: 10 },
      { abort: { status: 503 }, percent: 10 },
    ];
    expect(warningsOf(documentOf({ faults }, rehearsal))).toEqual({
      [`${at}/faults`]: expect.any(String),
      [`${at}/faults/1`]: "can never apply: fault 0 always does",
    });
  });
  test.each([[{}], [rehearsal]])("but not a route without faults: %j", (gateway) => {
    expect(warningsOf(documentOf({ faults: [] }, gateway))).toEqual({});
    expect(warningsOf(documentOf({}, gateway))).toEqual({});
  });
});

describe("what is not written is off", () => {
  test("in a route without anything", () => {
    expect(compiled({})).toMatchObject({
      requestTimeoutMs: 30_000,
      attemptTimeoutMs: 0,
      idleTimeoutMs: 0,
      retries: null,
      hedging: null,
      mirrors: [],
      fallback: null,
      faults: [],
    });
  });
});

describe("becomes", () => {
  test("timeouts as written", () => {
    expect(compiled({ timeouts: { requestMs: 50, attemptMs: 50, idleMs: 7 } })).toMatchObject({
      requestTimeoutMs: 50,
      attemptTimeoutMs: 50,
      idleTimeoutMs: 7,
    });
    expect(compiled({ timeouts: { requestMs: 0, attemptMs: 9 } })).toMatchObject({ attemptTimeoutMs: 9 });
  });

  test("retries with their defaults", () => {
    expect(compiled({ retries: {} }).retries).toEqual({
      attempts: 2,
      codes: new Set([502, 503, 504]),
      backoffMs: 25,
      maxBackoffMs: 250,
      bodyBytes: 65_536,
      budget: { percent: 20, minPerSecond: 10 },
    });
  });

  test("hedging, which needs no retries", () => {
    expect(compiled({ hedging: {} })).toMatchObject({ retries: null, hedging: { percentile: 95, minDelayMs: 10 } });
    expect(compiled({ hedging: { percentile: 99.9, minDelayMs: 0 } }).hedging).toEqual({
      percentile: 99.9,
      minDelayMs: 0,
    });
  });

  test("mirrors, of safe methods unless asked", () => {
    const mirror = [{ version: "v2" }, { service: "other", percent: 0, methods: ["POST"], timeoutMs: 30_000 }];
    expect(compiled({ mirror }).mirrors).toEqual([
      {
        version: "v2",
        service: null,
        percent: 100,
        methods: new Set(["GET", "HEAD", "OPTIONS", "TRACE"]),
        timeoutMs: 5_000,
      },
      { version: null, service: "other", percent: 0, methods: new Set(["POST"]), timeoutMs: 30_000 },
    ]);
  });

  test("a version that a mirror names exists, though nobody has it", () => {
    const traffic = [{ versionFrom: { header: "v" } }];
    const asked = { headers: { v: "v2" } };
    expect(decide(snapshotOf(documentOf({ traffic })), "/", asked)).toMatchObject({ error: "version_unknown" });
    const mirrored = documentOf({ traffic, mirror: [{ version: "v2" }, { service: "other" }] });
    expect(decide(snapshotOf(mirrored), "/", asked)).toMatchObject({ version: "v2", origins: [] });
  });

  test.each<readonly [fallback: object, becomes: object]>([
    [{ service: "other" }, { kind: "service", service: "other" }],
    [{}, { kind: "static", status: 200, headers: [], body: null }],
    [
      { status: 204, body: null },
      { kind: "static", status: 204, headers: [], body: null },
    ],
    [
      { status: 503, headers: { "retry-after": "5" }, body: { users: [] } },
      {
        kind: "static",
        status: 503,
        headers: [
          ["content-type", "application/json"],
          ["retry-after", "5"],
        ],
        body: '{"users":[]}',
      },
    ],
    [
      { headers: { "Content-Type": "application/problem+json" }, body: "" },
      { kind: "static", status: 200, headers: [["Content-Type", "application/problem+json"]], body: '""' },
    ],
    [{ body: false }, { kind: "static", status: 200, headers: [["content-type", "application/json"]], body: "false" }],
  ])("the fallback %j", (fallback, becomes) => {
    expect(compiled({ fallback }).fallback).toEqual(becomes);
  });

  test("faults, with the conditions of a traffic rule", () => {
    const when = { country: ["NO"], methods: ["GET"] };
    const { faults } = compiled({ faults: [{ when, delayMs: 5, percent: 0.5 }, { abort: { status: 503 } }] });
    expect(faults).toMatchObject([
      { delayMs: 5, abortStatus: null, percent: 0.5 },
      { delayMs: 0, abortStatus: 503, percent: 100, conditions: null },
    ]);
    const { conditions } = faults[0]!;
    expect(conditions && holds(conditions, factsOf("/", { country: "NO" }))).toBe(true);
    expect(conditions && holds(conditions, factsOf("/", { country: "SE" }))).toBe(false);
  });

  test("faults of a redirect too", () => {
    const faults = [{ abort: { status: 503 } }];
    const config = configOf({ gateway: rehearsal, routes: [{ name: "r", redirect: { port: 1 }, faults }] });
    expect(matchRoute(config.table, factsOf("/")).match?.entry.route.faults).toHaveLength(1);
  });
});

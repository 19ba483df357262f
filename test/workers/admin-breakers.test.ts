import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { bounds } from "../../src/bounds.ts";
import { reportHealth } from "../../src/clients/service-health.ts";
import type { HealthReport, HealthSettings } from "../../src/core/breaking/types.ts";
import { apply, call, callWith, errorsOf, problemOf } from "./admin-support.ts";

const watched = { circuitBreaker: {}, outlierDetection: {} };
const document = {
  services: { a: watched, b: watched, c: { outlierDetection: {} }, plain: {}, limited: { maxConcurrentRequests: 5 } },
};
beforeAll(() => apply(document));

interface Breakers {
  readonly service: string;
  readonly revision: number;
  readonly forced: string;
  readonly breakers: readonly (Record<string, unknown> & { readonly version: string; readonly until: string | null })[];
  readonly ejected: readonly { readonly origin: string; readonly until: string; readonly times: number }[];
}
const get = async (service: string) => {
  const response = await call("GET", `/v1/breakers/${service}`, { role: "viewer" });
  expect(response.status).toBe(200);
  return response.json<Breakers>();
};
const put = (service: string, body: unknown) => call("PUT", `/v1/breakers/${service}`, { body });
const put200 = async (service: string, body: unknown) => {
  const response = await put(service, body);
  expect(response.status).toBe(200);
  return response.json<Breakers>();
};
const listOf = async (query = "") =>
  (await call("GET", `/v1/breakers${query}`, { role: "viewer" })).json<{ services: Breakers[]; next: string | null }>();

const settings: HealthSettings = {
  revision: 1,
  breaker: {
    windowMs: 10_000,
    minimumRequests: 20,
    failureRate: 0.5,
    slowCallMs: 2_000,
    slowCallRate: 1,
    consecutiveFailures: 0,
    openMs: 10_000,
    maxOpenMs: 60_000,
    halfOpenProbes: 3,
    recoveryMs: 0,
  },
  outlier: { consecutiveFailures: 5, baseEjectionMs: 30_000, maxEjectionPercent: 10 },
  maxConcurrent: 0,
};
let seq = 0;
/** What an isolate saw of the service. */
function report(service: string, cells: readonly Partial<HealthReport["cells"][number]>[]) {
  const cell = { version: "v1", origin: "x", generation: 0, ageMs: 0, ok: 0, fail: 0, slow: 0, ignored: 0, tail: 0 };
  return reportHealth(env, service, {
    isolate: "i",
    seq: ++seq,
    settings,
    origins: 10,
    cells: cells.map((some) => ({ ...cell, tail: some.fail ?? 0, ...some })),
    probes: [],
    wants: [],
    concurrency: null,
  });
}
const secondsUntil = (time: string | null) => (Date.parse(time ?? "") - Date.now()) / 1000;

describe("GET of a service", () => {
  test("of which nothing has been reported", async () => {
    const nothing = { revision: 0, forced: "auto", isolates: 0, breakers: [], ejected: [] };
    expect(await get("plain")).toEqual({ service: "plain", ...nothing });
  });
  test("shows what the breaker has counted, its state and for how long, and who is ejected", async () => {
    await report("a", [
      { ok: 7, fail: 2, slow: 1 },
      { version: "v2", origin: "y", fail: 5 },
    ]);
    const before = await get("a");
    expect(before).toEqual({
      service: "a",
      revision: 1,
      forced: "auto",
      isolates: 1,
      breakers: [
        {
          version: "v1",
          state: "closed",
          generation: 0,
          forced: "auto",
          until: null,
          recoveringSince: null,
          counts: { requests: 9, failures: 2, slow: 1 },
          consecutiveFailures: 2,
          probes: { out: 0, succeeded: 0 },
        },
        expect.objectContaining({ version: "v2", counts: { requests: 5, failures: 5, slow: 0 } }),
      ],
      ejected: [{ origin: "y", until: expect.any(String), times: 1 }],
    });
    expect(secondsUntil(before.ejected[0]!.until)).toBeGreaterThan(20);
    expect(secondsUntil(before.ejected[0]!.until)).toBeLessThan(37);

    await report("a", [{ version: "v1", fail: 20 }]);
    const { breakers, revision } = await get("a");
    expect(breakers[0]).toMatchObject({ state: "open", generation: 1, counts: { requests: 0 } });
    expect(secondsUntil(breakers[0]!.until)).toBeGreaterThan(5);
    expect(secondsUntil(breakers[0]!.until)).toBeLessThan(13);
    expect(revision).toBeGreaterThan(1);
  });
  test("that is not declared is 404", async () => {
    await problemOf(await call("GET", "/v1/breakers/nobody"), "service_unknown");
  });
  test("whose object does not answer is 503", async () => {
    const away = { getByName: () => ({ describe: () => Promise.reject("away"), force: () => Promise.reject("away") }) };
    const variables = { SERVICE_HEALTH: away };
    await problemOf(await callWith(variables, "GET", "/v1/breakers/a"), "control_plane_unavailable");
    await problemOf(await callWith(variables, "GET", "/v1/breakers"), "control_plane_unavailable");
    const order = { body: { state: "auto" } };
    await problemOf(await callWith(variables, "PUT", "/v1/breakers/a", order), "control_plane_unavailable");
  });
});

describe("PUT", () => {
  test("forces a version, and ends that", async () => {
    expect(await put200("b", { version: "v1", state: "forced-open" })).toMatchObject({
      service: "b",
      forced: "auto",
      breakers: [{ version: "v1", state: "open", forced: "forced-open", generation: 1, until: null }],
    });
    expect(await put200("b", { version: "v1", state: "disabled" })).toMatchObject({
      breakers: [{ version: "v1", state: "closed", forced: "disabled", generation: 2 }],
    });
    expect(await put200("b", { version: "v1", state: "auto" })).toMatchObject({ breakers: [{ forced: "auto" }] });
    expect(await get("b")).toMatchObject({ revision: 3, breakers: [{ state: "closed", generation: 3 }] });
  });
  test("without a version forces the whole service; with an empty one the origins without a version", async () => {
    expect(await put200("c", { version: "", state: "disabled" })).toMatchObject({
      forced: "auto",
      breakers: [{ version: "", forced: "disabled" }],
    });
    expect(await put200("c", { state: "forced-open" })).toMatchObject({
      forced: "forced-open",
      breakers: [{ version: "", forced: "forced-open", state: "open" }],
    });
    await put200("c", { state: "auto" });
  });
  test.each<readonly [string, unknown, string]>([
    ["an unknown state", { state: "open" }, "#/state"],
    ["no state", { version: "v1" }, "#/state"],
    ["a version that is none", { version: "a b", state: "auto" }, "#/version"],
    ["another member", { state: "auto", forMs: 5 }, "#/forMs"],
  ])("with %s is refused", async (_, body, pointer) => {
    expect(await errorsOf(await put("a", body), "invalid_request")).toHaveProperty(pointer);
  });
  test("for a service that is not declared is 404", async () => {
    await problemOf(await put("nobody", { state: "auto" }), "service_unknown");
  });
  test("for one version more than there may be is refused", async () => {
    const health = env.SERVICE_HEALTH.getByName("limited");
    for (let n = 0; n < bounds.breakerVersionsMax; n++) await health.force({ version: `v${n}`, state: "disabled" });
    const problem = await errorsOf(await put("limited", { version: "more", state: "disabled" }), "invalid_request");
    expect(problem).toHaveProperty("#/version");
    await health.force({ version: null, state: "auto" });
  });
});

describe("GET of all", () => {
  test("lists services that are judged or were, by name, in pages", async () => {
    await put200("plain", { state: "disabled" });
    // A service without settings is listed once the control plane knows of it.
    const deadlineMs = Date.now() + 5_000;
    const names = async () => (await listOf()).services.map(({ service }) => service);
    while (!(await names()).includes("plain") && Date.now() < deadlineMs) await scheduler.wait(20);
    expect(await names()).toEqual(["a", "b", "c", "limited", "plain"]);
    const first = await listOf("?limit=2");
    expect(first).toMatchObject({ services: [{ service: "a" }, { service: "b" }], next: "b" });
    const second = await listOf("?limit=2&after=b");
    expect(second).toMatchObject({ services: [{ service: "c" }, { service: "limited" }], next: "limited" });
    expect(await listOf("?limit=2&after=limited")).toMatchObject({ services: [{ forced: "disabled" }], next: null });
  });
  test.each(["?limit=0", "?limit=501", "?limit=x", "?after=a%20b", "?page=2"])("refuses %s", async (query) => {
    await problemOf(await call("GET", `/v1/breakers${query}`), "invalid_request");
  });
});

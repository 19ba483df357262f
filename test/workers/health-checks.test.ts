import { abortAllDurableObjects, reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, inject, test, vi } from "vitest";
import type { ServiceRegistry } from "../../durable-objects/service-registry.ts";
import { bounds } from "../../src/bounds.ts";
import { digestOf } from "../../src/core/checking/order.ts";
import type { CheckOrder, CheckSettings } from "../../src/core/checking/types.ts";
import { replay } from "../../src/core/leasing/listing.ts";
import type { RegistryEvent } from "../../src/core/leasing/types.ts";
import type { Script, Seen } from "../support/scripted.ts";

// Of its own for each test: what is under way at the end of a test reaches the next one.
let service = "";
/** Of the origin's script. */
let key = "";
beforeEach(async () => {
  service = `users-${crypto.randomUUID()}`;
  key = crypto.randomUUID();
  await answer({});
});
afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

const origin = inject("originUrl");
const urlOf = (id: string): string => `${origin}/scripted/${key}/${id}`;
const answer = (script: Script) => fetch(`${origin}/scripted/${key}`, { method: "PUT", body: JSON.stringify(script) });
const seen = async (): Promise<Seen> => (await fetch(`${origin}/seen/${key}`)).json<Seen>();
const wait = (waitMs: number): Promise<void> => scheduler.wait(waitMs);

const stubOf = () => env.SERVICE_REGISTRY.getByName(service);
const settings: CheckSettings = {
  path: "/healthz",
  intervalMs: 100,
  timeoutMs: 250,
  statuses: [[200, 299]],
  healthyAfter: 2,
  unhealthyAfter: 3,
};
function orderOf(rest: Partial<CheckOrder> = {}, changed: Partial<CheckSettings> = {}): CheckOrder {
  const checks = {
    revision: 1,
    settings: { ...settings, ...changed },
    staticOrigins: [],
    returnsEjected: false,
    ...rest,
  };
  return { ...checks, digest: digestOf(checks) };
}
const fixed = (...ids: string[]) => ids.map((id) => ({ id, url: urlOf(id) }));
const send = async (order: CheckOrder) => (await stubOf().order(order)).accepted;
async function register(id: string, url = urlOf(id)): Promise<void> {
  const registration = { origin: id, url, version: null, weight: 1, zone: null, metadata: {}, ttlMs: 60_000 };
  if (!(await stubOf().register(registration)).ok) throw new Error("not registered");
}

/** Ids of those that fail, leased or static. */
async function unhealthy(): Promise<string[]> {
  const { origins, unhealthyStatic } = await stubOf().list();
  return [...origins.filter(({ state }) => state === "unhealthy").map(({ id }) => id), ...unhealthyStatic].sort();
}
const within = { timeout: 10_000, interval: 20 };
/** Waits until the check of it gives the expected value. */
async function until<T>(check: () => Promise<T>, expected: T): Promise<void> {
  await vi.waitFor(async () => expect(await check()).toEqual(expected), within);
}
const runs = async () => ({ ...(await stubOf().list()).runs });

async function events(): Promise<RegistryEvent[]> {
  const page = await stubOf().events({ fromRevision: 0, limit: 1_000 });
  if (!page.ok) throw new Error(page.code);
  return page.events as RegistryEvent[];
}
const healthEvents = async (): Promise<string[]> =>
  (await events()).filter(({ type }) => type.endsWith("healthy")).map((event) => `${event.type} ${event.origin}`);

const plane = () => env.CONTROL_PLANE.getByName("control-plane");
interface Section {
  readonly revision: number;
  readonly checks: string | null;
  readonly unhealthy: readonly string[];
  readonly origins: readonly { readonly id: string; readonly state: string }[];
}
async function published(): Promise<Section | null> {
  const hash = (await plane().manifest(-1))?.sections[`origins/${service}`];
  return hash === undefined ? null : (JSON.parse((await plane().sections([hash]))[hash]!) as Section);
}

describe("an origin", () => {
  test("goes out after so many failures in a row, and comes back after so many passes", async () => {
    await register("a");
    await send(orderOf());
    await until(async () => (await runs()).a! > 2, true);
    expect(await unhealthy()).toEqual([]);
    await answer({ status: 500 });
    await until(unhealthy, ["a"]);
    expect((await seen()).requests.length).toBeGreaterThanOrEqual(settings.unhealthyAfter);
    expect((await runs()).a).toBeLessThanOrEqual(-settings.unhealthyAfter);
    await answer({ status: 204 });
    await until(unhealthy, []);
    expect((await seen()).requests.length).toBeGreaterThanOrEqual(settings.healthyAfter);
    expect(await healthEvents()).toEqual(["unhealthy a", "healthy a"]);
  });

  test("is healthy until its checks say otherwise, and one failure says nothing", async () => {
    await answer({ status: 500 });
    await register("a");
    await send(orderOf({}, { intervalMs: 60_000 }));
    await until(runs, { a: -1 });
    expect(await unhealthy()).toEqual([]);
  });

  test("is asked at its path, as who we are, once in an interval", async () => {
    await register("a");
    await send(orderOf({}, { path: "/up?full=1", intervalMs: 200 }));
    await wait(1_600);
    const { requests } = await seen();
    expect(requests[0]).toMatchObject({
      url: `/scripted/${key}/a/up?full=1`,
      userAgent: "sluice-health-check/1",
    });
    expect(requests.length).toBeGreaterThan(2);
    const pauses = requests.slice(1).map(({ timeMs }, at) => timeMs - requests[at]!.timeMs);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(170);
  });

  test.each<[string, Script, Partial<CheckSettings>, boolean]>([
    ["a status that is not expected", { status: 404 }, {}, false],
    ["a status that is expected", { status: 404 }, { statuses: [[404, 404]] }, true],
    ["no answer within the timeout", { lateMs: 1_000 }, { timeoutMs: 60 }, false],
    ["an answer that takes its time", { lateMs: 100 }, {}, true],
    ["a redirect, which is not followed", { status: 302, headers: { location: "/status/200" } }, {}, false],
    [
      "a redirect that is expected",
      { status: 302, headers: { location: "/status/500" } },
      { statuses: [[302, 302]] },
      true,
    ],
  ])("by %s passes or fails: %j", async (_, script, changed, passes) => {
    await answer(script);
    await register("a");
    await send(orderOf({}, { ...changed, unhealthyAfter: 1 }));
    await until(async () => Math.sign((await runs()).a ?? 0), passes ? 1 : -1);
    expect(await unhealthy()).toEqual(passes ? [] : ["a"]);
  });

  test("that cannot be reached fails", async () => {
    await register("a", "http://127.0.0.1:1");
    await send(orderOf());
    await until(unhealthy, ["a"]);
  });

  test("of the document is checked too", async () => {
    await answer({ status: 500 });
    await send(orderOf({ staticOrigins: fixed("x", "y") }));
    await until(unhealthy, ["x", "y"]);
    expect((await stubOf().list()).origins).toEqual([]);
    await answer({});
    await until(unhealthy, []);
  });

  test("that leaves or drains is not checked any more", async () => {
    for (const id of ["a", "b"]) await register(id);
    await send(orderOf());
    await until(async () => Object.keys(await runs()), ["a", "b"]);
    await stubOf().deregister({ origin: "a" });
    await stubOf().drain({ origin: "b", graceSeconds: 60 });
    await wait(settings.timeoutMs);
    await answer({});
    await wait(5 * settings.intervalMs);
    expect((await seen()).requests).toEqual([]);
    expect(await runs()).toEqual({});
  });
});

describe("many origins", () => {
  test("are never asked more than six at once, and all of them are", async () => {
    await answer({ lateMs: 50 });
    const ids = Array.from({ length: 20 }, (_, n) => `o${n}`);
    await send(orderOf({ staticOrigins: fixed(...ids) }));
    await until(async () => Object.values(await runs()).filter((run) => run >= 2).length, ids.length);
    const { atOnceMax } = await seen();
    expect(atOnceMax).toBeLessThanOrEqual(bounds.checksAtOnceMax);
    expect(atOnceMax).toBeGreaterThan(1);
  });

  test("that hang hold up neither calls nor publications", async () => {
    await answer({ lateMs: 2_000 });
    await send(orderOf({ staticOrigins: fixed("a", "b", "c", "d", "e", "f", "g") }, { timeoutMs: 2_000 }));
    await until(async () => (await seen()).requests.length, bounds.checksAtOnceMax);
    const startMs = Date.now();
    await register("new");
    await until(async () => (await published())?.origins.map(({ id }) => id), ["new"]);
    await runDurableObjectAlarm(stubOf());
    expect(Date.now() - startMs).toBeLessThan(1_000);
  });
});

describe("a change of health", () => {
  test("is published with the listing at once, and told to the operator once", async () => {
    await register("a");
    const order = orderOf({ staticOrigins: fixed("x") });
    await send(order);
    await until(async () => (await published())?.checks, order.digest);
    expect((await published())?.unhealthy).toEqual([]);
    await answer({ status: 500 });
    await until(async () => (await published())?.unhealthy, ["a", "x"]);
    const { revision } = await stubOf().list();
    expect(await published()).toMatchObject({ revision, origins: [{ id: "a", state: "unhealthy" }] });
    await answer({});
    await until(async () => (await published())?.unhealthy, []);
    const told = (await plane().events({ since: 0, limit: 100 })).events;
    const of = (id: string) => told.filter((event) => event.origin === id).map(({ type }) => type);
    for (const id of ["a", "x"]) expect(of(id)).toEqual(["origin_unhealthy", "origin_healthy"]);
    expect(told[0]).toMatchObject({ service, time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) });
    expect(Math.abs(Date.parse(told[0]!.time) - Date.now())).toBeLessThan(60_000);
  });

  test("is an event by which a watcher rebuilds the list", async () => {
    for (const id of ["a", "b"]) await register(id);
    await answer({ status: 500 });
    const order = orderOf({ staticOrigins: fixed("x") });
    await send(order);
    await until(unhealthy, ["a", "b", "x"]);
    const { revision, frozen, checks, origins } = await stubOf().list();
    const views = origins.map(({ expiresAt: _, ...view }) => view);
    expect(checks).toBe(order.digest);
    expect(replay(await events())).toEqual({ revision, frozen, checks, unhealthy: ["a", "b", "x"], origins: views });
    expect((await events()).map((event) => event.revision)).toEqual((await events()).map((_, at) => at + 1));
  });

  test("of more origins than one publication may tell is told of the newest", async () => {
    const ids = Array.from({ length: bounds.eventsPerPublicationMax + 5 }, (_, n) => `o${String(n).padStart(3, "0")}`);
    const told = await runInDurableObject(stubOf(), async (instance) => {
      const publish = vi.fn(async (_: { events: readonly { event: { origin: string } }[] }) => ({ accepted: true }));
      vi.spyOn(globalThis, "fetch").mockRejectedValue(new Error("refused"));
      instance.order(orderOf({ staticOrigins: fixed(...ids) }, { unhealthyAfter: 1 }));
      // Away until all of them have failed.
      Object.assign(instance, {
        env: { CONTROL_PLANE: { getByName: () => ({ publish: () => Promise.reject("away") }) } },
      });
      await vi.waitFor(() => expect(instance.list().unhealthyStatic).toHaveLength(ids.length), within);
      Object.assign(instance, { env: { CONTROL_PLANE: { getByName: () => ({ publish }) } } });
      await vi.waitFor(() => expect(publish).toHaveBeenCalled(), within);
      return publish.mock.calls[0]![0].events.map(({ event }) => event.origin);
    });
    expect(told).toHaveLength(bounds.eventsPerPublicationMax);
  });

  test("freeze and thaw are told too", async () => {
    await runInDurableObject(stubOf(), async (instance) => {
      for (let n = 0; n < 10; n++)
        instance.register({
          origin: `o${n}`,
          url: "https://a.example.com",
          version: null,
          weight: 1,
          zone: null,
          metadata: {},
          ttlMs: 300,
        });
      await wait(350);
      for (let n = 0; n < 10; n++) instance.deregister({ origin: `o${n}` });
      instance.list();
    });
    const told = async () => (await plane().events({ since: 0, limit: 10 })).events.map(({ type }) => type);
    await until(told, ["registry_frozen", "registry_thawed"]);
    expect((await plane().events({ since: 0, limit: 1 })).events[0]).not.toHaveProperty("origin");
  });
});

describe("an order", () => {
  test("of the same digest changes nothing", async () => {
    const order = orderOf({ staticOrigins: fixed("x") });
    expect(await send(order)).toBe(true);
    const { revision } = await stubOf().list();
    expect(await send(order)).toBe(false);
    expect(await send({ ...order, revision: 9 })).toBe(false);
    expect((await stubOf().list()).revision).toBe(revision);
  });

  test("of a later configuration counts, of an earlier or the same one not", async () => {
    const [first, other] = [orderOf({ revision: 2 }), orderOf({ revision: 2 }, { path: "/other" })];
    expect(await send(first)).toBe(true);
    expect(await send(other)).toBe(false);
    expect(await send({ ...other, revision: 1 })).toBe(false);
    expect((await stubOf().list()).checks).toBe(first.digest);
    expect(await send({ ...other, revision: 3 })).toBe(true);
    expect((await stubOf().list()).checks).toBe(other.digest);
  });

  test("of the same configuration counts a minute after the last change, also after the object's end", async () => {
    const [first, other] = [orderOf(), orderOf({}, { path: "/other" })];
    await send(first);
    await abortAllDurableObjects();
    expect(await send(other)).toBe(false);
    await runInDurableObject(stubOf(), (_, { storage }) => {
      storage.sql.exec("UPDATE check_order SET since_ms = since_ms - ?", bounds.checkOrderPauseMs);
    });
    await abortAllDurableObjects();
    expect(await send(other)).toBe(true);
  });

  test("to check nothing ends the checks, and everybody is healthy", async () => {
    await answer({ status: 500 });
    await register("a");
    await send(orderOf({ staticOrigins: fixed("x") }));
    await until(unhealthy, ["a", "x"]);
    await send(orderOf({ revision: 2, settings: null }));
    expect(await unhealthy()).toEqual([]);
    await until(async () => (await published())?.checks, null);
    await answer({});
    await wait(5 * settings.intervalMs);
    expect((await seen()).requests).toEqual([]);
  });

  test("with other settings keeps the verdicts", async () => {
    await answer({ status: 500 });
    await register("a");
    await send(orderOf());
    await until(unhealthy, ["a"]);
    await send(orderOf({ revision: 2 }, { intervalMs: 60_000 }));
    expect(await unhealthy()).toEqual(["a"]);
  });

  test("of a thousand static origins with the longest URLs is stored", async () => {
    const staticOrigins = Array.from({ length: bounds.staticOriginsPerServiceMax }, (_, n) => ({
      id: `o${n}`,
      url: `https://a.example.com/${"x".repeat(bounds.originUrlLengthMax - 30)}`,
    }));
    const order = orderOf({ staticOrigins }, { intervalMs: 3_600_000 });
    await runInDurableObject(stubOf(), (instance) => {
      vi.spyOn(globalThis, "fetch").mockRejectedValue(new Error("refused"));
      expect(instance.order(order)).toEqual({ accepted: true });
    });
    await abortAllDurableObjects();
    expect((await stubOf().list()).checks).toBe(order.digest);
  });
});

describe("the end of the object", () => {
  test("keeps verdicts and order, and its alarm goes on checking", async () => {
    await answer({ status: 500 });
    await register("a");
    const order = orderOf({ staticOrigins: fixed("x") });
    await send(order);
    await until(unhealthy, ["a", "x"]);
    await answer({});
    await abortAllDurableObjects();
    expect(await unhealthy()).toEqual(["a", "x"]);
    expect((await stubOf().list()).checks).toBe(order.digest);
    await until(unhealthy, []);
    await abortAllDurableObjects();
    // Nobody calls it any more: only the alarm.
    await answer({});
    await runDurableObjectAlarm(stubOf());
    await vi.waitFor(async () => expect((await seen()).requests.length).toBeGreaterThan(2), within);
  });

  test("finds an alarm set for soon after the next check, always", async () => {
    await send(orderOf({ staticOrigins: fixed("x") }));
    for (let times = 0; times < 5; times++) {
      await wait(150);
      const alarm = await runInDurableObject(stubOf(), (_, state) => state.storage.getAlarm());
      expect(alarm! - Date.now()).toBeLessThan(60_000);
    }
  });
});

describe("checking goes on though", () => {
  /** The loop lives if another check comes. */
  async function goesOn(): Promise<void> {
    await answer({});
    await vi.waitFor(async () => expect((await seen()).requests.length).toBeGreaterThan(1), within);
    const alarm = await runInDurableObject(stubOf(), (_, state) => state.storage.getAlarm());
    expect(alarm).not.toBeNull();
  }
  const started = async () => {
    await send(orderOf({ staticOrigins: fixed("x") }));
    await until(async () => (await runs()).x! > 0, true);
  };

  test("fetch throws", async () => {
    await started();
    const thrown = vi.spyOn(globalThis, "fetch").mockImplementationOnce(() => {
      throw new Error("no fetch");
    });
    await vi.waitFor(() => expect(thrown).toHaveBeenCalled(), within);
    await goesOn();
  });

  test("a verdict cannot be stored: the next check comes to it again", async () => {
    await started();
    await runInDurableObject(stubOf(), async (instance, { storage }) => {
      storage.sql.exec("CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'disk full'); END");
      vi.spyOn(globalThis, "fetch").mockRejectedValue(new Error("refused"));
      await vi.waitFor(() => expect(instance.list().runs.x).toBeLessThan(-settings.unhealthyAfter), within);
      expect(instance.list().unhealthyStatic).toEqual([]);
      storage.sql.exec("DROP TRIGGER full");
      await vi.waitFor(() => expect(instance.list().unhealthyStatic).toEqual(["x"]), within);
    });
    vi.restoreAllMocks();
    await goesOn();
  });

  test("the book cannot be read when the alarm comes", async () => {
    await started();
    await abortAllDurableObjects();
    await runInDurableObject(stubOf(), async (instance, { storage }) => {
      storage.sql.exec("ALTER TABLE check_order RENAME TO hidden");
      await instance.alarm();
      storage.sql.exec("ALTER TABLE hidden RENAME TO check_order");
    });
    await goesOn();
  });

  test("an alarm cannot be set", async () => {
    await started();
    await runInDurableObject(stubOf(), async (instance, { storage }) => {
      await storage.deleteAlarm();
      const setAlarm = vi.spyOn(storage, "setAlarm").mockImplementationOnce(() => {
        throw new Error("no alarm");
      });
      await instance.alarm();
      expect(setAlarm).toHaveBeenCalled();
    });
    await goesOn();
  });
});

describe("a check that passes", () => {
  /** What the health object is told while origins answer by the script, for so long. */
  async function told(
    order: CheckOrder,
    forMs: number,
    passed = async (_: { origins: string[] }) => {},
  ): Promise<string[][]> {
    return await runInDurableObject(stubOf(), async (instance: ServiceRegistry) => {
      const spy = vi.fn(passed);
      Object.assign(instance, { env: { ...env, SERVICE_HEALTH: { getByName: () => ({ passed: spy }) } } });
      instance.order(order);
      await wait(forMs);
      return spy.mock.calls.map(([{ origins }]) => origins);
    });
  }
  const many = { staticOrigins: ["a", "b", "c"].map((id) => ({ id, url: origin })), returnsEjected: true };
  const forMs = 2 * bounds.checkPassedDelayMs + bounds.checkSpreadMs;

  test("is told to the health object, many in one call", async () => {
    const calls = await told(orderOf(many), forMs);
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.length).toBeLessThanOrEqual(forMs / bounds.checkPassedDelayMs);
    expect([...calls.at(-1)!].sort()).toEqual(["a", "b", "c"]);
  });

  test("is told again though the object could not be reached", async () => {
    const calls = await told(orderOf(many), forMs, () => Promise.reject(new Error("away")));
    expect(calls.length).toBeGreaterThan(1);
  });

  test("is told nobody who has not asked, or of an origin that is unhealthy still", async () => {
    expect(await told(orderOf({ ...many, returnsEjected: false }), bounds.checkPassedDelayMs * 1.5)).toEqual([]);
    await answer({ status: 500 });
    const order = orderOf({ revision: 2, staticOrigins: fixed("x"), returnsEjected: true }, { healthyAfter: 100 });
    await send(order);
    await until(unhealthy, ["x"]);
    await answer({});
    expect(await told(order, bounds.checkPassedDelayMs * 1.5)).toEqual([]);
  });

  test("brings an ejected origin back", async () => {
    const health = env.SERVICE_HEALTH.getByName(service);
    const outlier = { consecutiveFailures: 5, baseEjectionMs: 30_000, maxEjectionPercent: 100 };
    const { ejected } = await health.report({
      isolate: "i",
      seq: 1,
      settings: { revision: 1, breaker: null, outlier, maxConcurrent: 0 },
      origins: 1,
      cells: [{ version: "", origin: "x", generation: 0, ageMs: 0, ok: 0, fail: 5, slow: 0, ignored: 0, tail: 5 }],
      probes: [],
      wants: [],
      concurrency: null,
    });
    expect(ejected.map((ejection) => ejection.origin)).toEqual(["x"]);
    await send(orderOf({ staticOrigins: fixed("x"), returnsEjected: true }));
    await until(async () => (await health.describe()).ejected.length, 0);
  });
});

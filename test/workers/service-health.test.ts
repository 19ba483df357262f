import { abortAllDurableObjects, reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { PublishedEvent } from "../../durable-objects/control-plane.ts";
import { bounds } from "../../src/bounds.ts";
import type {
  BreakerSettings,
  Cell,
  HealthReport,
  HealthSettings,
  PublishedHealth,
} from "../../src/core/breaking/types.ts";

// A service of its own for each test: a publication that is under way at the end of a test reaches the next one.
let service = "";
beforeEach(() => {
  service = `users-${crypto.randomUUID()}`;
});
afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

const stubOf = (name = service) => env.SERVICE_HEALTH.getByName(name);
/** Ends the object as a failure of its machine does. An eviction would let its timers run first. */
const crash = abortAllDurableObjects;
const wait = (waitMs: number): Promise<void> => scheduler.wait(waitMs);

const breaker: BreakerSettings = {
  windowMs: 10_000,
  minimumRequests: 20,
  failureRate: 0.5,
  slowCallMs: 2_000,
  slowCallRate: 1,
  consecutiveFailures: 0,
  openMs: 60_000,
  maxOpenMs: 60_000,
  halfOpenProbes: 3,
  recoveryMs: 0,
};
const settingsOf = (rest: Partial<BreakerSettings> = {}): HealthSettings => ({
  revision: 1,
  breaker: { ...breaker, ...rest },
  outlier: { consecutiveFailures: 5, baseEjectionMs: 60_000, maxEjectionPercent: 50 },
  maxConcurrent: 0,
});
const cellOf = (rest: Partial<Cell> = {}): Cell => ({
  version: "v1",
  origin: "a",
  generation: 0,
  ageMs: 0,
  ok: 0,
  fail: 0,
  slow: 0,
  ignored: 0,
  tail: rest.fail ?? 0,
  ...rest,
});
let seq = 0;
const reportOf = (rest: Partial<HealthReport> = {}): HealthReport => ({
  isolate: "i",
  seq: ++seq,
  settings: settingsOf(),
  origins: 4,
  cells: [],
  probes: [],
  wants: [],
  concurrency: null,
  ...rest,
});
const report = (rest: Partial<HealthReport> = {}) => stubOf().report(reportOf(rest));
/** Opens the breaker of v1. Spread over origins, so that none is ejected. */
const failures = (rest: Partial<Cell> = {}) =>
  ["a", "b", "c", "d", "e"].map((origin) => cellOf({ origin, fail: 4, ...rest }));
const open = (rest: Partial<BreakerSettings> = {}) => report({ settings: settingsOf(rest), cells: failures() });
const stateOf = async (version = "v1") => {
  const { breakers } = await stubOf().describe();
  return breakers.find((one) => one.version === version)?.state;
};

/** What isolates can see: the section in the control plane; null when there is none. */
async function published(): Promise<PublishedHealth | null> {
  const plane = env.CONTROL_PLANE.getByName("control-plane");
  const hash = (await plane.manifest(-1))?.sections[`health/${service}`];
  if (hash === undefined) return null;
  const text = (await plane.sections([hash]))[hash];
  return text === undefined ? null : JSON.parse(text);
}
/** Waits until the control plane has the revision. */
async function publishedWithin(withinMs: number, revision: number): Promise<PublishedHealth> {
  const startMs = Date.now();
  let found = await published();
  while (found?.revision !== revision && Date.now() - startMs < withinMs) {
    await wait(5);
    found = await published();
  }
  expect(found?.revision).toBe(revision);
  return found!;
}
const eventsOf = async (): Promise<readonly string[]> => {
  const { events } = await env.CONTROL_PLANE.getByName("control-plane").events({ since: 0, limit: 1_000 });
  return events.filter((event) => event.service === service).map(({ type }) => type);
};
const alarmOf = () => runInDurableObject(stubOf(), (_, { storage }) => storage.getAlarm());
const rowOf = () =>
  runInDurableObject(stubOf(), (_, { storage }) =>
    storage.sql
      .exec<{ json: string }>("SELECT json FROM health")
      .toArray()
      .map(({ json }) => JSON.parse(json)),
  );

describe("a report", () => {
  test("is answered with what everybody acts on", async () => {
    expect(await report({ cells: [cellOf({ ok: 3 })] })).toEqual({
      revision: 0,
      forced: "auto",
      breakers: [],
      ejected: [],
      seq,
      probes: [],
      concurrency: null,
      isolates: 1,
      nextReportMs: bounds.healthReportMsMin,
    });
  });
  test("B1: opens the breaker for the whole world, stored before it is answered", async () => {
    await runInDurableObject(stubOf(), (instance, { storage }) => {
      const reply = instance.report(reportOf({ cells: failures() }));
      expect(reply).toMatchObject({ revision: 1, breakers: [{ version: "v1", state: "open", generation: 1 }] });
      const { json } = storage.sql.exec<{ json: string }>("SELECT json FROM health").one();
      expect(JSON.parse(json)).toMatchObject({ v: 1, revision: 1, breakers: [{ version: "v1", state: "open" }] });
    });
    await crash();
    expect(await report({ isolate: "other" })).toMatchObject({ revision: 1, breakers: [{ state: "open" }] });
    expect(await stateOf()).toBe("open");
  });
  test("from several isolates counts together, and of one that comes again counts once", async () => {
    const half = reportOf({ cells: failures({ fail: 2 }) });
    await stubOf().report(half);
    await stubOf().report(half);
    expect(await stateOf()).toBe("closed");
    await report({ isolate: "j", cells: failures({ fail: 2 }) });
    expect(await stateOf()).toBe("open");
  });
  test("that only counts stores nothing but the settings, once, and sets no alarm", async () => {
    await report({ cells: [cellOf({ ok: 5 })] });
    const before = await rowOf();
    await report({ cells: [cellOf({ ok: 5, fail: 2 })] });
    expect(await rowOf()).toEqual(before);
    expect(before).toMatchObject([{ revision: 0, breakers: [] }]);
    expect(await alarmOf()).toBeNull();
    await wait(3 * bounds.publishDelayMs);
    expect(await published()).toBeNull();
  });
  test("B2: gets probes, which no other object after this one issues again", async () => {
    await open({ openMs: 30 });
    await wait(60);
    const wants = [{ version: "v1", probes: 2 }];
    const settings = settingsOf({ openMs: 30 });
    const first = await report({ settings, wants });
    expect(first.probes).toMatchObject([{ version: "v1", generation: 2, permits: ["2.1", "2.2"] }]);
    await crash();
    const second = await report({ settings, wants, isolate: "other" });
    expect(second.probes).toMatchObject([{ permits: ["2.3"] }]);
    const results = ["2.1", "2.2", "2.3"].map((permit) => {
      return { version: "v1", permit, generation: 2, outcome: "ok" as const };
    });
    await report({ settings, probes: results });
    expect(await stateOf()).toBe("closed");
  });
  test("gets its share of the concurrency, and a new object waits until no grant can be out that it does not know", async () => {
    const settings = { ...settingsOf(), maxConcurrent: 10 };
    const concurrency = { inFlight: 0, held: 0, wanted: 6 };
    expect((await report({ settings, concurrency })).concurrency).toEqual({
      granted: 6,
      ttlMs: bounds.concurrencyTtlMs,
    });
    expect((await report({ settings, concurrency, isolate: "j" })).concurrency?.granted).toBe(4);
    await crash();
    expect((await report({ settings, concurrency, isolate: "k" })).concurrency?.granted).toBe(0);
  });

  const tooMany = <T>(one: T): T[] => Array(bounds.healthItemsPerReportMax + 1).fill(one);
  const long = "x".repeat(bounds.nameLengthMax + 1);
  test.each<readonly [string, Partial<HealthReport>]>([
    ["no isolate", { isolate: "" }],
    ["a long isolate", { isolate: long }],
    ["many cells", { cells: tooMany(cellOf()) }],
    ["many probes", { probes: tooMany({ version: "v1", permit: "1", generation: 1, outcome: "ok" as const }) }],
    ["many wishes", { wants: tooMany({ version: "v1", probes: 1 }) }],
    ["a long version", { cells: [cellOf({ version: long, ok: 1 })] }],
    ["a long origin", { cells: [cellOf({ origin: long, ok: 1 })] }],
    ["a seq that is no number", { seq: Number.NaN }],
    ["settings without bound", { settings: settingsOf({ openMs: Number.POSITIVE_INFINITY }) }],
    ["a wish below 0", { wants: [{ version: "v1", probes: -1 }] }],
    ["a concurrency that is no number", { concurrency: { inFlight: Number.NaN, held: 0, wanted: 0 } }],
  ])("out of bounds is refused: %s", async (_, rest) => {
    await runInDurableObject(stubOf(), (instance) => {
      expect(() => instance.report(reportOf(rest))).toThrow(RangeError);
    });
    expect(await rowOf()).toEqual([]);
  });
});

describe("time", () => {
  test("B7: makes an open breaker half-open without any call, and tells everybody", async () => {
    await open({ openMs: 200 });
    await publishedWithin(1_000, 1);
    const view = await publishedWithin(2_000, 2);
    expect(view.breakers).toMatchObject([{ version: "v1", state: "half-open", generation: 2, openForMs: 0 }]);
    expect(await eventsOf()).toEqual(["breaker_opened", "breaker_half_open"]);
  });
  test("goes on after the object's end, by the alarm", async () => {
    await open({ openMs: 300 });
    await publishedWithin(1_000, 1);
    expect(await alarmOf()).toBeGreaterThan(Date.now());
    await crash();
    await wait(400);
    await runDurableObjectAlarm(stubOf());
    await publishedWithin(1_000, 2);
  });
  test("sets no alarm any more once everything is closed", async () => {
    await open({ openMs: 60_000 });
    expect(await alarmOf()).not.toBeNull();
    await stubOf().force({ version: null, state: "disabled" });
    await stubOf().force({ version: null, state: "auto" });
    await publishedWithin(1_000, 3);
    await wait(2 * bounds.publishDelayMs);
    await runDurableObjectAlarm(stubOf());
    expect(await alarmOf()).toBeNull();
  });
  test("takes an ejected origin back, unless an active check has done so before", async () => {
    const cells = [cellOf({ origin: "a", ok: 15 }), cellOf({ origin: "a", fail: 5 }), cellOf({ origin: "b", fail: 5 })];
    await report({ cells });
    const ejected = async () => (await stubOf().describe()).ejected.map(({ origin }) => origin);
    expect(await ejected()).toEqual(["a", "b"]);
    await stubOf().passed({ origins: ["b", "unknown"] });
    expect(await ejected()).toEqual(["a"]);
    await crash();
    expect(await ejected()).toEqual(["a"]);
    expect((await publishedWithin(3_000, 3)).ejected).toMatchObject([{ origin: "a" }]);
  });
  test("sets the next alarm though waking fails", async () => {
    await open();
    await crash();
    const error = vi.spyOn(console, "error").mockReturnValue();
    const alarm = await runInDurableObject(stubOf(), async (instance, { storage }) => {
      storage.sql.exec("ALTER TABLE health RENAME TO hidden");
      await storage.deleteAlarm();
      await instance.alarm();
      storage.sql.exec("ALTER TABLE hidden RENAME TO health");
      return await storage.getAlarm();
    });
    expect(alarm).not.toBeNull();
    expect(error).toHaveBeenCalled();
    expect(await stateOf()).toBe("open");
  });
});

describe("an order", () => {
  test("B6: wins over what is counted, outlives the object, and ends with auto", async () => {
    expect(await stubOf().force({ version: "v2", state: "forced-open" })).toMatchObject({
      ok: true,
      revision: 1,
      breakers: [{ version: "v2", state: "open", forced: "forced-open" }],
    });
    await crash();
    expect(await report({ cells: [cellOf({ version: "v2", ok: 50 })] })).toMatchObject({
      breakers: [{ version: "v2", forced: "forced-open" }],
    });
    await stubOf().force({ version: "v2", state: "auto" });
    expect(await stubOf().describe()).toMatchObject({ breakers: [{ version: "v2", state: "closed", forced: "auto" }] });
    await publishedWithin(1_000, 2);
    expect(await eventsOf()).toEqual(["breaker_forced", "breaker_forced"]);
  });
  test("for a service counts for versions that come later", async () => {
    await stubOf().force({ version: null, state: "disabled" });
    await report({ cells: failures({ version: "v9" }) });
    expect(await stateOf("v9")).toBe("closed");
    expect(await stubOf().describe()).toMatchObject({ forced: "disabled" });
  });
  test("for one version more than there may be is refused", async () => {
    await runInDurableObject(stubOf(), (instance) => {
      for (let n = 0; n < bounds.breakerVersionsMax; n++) {
        expect(instance.force({ version: `v${n}`, state: "disabled" }).ok).toBe(true);
      }
      expect(instance.force({ version: "more", state: "disabled" })).toEqual({ ok: false, code: "versions_full" });
    });
  });
  test.each<readonly [string, (instance: ReturnType<typeof stubOf>) => unknown]>([
    ["a long version", (instance) => instance.force({ version: "v".repeat(129), state: "auto" })],
    ["many origins", (instance) => instance.passed({ origins: Array(bounds.healthOriginsMax + 1).fill("a") })],
  ])("out of bounds is refused: %s", async (_, call) => {
    await expect((async () => await call(stubOf()))()).rejects.toThrow(RangeError);
  });
});

/** A control plane in this test's hands. */
interface Call {
  readonly section: string;
  readonly revision: number;
  readonly body: string;
  readonly events: readonly PublishedEvent[];
}
const withPlane = (instance: object, publish: (call: Call) => Promise<{ accepted: boolean }>) =>
  Object.assign(instance, { env: { CONTROL_PLANE: { getByName: () => ({ publish }) } } });
const accepted = async (_: Call) => ({ accepted: true });
const typesOf = ({ events }: Call) => events.map(({ event }) => event.type);

describe("publishing", () => {
  test("of an opened breaker does not wait for other changes", async () => {
    const calls = await runInDurableObject(stubOf(), async (instance) => {
      const publish = vi.fn(accepted);
      withPlane(instance, publish);
      instance.report(reportOf({ cells: failures() }));
      await wait(0.5 * bounds.publishDelayMs);
      return publish.mock.calls.map(([call]) => call);
    });
    expect(calls).toMatchObject([{ section: `health/${service}`, revision: 1 }]);
    expect(calls[0]!.events).toMatchObject([
      { revision: 1, event: { service, type: "breaker_opened", version: "v1", reason: "failure_rate" } },
    ]);
    expect(Math.abs(Date.parse(calls[0]!.events[0]!.event.time) - Date.now())).toBeLessThan(5_000);
    expect(JSON.parse(calls[0]!.body)).toMatchObject({ revision: 1, breakers: [{ version: "v1", state: "open" }] });
  });

  test("puts other changes within the delay into one publication", async () => {
    const calls = await runInDurableObject(stubOf(), async (instance) => {
      const publish = vi.fn(accepted);
      withPlane(instance, publish);
      const settings = { ...settingsOf(), breaker: null };
      for (const origin of ["a", "b"]) instance.report(reportOf({ settings, cells: [cellOf({ origin, fail: 5 })] }));
      instance.passed({ origins: ["a"] });
      await wait(3 * bounds.publishDelayMs);
      return publish.mock.calls.map(([call]) => call);
    });
    expect(calls.map(({ revision }) => revision)).toEqual([3]);
    expect(typesOf(calls[0]!)).toEqual(["origin_ejected", "origin_ejected", "origin_returned"]);
  });

  test("is tried again after a failure, with the events of before", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    await runInDurableObject(stubOf(), async (instance) => {
      const away = vi.fn(accepted).mockRejectedValueOnce(new Error("away"));
      withPlane(instance, away);
      instance.force({ version: "v1", state: "disabled" });
      await wait(bounds.publishDelayMs);
      expect(away).toHaveBeenCalledTimes(1);
      await wait(bounds.publishRetryMs + 2 * bounds.publishDelayMs);
      expect(away.mock.calls.map(([call]) => [call.revision, ...typesOf(call)])).toEqual([
        [1, "breaker_forced"],
        [1, "breaker_forced"],
      ]);
      instance.force({ version: "v1", state: "auto" });
      await wait(2 * bounds.publishDelayMs);
      expect(away.mock.lastCall?.[0]).toMatchObject({ revision: 2, events: [{ revision: 2 }] });
    });
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test("is made by the alarm when the object ended before", async () => {
    await runInDurableObject(stubOf(), (instance) => {
      withPlane(instance, () => new Promise(() => {}));
      instance.force({ version: null, state: "forced-open" });
    });
    await crash();
    expect(await published()).toBeNull();
    await runDurableObjectAlarm(stubOf());
    expect(await publishedWithin(1_000, 1)).toMatchObject({ forced: "forced-open" });
    expect(await eventsOf()).toEqual(["breaker_forced"]);
  });

  test("loses and doubles no event, however often object and answers are lost", async () => {
    const told: string[] = [];
    for (let round = 0; round < 12; round++) {
      const state = round % 2 === 0 ? "disabled" : "auto";
      await stubOf().force({ version: `v${round % 3}`, state });
      told.push("breaker_forced");
      if (round % 4 === 1) {
        // Taken by the control plane, but the object ends before it has noted that.
        await runInDurableObject(stubOf(), async (_, { storage }) => {
          await wait(2 * bounds.publishDelayMs);
          storage.sql.exec("UPDATE health SET published_revision = 0");
        });
      }
      await crash();
    }
    await stubOf().describe();
    const { revision } = await stubOf().describe();
    await publishedWithin(3_000, revision);
    expect(await eventsOf()).toHaveLength(revision);
    expect(revision).toBeGreaterThan(6);
  });

  test("keeps no more events than the bound while the control plane is away", async () => {
    vi.spyOn(console, "warn").mockReturnValue();
    const kept = await runInDurableObject(stubOf(), async (instance, { storage }) => {
      withPlane(instance, () => new Promise(() => {}));
      for (let n = 0; n < bounds.unpublishedEventsMax + 10; n++) {
        instance.force({ version: null, state: n % 2 === 0 ? "disabled" : "auto" });
      }
      return storage.sql.exec("SELECT count(*) AS n, max(revision) AS last FROM event").one();
    });
    expect(kept).toEqual({ n: bounds.unpublishedEventsMax, last: bounds.unpublishedEventsMax + 10 });
  });
});

describe("storage that fails", () => {
  test("fails the call, and nothing of it is told or remembered", async () => {
    await report();
    const again = reportOf({ cells: failures() });
    await runInDurableObject(stubOf(), async (instance, { storage }) => {
      const publish = vi.fn(accepted);
      const { env: whole } = instance as unknown as { env: Env };
      withPlane(instance, publish);
      storage.sql.exec("CREATE TRIGGER full BEFORE UPDATE ON health BEGIN SELECT RAISE(ABORT, 'disk full'); END");
      expect(() => instance.report(again)).toThrow("disk full");
      expect(instance.describe()).toMatchObject({ revision: 0, breakers: [] });
      await wait(2 * bounds.publishDelayMs);
      expect(publish).not.toHaveBeenCalled();
      storage.sql.exec("DROP TRIGGER full");
      Object.assign(instance, { env: whole });
    });
    expect(await stubOf().report(again)).toMatchObject({ revision: 1, breakers: [{ state: "open" }] });
    await publishedWithin(1_000, 1);
    expect(await eventsOf()).toEqual(["breaker_opened"]);
  });
});

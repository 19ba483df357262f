import { abortAllDurableObjects, reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RegisterRequest } from "../../durable-objects/service-registry-api.ts";
import { bounds } from "../../src/bounds.ts";
import { replay } from "../../src/core/leasing/listing.ts";
import type { RegistryEvent } from "../../src/core/leasing/types.ts";

// A service of its own for each test: a publication that is under way at the end of a test reaches the next one.
let service = "";
beforeEach(() => {
  service = `users-${crypto.randomUUID()}`;
});
afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

const stubOf = (name = service) => env.SERVICE_REGISTRY.getByName(name);
const request = (origin: string, rest: Partial<RegisterRequest> = {}): RegisterRequest => ({
  origin,
  url: `https://${origin}.example.com`,
  version: "v1",
  weight: 1,
  zone: null,
  metadata: {},
  ttlMs: 15_000,
  ...rest,
});
async function register(origin: string, rest: Partial<RegisterRequest> = {}, name = service) {
  const answer = await stubOf(name).register(request(origin, rest));
  if (!answer.ok) throw new Error(answer.code);
  return answer;
}
/** Ends the object as a failure of its machine does. An eviction would let its timers run first. */
const crash = abortAllDurableObjects;
const wait = (waitMs: number): Promise<void> => scheduler.wait(waitMs);
const states = async (): Promise<string[]> => (await stubOf().list()).origins.map(({ id, state }) => `${id} ${state}`);

/** Every event so far, as a watcher collects them: page by page. */
async function allEvents(limit = 1_000): Promise<RegistryEvent[]> {
  const events: RegistryEvent[] = [];
  for (;;) {
    const page = await stubOf().events({ fromRevision: events.at(-1)?.revision ?? 0, limit });
    if (!page.ok) throw new Error(page.code);
    events.push(...(page.events as RegistryEvent[]));
    if ((events.at(-1)?.revision ?? 0) >= page.revision) return events;
  }
}

interface Section {
  readonly revision: number;
  readonly frozen: boolean;
  readonly origins: readonly { readonly id: string; readonly state: string }[];
}
/** What isolates can see: the section in the control plane; null when there is none. */
async function published(): Promise<Section | null> {
  const plane = env.CONTROL_PLANE.getByName("control-plane");
  const hash = (await plane.manifest(-1))?.sections[`origins/${service}`];
  if (hash === undefined) return null;
  const text = (await plane.sections([hash]))[hash];
  return text === undefined ? null : JSON.parse(text);
}
/** Ids that the control plane has, as soon as they are the expected ones, and how long that took. */
async function publishedWithin(withinMs: number, expected: readonly string[]): Promise<void> {
  const startMs = Date.now();
  let ids: string[] | undefined;
  while (Date.now() - startMs < withinMs) {
    ids = (await published())?.origins.map(({ id, state }) => `${id} ${state}`);
    if (ids?.join() === expected.join()) return;
    await wait(5);
  }
  expect(ids).toEqual(expected);
}

describe("registering", () => {
  test("answers with the lease and its terms; again replaces it", async () => {
    const startMs = Date.now();
    const first = await register("a", { zone: "eu", metadata: { build: "7" } });
    expect(first).toMatchObject({ ok: true, created: true, ttlSeconds: 15, revision: 1 });
    expect(first.leaseId).toMatch(/^[0-9a-f-]{36}$/);
    expect(first.heartbeatSeconds).toBeGreaterThanOrEqual(4);
    expect(first.heartbeatSeconds).toBeLessThanOrEqual(6);
    expect(Date.parse(first.expiresAt) - startMs).toBeGreaterThanOrEqual(15_000);
    expect(Date.parse(first.expiresAt) - startMs).toBeLessThan(16_000);
    const second = await register("a", { zone: "eu" });
    expect(second).toMatchObject({ created: false, revision: 2 });
    expect(second.leaseId).not.toBe(first.leaseId);
    const { expiresAt } = second;
    const { origin: id, ...rest } = request("a", { zone: "eu" });
    const listed = { id, ...rest, state: "ready", drainUntilMs: null, createRevision: 1, modRevision: 2, expiresAt };
    expect(await stubOf().list()).toEqual({
      revision: 2,
      frozen: false,
      checks: null,
      unhealthyStatic: [],
      runs: {},
      origins: [listed],
    });
  });

  test("compares and swaps", async () => {
    const { revision } = await register("a");
    await register("b");
    expect(await stubOf().register(request("a", { ifRevision: 0 }))).toEqual({
      ok: false,
      code: "revision_conflict",
      revision,
    });
    expect(await stubOf().register(request("a", { ifRevision: revision }))).toMatchObject({ ok: true, revision: 3 });
  });

  test("of one service is nothing to another", async () => {
    await register("a", {}, `${service}-other`);
    expect(await states()).toEqual([]);
  });
});

describe("leases", () => {
  test("live by heartbeats and end by the clock, without any call", async () => {
    const kept = await register("kept", { ttlMs: 600 });
    await register("silent", { ttlMs: 600 });
    await publishedWithin(500, ["kept ready", "silent ready"]);
    for (let beat = 0; beat < 4; beat++) {
      await wait(200);
      const { renewed, lost } = await stubOf().heartbeat({ leases: [{ origin: "kept", leaseId: kept.leaseId }] });
      expect(renewed).toMatchObject([{ origin: "kept", leaseId: kept.leaseId, ttlSeconds: 0.6 }]);
      expect(lost).toEqual([]);
    }
    expect(await states()).toEqual(["kept ready"]);
    await wait(600);
    // Isolates learn it by the object's own timer: nobody has called it since.
    await publishedWithin(300, []);
    const { lost } = await stubOf().heartbeat({ leases: [{ origin: "kept", leaseId: kept.leaseId }] });
    expect(lost).toEqual([{ origin: "kept", leaseId: kept.leaseId }]);
    expect((await allEvents()).map(({ type, origin }) => `${type} ${origin}`)).toEqual([
      "put kept",
      "put silent",
      "expire silent",
      "expire kept",
    ]);
  });

  test("are drained: out of new traffic, then gone at the end of the grace", async () => {
    await register("a");
    await register("b");
    expect(await stubOf().drain({ origin: "a", graceSeconds: 0.3 })).toEqual({ ok: true, revision: 3 });
    await publishedWithin(250, ["a draining", "b ready"]);
    await wait(300);
    await publishedWithin(250, ["b ready"]);
    expect(await stubOf().drain({ origin: "b", graceSeconds: 0 })).toEqual({ ok: true, revision: 5 });
    expect(await states()).toEqual([]);
    expect(await stubOf().drain({ origin: "b", graceSeconds: 1 })).toEqual({ ok: false, code: "origin_unknown" });
  });

  test("deregister is idempotent", async () => {
    await register("a");
    expect(await stubOf().deregister({ origin: "a" })).toEqual({ ok: true, revision: 2 });
    expect(await stubOf().deregister({ origin: "a" })).toEqual({ ok: true, revision: 2 });
    expect(await states()).toEqual([]);
  });

  test("R4: survive the object's end with a whole ttl; R6: those that were over before stay over", async () => {
    const over = await register("over");
    const live = await register("live", { ttlMs: 500 });
    await stubOf().deregister({ origin: "over" });
    await crash();
    await wait(600);
    // Away for longer than the ttl, so no heartbeat could come: the lease is extended, and can be renewed.
    const { renewed, lost } = await stubOf().heartbeat({
      leases: [
        { origin: "live", leaseId: live.leaseId },
        { origin: "over", leaseId: over.leaseId },
      ],
    });
    expect(renewed).toHaveLength(1);
    expect(lost).toEqual([{ origin: "over", leaseId: over.leaseId }]);
    expect(await stubOf().list()).toMatchObject({ revision: 3, origins: [{ id: "live", createRevision: 2 }] });
    expect(replay(await allEvents()).origins).toMatchObject([{ id: "live" }]);
  });

  test("R4: a lease without renewal is not extended for ever", async () => {
    await register("a", { ttlMs: 300 });
    for (let start = 0; start < bounds.restartExtensionsMax; start++) {
      await crash();
      await wait(350);
      expect(await states()).toEqual(["a ready"]);
    }
    await crash();
    await wait(350);
    expect(await states()).toEqual([]);
  });

  test("R2: are not listed past their deadline, however late timer and alarm are", async () => {
    await register("a", { ttlMs: 250 });
    await runInDurableObject(stubOf(), async (_, state) => {
      vi.spyOn(globalThis, "setTimeout").mockImplementation(() => 0 as never);
      await state.storage.deleteAlarm();
    });
    await wait(300);
    expect(await states()).toEqual([]);
  });

  test("R5: a mass expiry is suspected: listed and published as suspect, also after the object's end", async () => {
    for (let n = 0; n < 10; n++) await register(`o${n}`, { ttlMs: 800 });
    await wait(900);
    expect(await stubOf().list()).toMatchObject({ frozen: true });
    const suspects = Array.from({ length: 10 }, (_, n) => `o${n} suspect`);
    expect(await states()).toEqual(suspects);
    await publishedWithin(300, suspects);
    expect(await published()).toMatchObject({ frozen: true });
    await crash();
    expect(await states()).toEqual(suspects);
    expect(replay(await allEvents())).toMatchObject({ frozen: true, origins: { length: 10 } });
  });
});

describe("the alarm", () => {
  test("is always set while a lease lives, and expires what is due in an object that had ended", async () => {
    await register("a", { ttlMs: 200 });
    for (let start = 0; start <= bounds.restartExtensionsMax; start++) {
      await crash();
      await wait(250);
      await runDurableObjectAlarm(stubOf());
    }
    await publishedWithin(300, []);
    const alarm = await runInDurableObject(stubOf(), (_, state) => state.storage.getAlarm());
    expect(alarm, "nothing will come due").toBeNull();
  });

  test("knows its service by name, so it can publish for an object that ended before it did", async () => {
    await runInDurableObject(stubOf(), async (instance) => {
      // The platform's way to say that the control plane is away.
      Object.assign(instance, {
        env: { CONTROL_PLANE: { getByName: () => ({ publish: () => Promise.reject("away") }) } },
      });
      instance.register(request("a"));
      await wait(2 * bounds.publishDelayMs);
    });
    expect(await published()).toBeNull();
    await crash();
    // No call names the object: only the alarm wakes it.
    await publishedWithin(3_000, ["a ready"]);
  });

  test("knows it also when the platform does not say", async () => {
    await register("a");
    await crash();
    const publish = vi.fn(async (_: { section: string }) => ({ accepted: true }));
    await runInDurableObject(stubOf(), async (instance, { storage }) => {
      const away = { CONTROL_PLANE: { getByName: () => ({ publish }) } };
      Object.assign(instance, { ctx: { id: {}, storage }, env: away });
      await instance.alarm();
      instance.register(request("b"));
      await wait(2 * bounds.publishDelayMs);
    });
    const sections = publish.mock.calls.map(([{ section }]) => section);
    expect(sections).toEqual([`origins/${service}`, `origins/${service}`]);
  });

  test("sets the next one though it fails", async () => {
    await register("a");
    await crash();
    const alarm = await runInDurableObject(stubOf(), async (instance, state) => {
      state.storage.sql.exec("ALTER TABLE origin RENAME TO hidden");
      await state.storage.deleteAlarm();
      await instance.alarm();
      state.storage.sql.exec("ALTER TABLE hidden RENAME TO origin");
      return await state.storage.getAlarm();
    });
    expect(alarm).toBeGreaterThan(Date.now());
    expect(await states()).toEqual(["a ready"]);
  });
});

describe("storage that fails", () => {
  test("fails the call, and memory tells the same as storage afterwards", async () => {
    const { leaseId } = await register("a");
    await runInDurableObject(stubOf(), (instance, state) => {
      state.storage.sql.exec("CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'disk full'); END");
      expect(() => instance.register(request("b"))).toThrow("disk full");
      expect(() => instance.deregister({ origin: "a" })).toThrow("disk full");
      expect(instance.list()).toMatchObject({ revision: 1, origins: [{ id: "a" }] });
      state.storage.sql.exec("DROP TRIGGER full");
    });
    expect((await stubOf().heartbeat({ leases: [{ origin: "a", leaseId }] })).renewed).toHaveLength(1);
    expect(await register("b")).toMatchObject({ revision: 2 });
    expect(replay(await allEvents()).origins).toMatchObject([{ id: "a" }, { id: "b" }]);
  });
});

test("tables of the version without checks are brought up to date, and keep what is in them", async () => {
  await register("a");
  await runInDurableObject(stubOf(), (_, { storage }) => {
    for (const table of ["check_order", "check_origin", "unhealthy"]) storage.sql.exec(`DROP TABLE ${table}`);
    for (const column of ["time_ms", "shown"]) storage.sql.exec(`ALTER TABLE event DROP COLUMN ${column}`);
    storage.sql.exec("DELETE FROM migration WHERE version > 1");
  });
  await crash();
  expect(await states()).toEqual(["a ready"]);
  await register("b");
  expect((await allEvents()).map(({ origin }) => origin)).toEqual(["a", "b"]);
});

describe("events", () => {
  test("R3: give all after a revision, page by page, or say that some are compacted", async () => {
    for (const id of ["a", "b", "c"]) await register(id);
    expect(await stubOf().events({ fromRevision: 1, limit: 1 })).toMatchObject({
      ok: true,
      revision: 3,
      events: [{ revision: 2, type: "put", origin: "b", body: { url: "https://b.example.com" } }],
    });
    expect(await stubOf().events({ fromRevision: 3, limit: 10 })).toEqual({ ok: true, revision: 3, events: [] });
    // As if a watcher came from another life of the registry: its revision means nothing here.
    expect(await stubOf().events({ fromRevision: 4, limit: 10 })).toEqual({
      ok: false,
      code: "compacted",
      revision: 3,
    });
  });

  test("are compacted to the newest that are kept; the listing and what follows it still are the whole", async () => {
    await register("a");
    await runInDurableObject(stubOf(), async (instance) => {
      for (let n = 0; n < bounds.registryEventsKeptMax; n++) instance.register(request("b"));
    });
    const revision = bounds.registryEventsKeptMax + 1;
    expect(await stubOf().events({ fromRevision: 0, limit: 10 })).toEqual({ ok: false, code: "compacted", revision });
    expect(await stubOf().events({ fromRevision: 1, limit: 1 })).toMatchObject({ ok: true, events: [{ revision: 2 }] });
    const kept = await runInDurableObject(stubOf(), (_, { storage }) =>
      storage.sql.exec("SELECT revision FROM event").toArray(),
    );
    expect(kept).toHaveLength(bounds.registryEventsKeptMax);
  });

  test("R1: of 1,000 changes by 8 concurrent writers rebuild exactly the listing", async () => {
    const writer = async (seed: number): Promise<void> => {
      const random = randomOf(seed);
      for (let change = 0; change < 125; change++) {
        const origin = `o${Math.floor(random() * 40)}`;
        const kind = random();
        if (kind < 0.6) await register(origin, { version: `v${seed}`, weight: change });
        else if (kind < 0.8) await stubOf().drain({ origin, graceSeconds: Math.floor(random() * 2) * 30 });
        else await stubOf().deregister({ origin });
      }
    };
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(writer));
    const events = await allEvents(100);
    expect(events.length).toBeGreaterThan(700);
    expect(events.map(({ revision }) => revision)).toEqual(events.map((_, at) => at + 1));
    const { revision, frozen, checks, origins } = await stubOf().list();
    const views = origins.map(({ expiresAt: _, ...view }) => view);
    expect(replay(events)).toEqual({ revision, frozen, checks, unhealthy: [], origins: views });
    expect(new Set(views.map(({ state }) => state))).toEqual(new Set(["ready", "draining"]));
    // And once more from storage alone.
    await crash();
    expect((await stubOf().list()).origins.map(({ expiresAt: _, ...view }) => view)).toEqual(views);
  });
});

/** mulberry32, so that a failure can be repeated. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe("publishing", () => {
  test("shows a change within the delay and a call, without leases, deadlines or metadata", async () => {
    await register("a", { metadata: { secret: "x" }, zone: "eu" });
    await publishedWithin(bounds.publishDelayMs + 200, ["a ready"]);
    const origin = { id: "a", url: "https://a.example.com", version: "v1", weight: 1, zone: "eu", state: "ready" };
    expect(await published()).toEqual({ revision: 1, frozen: false, checks: null, unhealthy: [], origins: [origin] });
  });

  test("puts many changes within the delay into one publication, and heartbeats into none", async () => {
    const calls = await runInDurableObject(stubOf(), async (instance) => {
      const publish = vi.fn(async (_: { section: string; revision: number }) => ({ accepted: true }));
      Object.assign(instance, { env: { CONTROL_PLANE: { getByName: () => ({ publish }) } } });
      for (let n = 0; n < 20; n++) instance.register(request(`o${n}`));
      const renewable = instance.register(request("a"));
      await wait(3 * bounds.publishDelayMs);
      if (renewable.ok) instance.heartbeat({ leases: [{ origin: "a", leaseId: renewable.leaseId }] });
      await wait(3 * bounds.publishDelayMs);
      return publish.mock.calls.map(([{ section, revision }]) => ({ section, revision }));
    });
    expect(calls).toEqual([{ section: `origins/${service}`, revision: 21 }]);
  });

  test("is tried again after a failure, with what is the state by then", async () => {
    await runInDurableObject(stubOf(), async (instance) => {
      const away = vi.fn().mockRejectedValueOnce(new Error("away")).mockResolvedValue({ accepted: true });
      Object.assign(instance, { env: { CONTROL_PLANE: { getByName: () => ({ publish: away }) } } });
      instance.register(request("a"));
      await wait(2 * bounds.publishDelayMs);
      expect(away).toHaveBeenCalledTimes(1);
      instance.register(request("b"));
      await wait(bounds.publishRetryMs + 2 * bounds.publishDelayMs);
      expect(away.mock.lastCall?.[0]).toMatchObject({ revision: 2 });
    });
  });

  test("of changes that come during a publication follows it, one at a time", async () => {
    await runInDurableObject(stubOf(), async (instance) => {
      let underWay = 0;
      const revisions: number[] = [];
      const slow = async ({ revision }: { revision: number }) => {
        expect(++underWay).toBe(1);
        await wait(3 * bounds.publishDelayMs);
        underWay--;
        revisions.push(revision);
        return { accepted: true };
      };
      Object.assign(instance, { env: { CONTROL_PLANE: { getByName: () => ({ publish: slow }) } } });
      instance.register(request("a"));
      await wait(2 * bounds.publishDelayMs);
      instance.register(request("b"));
      instance.register(request("c"));
      await wait(8 * bounds.publishDelayMs);
      expect(revisions).toEqual([1, 3]);
    });
  });
});

import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { bounds } from "../../src/bounds.ts";
import { sha256Hex } from "../../src/digest.ts";
import type { Snapshot } from "../../src/snapshot/types.ts";

type Cache = typeof import("../../src/snapshot/cache.ts");

/** A control plane in this test's hands. */
interface Plane {
  /** Of its object: what a location shares of a control plane is kept under it. */
  id: string;
  version: number;
  revision: number;
  config: string | null;
  canary: { readonly revision: number; readonly percent: number; readonly text: string } | null;
  origins: Record<string, string>;
  health: Record<string, string>;
  /** Puts another text under a hash, as a broken store would. */
  tampered: Record<string, string>;
  /** What a call does before it answers. */
  before: () => Promise<void>;
  manifests: number;
  asked: string[];
  /** What isolates said that they cannot compile; `isDeaf`: it hears nothing. */
  rejected: { readonly revision: number; readonly worker: string; readonly detail: string }[];
  isDeaf: boolean;
}

let plane: Plane;
let cache: Cache;
let aheadMs = 0;
let logged = vi.fn();

beforeEach(async () => {
  plane = {
    id: crypto.randomUUID(),
    version: 0,
    revision: 0,
    config: null,
    canary: null,
    origins: {},
    health: {},
    tampered: {},
    before: async () => {},
    manifests: 0,
    asked: [],
    rejected: [],
    isDeaf: false,
  };
  aheadMs = 0;
  const realNow = Date.now.bind(Date);
  vi.spyOn(Date, "now").mockImplementation(() => realNow() + aheadMs);
  logged = vi.fn();
  vi.stubGlobal("console", { ...console, error: logged });
  cache = await newIsolate();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** The module's state is the isolate's. */
async function newIsolate(): Promise<Cache> {
  vi.resetModules();
  return import("../../src/snapshot/cache.ts");
}

async function textsOf(): Promise<Record<string, string>> {
  const published = [...Object.values(plane.origins), ...Object.values(plane.health)];
  const texts = [plane.config, plane.canary?.text ?? null, ...published].filter((text) => text !== null);
  return Object.fromEntries(await Promise.all(texts.map(async (text) => [await sha256Hex(text), text])));
}

const namespaceOf = (stub: unknown) => ({ getByName: () => stub, idFromName: () => plane.id });

const fakeEnv = (variables: Record<string, unknown> = {}): Env => {
  const stub = {
    async manifest(ifVersion: number) {
      plane.manifests++;
      await plane.before();
      if (plane.version === ifVersion) return null;
      const sections: Record<string, string> = plane.config === null ? {} : { config: await sha256Hex(plane.config) };
      for (const [service, text] of Object.entries(plane.origins))
        sections[`origins/${service}`] = await sha256Hex(text);
      for (const [service, text] of Object.entries(plane.health)) sections[`health/${service}`] = await sha256Hex(text);
      const { canary } = plane;
      if (canary) sections.canary = await sha256Hex(canary.text);
      const tried = canary && { revision: canary.revision, percent: canary.percent };
      return { version: plane.version, revision: plane.revision, canary: tried, sections };
    },
    async reject(about: Plane["rejected"][number]) {
      if (plane.isDeaf) throw new Error("away");
      plane.rejected.push(about);
    },
    async sections(hashes: readonly string[]) {
      plane.asked.push(...hashes);
      const texts = { ...(await textsOf()), ...plane.tampered };
      return Object.fromEntries(hashes.flatMap((hash) => (texts[hash] === undefined ? [] : [[hash, texts[hash]]])));
    },
  };
  return { ...env, ...variables, CONTROL_PLANE: namespaceOf(stub) } as unknown as Env;
};

const toHost = (hostname: string) =>
  JSON.stringify({ services: { s: {} }, routes: [{ name: "r", redirect: { hostname } }] });
function configure(text: string): void {
  plane.config = text;
  plane.revision++;
  plane.version++;
}
function registered(...ids: string[]): void {
  publishOrigins(ids);
}
/** What a registry that checks its origins publishes. */
function publishOrigins(ids: readonly string[], rest: object = {}): void {
  const origins = ids.map((id) => ({
    id,
    url: `https://${id}.example.com`,
    version: null,
    weight: 1,
    zone: null,
    state: "ready",
  }));
  plane.origins.s = JSON.stringify({ revision: plane.version, frozen: false, origins, ...rest });
  plane.version++;
}

/** One request's look at the snapshot, and everything that it left running. */
async function look(variables?: Record<string, unknown>): Promise<Snapshot | null> {
  const ctx = createExecutionContext();
  const snapshot = await cache.currentSnapshot(fakeEnv(variables), ctx);
  await waitOnExecutionContext(ctx);
  return snapshot;
}
const hostOf = (snapshot: Snapshot | null) => {
  const entry = [...(snapshot?.config.table.anyHost?.root.rest ?? [])][0]?.entry.route;
  return entry?.redirect?.hostname ?? null;
};
const idsOf = (snapshot: Snapshot | null) => snapshot?.services.get("s")?.origins.map(({ id }) => id) ?? null;
/** Lets so much time pass that a request waits for a refresh. */
const pass = (ms: number = bounds.snapshotStaleMaxMs + 1) => {
  aheadMs += ms;
};

describe("freshness", () => {
  test("a cold isolate waits for its first snapshot", async () => {
    configure(toHost("a.example"));
    expect(hostOf(await look())).toBe("a.example");
  });
  test("before the first configuration there is none, and the control plane is not asked for every request", async () => {
    for (let times = 0; times < 20; times++) expect(await look()).toBeNull();
    expect(plane.manifests).toBe(1);
    configure(toHost("a.example"));
    pass();
    expect(hostOf(await look())).toBe("a.example");
  });
  test("a fresh snapshot is used without asking", async () => {
    configure(toHost("a.example"));
    await look();
    configure(toHost("b.example"));
    for (let times = 0; times < 20; times++) expect(hostOf(await look())).toBe("a.example");
    expect(plane.manifests).toBe(1);
  });
  test("an older one is used while it is replaced", async () => {
    configure(toHost("a.example"));
    await look();
    configure(toHost("b.example"));
    pass(bounds.snapshotFreshMs + 1);
    expect(hostOf(await look())).toBe("a.example");
    expect(hostOf(await look())).toBe("b.example");
  });
  test("one beyond the bound is not: the request waits, so no origin outlives its lease by a second", async () => {
    configure(toHost("a.example"));
    registered("one", "two");
    expect(idsOf(await look())).toEqual(["one", "two"]);
    registered("two");
    pass(bounds.snapshotStaleMaxMs + 1);
    expect(idsOf(await look())).toEqual(["two"]);
    expect(bounds.snapshotStaleMaxMs).toBeLessThan(1_000);
  });
  test("what has been asked and is unchanged is fresh again", async () => {
    configure(toHost("a.example"));
    const first = await look();
    pass();
    expect(await look()).toBe(first);
    expect(await look()).toBe(first);
    expect(plane.manifests).toBe(2);
  });
  test("only sections that changed are read again", async () => {
    configure(toHost("a.example"));
    registered("one");
    await look();
    plane.asked = [];
    registered("one", "two");
    pass();
    expect(idsOf(await look())).toEqual(["one", "two"]);
    expect(plane.asked).toEqual([await sha256Hex(plane.origins.s ?? "")]);
  });
});

describe("what health objects publish", () => {
  const healthOf = (snapshot: Snapshot | null) => snapshot?.services.get("s")?.health;
  function publishHealth(revision: number, service = "s"): void {
    plane.health[service] = JSON.stringify({ revision, forced: "auto", breakers: [], ejected: [] });
    plane.version++;
  }
  test("is in the service's view, the same object until it changes", async () => {
    configure(toHost("a.example"));
    expect(healthOf(await look())).toBeNull();
    publishHealth(1);
    pass();
    const first = healthOf(await look());
    expect(first).toEqual({ revision: 1, forced: "auto", breakers: [], ejected: [] });
    registered("one");
    configure(toHost("b.example"));
    publishHealth(7, "other");
    pass();
    const next = await look();
    expect([hostOf(next), idsOf(next)]).toEqual(["b.example", ["one"]]);
    expect(healthOf(next)).toBe(first);
    publishHealth(2);
    pass();
    expect(healthOf(await look())).toMatchObject({ revision: 2 });
  });
  test("of a service and its origins are not mixed up, nor with sections of a later version", async () => {
    configure(JSON.stringify({ services: { s: {}, xs: {} } }));
    registered("one");
    publishHealth(1, "xs");
    plane.health["s/more"] = '{"revision":9}';
    const snapshot = await look();
    expect([idsOf(snapshot), healthOf(snapshot)]).toEqual([["one"], null]);
    expect(snapshot?.services.get("xs")).toMatchObject({ origins: [], health: { revision: 1 } });
  });
});

describe("origins that failed their checks", () => {
  const checked = (check?: object) =>
    JSON.stringify({ services: { s: { ...(check && { healthCheck: check }), origins: [fixed] } } });
  const fixed = { id: "fixed", url: "https://fixed.example.com" };
  const statesOf = (snapshot: Snapshot | null) =>
    snapshot?.services.get("s")?.origins.map(({ id, state }) => `${id} ${state}`);

  test("are unhealthy, static ones too, and still among the usable", async () => {
    configure(checked({}));
    publishOrigins(["one", "two"], { checks: "digest", unhealthy: ["fixed", "two", "gone"] });
    const snapshot = await look();
    expect(statesOf(snapshot)).toEqual(["fixed unhealthy", "one ready", "two unhealthy"]);
    const view = snapshot?.services.get("s");
    expect(view?.usable.map(({ id, state }) => `${id} ${state}`)).toEqual(statesOf(snapshot));
    expect(view?.checks).toBe("digest");
  });
  test("that drain keep that state", async () => {
    configure(checked({}));
    publishOrigins(["one"], { unhealthy: ["one"] });
    plane.origins.s = (plane.origins.s ?? "").replace('"ready"', '"draining"');
    expect(statesOf(await look())).toEqual(["fixed ready", "one draining"]);
  });
  test("are ready when the document no longer checks", async () => {
    configure(checked());
    publishOrigins(["one"], { checks: "digest", unhealthy: ["fixed", "one"] });
    expect(statesOf(await look())).toEqual(["fixed ready", "one ready"]);
  });
  test("are none while the registry publishes none", async () => {
    configure(checked({}));
    registered("one");
    const snapshot = await look();
    expect(statesOf(snapshot)).toEqual(["fixed ready", "one ready"]);
    expect(snapshot?.services.get("s")?.checks).toBeNull();
  });
});

describe("single flight", () => {
  test("a hundred requests at once ask the control plane once", async () => {
    configure(toHost("a.example"));
    plane.before = () => scheduler.wait(50);
    const snapshots = await Promise.all(Array.from({ length: 100 }, () => look()));
    expect(new Set(snapshots.map(hostOf))).toEqual(new Set(["a.example"]));
    expect(plane.manifests).toBe(1);
    configure(toHost("b.example"));
    pass();
    expect(new Set((await Promise.all(Array.from({ length: 100 }, () => look()))).map(hostOf))).toEqual(
      new Set(["b.example"]),
    );
    expect(plane.manifests).toBe(2);
  });
  test("a flight that never ends holds nobody longer than the bound, and is replaced", async () => {
    configure(toHost("a.example"));
    await look();
    plane.before = () => new Promise(() => {});
    pass();
    const startMs = performance.now();
    expect(hostOf(await cache.currentSnapshot(fakeEnv(), createExecutionContext()))).toBe("a.example");
    expect(performance.now() - startMs).toBeLessThan(bounds.snapshotWaitMsMax + 1_000);
    plane.before = async () => {};
    configure(toHost("b.example"));
    pass(bounds.snapshotFlightMsMax);
    await look();
    expect(hostOf(await look())).toBe("b.example");
  });
});

describe("C1: the version never goes down", () => {
  test("whatever the control plane says", async () => {
    configure(toHost("a.example"));
    configure(toHost("b.example"));
    await look();
    plane.version = 1;
    plane.config = toHost("old.example");
    pass();
    expect(await look()).toMatchObject({ version: 2, revision: 2 });
    expect(hostOf(await look())).toBe("b.example");
  });
  test("when an older answer arrives after a newer one", async () => {
    configure(toHost("a.example"));
    await look();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = fakeEnv();
    const slowStub = slow.CONTROL_PLANE.getByName("control-plane");
    configure(toHost("b.example"));
    const old = await slowStub.manifest(-1);
    const oldTexts = await textsOf();
    const late = {
      manifest: async () => {
        await held;
        return old;
      },
      sections: async () => oldTexts,
    };
    const refreshing = cache.refreshSnapshot({ ...slow, CONTROL_PLANE: namespaceOf(late) } as unknown as Env);
    configure(toHost("c.example"));
    await cache.refreshSnapshot(fakeEnv());
    release();
    await refreshing;
    expect(cache.snapshotStatus().snapshot).toMatchObject({ version: 3, revision: 3 });
    expect(hostOf(cache.snapshotStatus().snapshot)).toBe("c.example");
  });
  test("a rollback is a higher revision of the old document, also for an isolate that saw nothing in between", async () => {
    configure(toHost("a.example"));
    await look();
    configure(toHost("b.example"));
    configure(toHost("a.example"));
    pass();
    const snapshot = await look();
    expect(snapshot).toMatchObject({ version: 3, revision: 3 });
    // Objects go by the newest revision that anybody has told them.
    expect(snapshot?.config.services.get("s")?.health.revision).toBe(3);
  });
});

test("C2: one request keeps the snapshot that it has begun with", async () => {
  configure(toHost("a.example"));
  registered("one");
  const mine = await look();
  configure(toHost("b.example"));
  registered();
  pass();
  await look();
  expect([hostOf(mine), idsOf(mine)]).toEqual(["a.example", ["one"]]);
});

describe("C3: a document that does not compile here", () => {
  const needsVariable = JSON.stringify({
    services: { s: {} },
    routes: [{ name: "r", redirect: { hostname: `\${${"HOST"}}` } }],
  });
  test("leaves the last good one in use, and is reported without its content", async () => {
    configure(toHost("a.example"));
    registered("one");
    await look();
    configure(needsVariable);
    pass();
    const kept = await look();
    expect([hostOf(kept), idsOf(kept), kept?.revision]).toEqual(["a.example", ["one"], 1]);
    expect(cache.snapshotStatus().problems).toEqual(["revision 2 does not compile here"]);
  });
  test("does not keep origins from changing, and is not read again and again", async () => {
    configure(toHost("a.example"));
    await look();
    configure(needsVariable);
    pass();
    await look();
    plane.asked = [];
    registered("one", "two");
    pass();
    const kept = await look();
    expect([hostOf(kept), idsOf(kept), kept?.revision]).toEqual(["a.example", ["one", "two"], 1]);
    expect(plane.asked).toHaveLength(1);
    expect(cache.snapshotStatus().problems).toEqual(["revision 2 does not compile here"]);
  });
  test.each<readonly [string, string]>([
    ["another document", toHost("c.example")],
    ["the last good one", toHost("a.example")],
  ])("is forgotten as soon as it is replaced by %s", async (_, text) => {
    configure(toHost("a.example"));
    await look();
    configure(needsVariable);
    pass();
    await look();
    configure(text);
    pass();
    expect(await look()).toMatchObject({ revision: 3 });
    expect(cache.snapshotStatus().problems).toEqual([]);
  });
  test("is told to the control plane, once, and again only when it was not heard", async () => {
    configure(toHost("a.example"));
    await look();
    plane.isDeaf = true;
    configure(needsVariable);
    pass();
    await look();
    expect(plane.rejected).toEqual([]);
    plane.isDeaf = false;
    for (let times = 0; times < 3; times++) {
      pass();
      await look();
    }
    expect(plane.rejected).toEqual([
      {
        revision: 2,
        worker: env.VERSION_METADATA.id,
        detail: expect.stringMatching(/^#\/routes\/0\/redirect\/hostname: .*HOST/),
      },
    ]);
    expect(cache.snapshotStatus().problems).toEqual(["revision 2 does not compile here"]);
  });
  test("leaves a cold isolate without a snapshot", async () => {
    configure(needsVariable);
    expect(await look()).toBeNull();
    expect(cache.snapshotStatus()).toMatchObject({ snapshot: null, problems: ["revision 1 does not compile here"] });
  });
  test("compiles where the variable is", async () => {
    configure(needsVariable);
    expect(hostOf(await look({ HOST: "from.variable.example" }))).toBe("from.variable.example");
  });
});

describe("C4: a section whose text does not have its hash", () => {
  test.each(["config", "origins"])("is refused, and what there is stays: %s", async (section) => {
    configure(toHost("a.example"));
    registered("one");
    await look();
    configure(toHost("b.example"));
    registered("two");
    const text = section === "config" ? plane.config : plane.origins.s;
    plane.tampered = {
      [await sha256Hex(text ?? "")]:
        section === "config" ? toHost("evil.example") : '{"revision":9,"frozen":false,"origins":[]}',
    };
    pass();
    const kept = await look();
    expect([hostOf(kept), idsOf(kept), kept?.version]).toEqual(["a.example", ["one"], 2]);
    expect(cache.snapshotStatus().problems).toEqual(["the control plane could not be read"]);
    plane.tampered = {};
    pass();
    await look();
    expect(hostOf(await look())).toBe("b.example");
    expect(cache.snapshotStatus().problems).toEqual([]);
  });
});

test("a section that is replaced while it is read makes the refresh start over", async () => {
  configure(toHost("a.example"));
  registered("one");
  const broken = fakeEnv();
  const stub = broken.CONTROL_PLANE.getByName("x");
  let times = 0;
  const racing = {
    manifest: (ifVersion: number) => stub.manifest(ifVersion),
    sections: async (hashes: string[]) => {
      if (times++ === 0) registered("two");
      return stub.sections(hashes);
    },
  };
  await cache.refreshSnapshot({ ...broken, CONTROL_PLANE: namespaceOf(racing) } as unknown as Env);
  expect(idsOf(cache.snapshotStatus().snapshot)).toEqual(["two"]);
  const always = { ...racing, sections: async () => ({}) };
  configure(toHost("b.example"));
  await expect(
    (async () => await cache.refreshSnapshot({ ...broken, CONTROL_PLANE: namespaceOf(always) } as unknown as Env))(),
  ).rejects.toThrow(/faster/);
});

describe("a canary", () => {
  const tries = (text: string, revision: number): void => {
    plane.canary = { revision, percent: 10, text };
    plane.version++;
  };
  const needsVariable = toHost(`\${${"HOST"}}`);
  const limited = (limit: number) =>
    JSON.stringify({
      rateLimits: { l: { windows: [{ limit, seconds: 1 }] } },
      services: { s: { maxConcurrentRequests: limit } },
    });

  test("is a snapshot of its own beside the one in force, with the same origins", async () => {
    configure(toHost("a.example"));
    registered("one");
    tries(toHost("canary.example"), 2);
    const snapshot = await look();
    expect([hostOf(snapshot), snapshot?.revision]).toEqual(["a.example", 1]);
    const { percent, snapshot: tried } = snapshot!.canary!;
    expect([percent, hostOf(tried), tried.revision, tried.version, idsOf(tried)]).toEqual([
      10,
      "canary.example",
      2,
      3,
      ["one"],
    ]);
    expect(tried.canary).toBeNull();
    plane.canary = null;
    plane.version++;
    pass();
    expect((await look())?.canary).toBeNull();
  });
  test("has the limits and the settings of objects that are in force, by the revision in force, until it is promoted", async () => {
    configure(limited(5));
    tries(limited(9), 2);
    const snapshot = (await look())!;
    const { config } = snapshot.canary!.snapshot;
    expect(config.limits.get("l")).toEqual(snapshot.config.limits.get("l"));
    expect(config.services.get("s")?.health).toMatchObject({ maxConcurrent: 5, revision: 1 });
    plane.canary = null;
    configure(limited(9));
    pass();
    expect((await look())?.config.services.get("s")?.health).toMatchObject({ maxConcurrent: 9, revision: 2 });
  });
  test("is compiled anew when what is in force changes", async () => {
    configure(limited(5));
    tries(limited(9), 2);
    await look();
    configure(limited(6));
    plane.revision = 3;
    pass();
    expect((await look())?.canary?.snapshot.config.services.get("s")?.health).toMatchObject({
      maxConcurrent: 6,
      revision: 3,
    });
  });
  test("that does not compile here is served to nobody here, and reported under its revision", async () => {
    configure(toHost("a.example"));
    tries(needsVariable, 2);
    const snapshot = await look();
    expect([hostOf(snapshot), snapshot?.canary]).toEqual(["a.example", null]);
    expect(plane.rejected).toMatchObject([{ revision: 2 }]);
    expect(cache.snapshotStatus().problems).toEqual(["revision 2 does not compile here"]);
    tries(toHost("b.example"), 3);
    pass();
    expect(hostOf((await look())!.canary!.snapshot)).toBe("b.example");
    expect(cache.snapshotStatus().problems).toEqual([]);
  });
});

describe("isolates of one location", () => {
  /** An isolate more, that has nothing yet. */
  const other = async (): Promise<Cache> => newIsolate();
  const lookIn = async (isolate: Cache): Promise<Snapshot | null> => {
    const ctx = createExecutionContext();
    const snapshot = await isolate.currentSnapshot(fakeEnv(), ctx);
    await waitOnExecutionContext(ctx);
    return snapshot;
  };

  test("share what one has asked for, and count its age", async () => {
    configure(toHost("a.example"));
    registered("one");
    vi.spyOn(Math, "random").mockReturnValue(1);
    const second = await other();
    await look();
    const [manifests, sections] = [plane.manifests, plane.asked.length];
    aheadMs += bounds.manifestSharedMsMax / 2;
    expect(await lookIn(second)).toMatchObject({ version: 2, revision: 1 });
    expect([plane.manifests, plane.asked.length]).toEqual([manifests, sections]);
    expect(second.snapshotStatus().ageMs).toBeGreaterThanOrEqual(bounds.manifestSharedMsMax / 2);
  });
  test("ask again when it is too old, and then only whether there is anything new", async () => {
    configure(toHost("a.example"));
    registered("one");
    await look();
    const [manifests, sections] = [plane.manifests, plane.asked.length];
    aheadMs += bounds.manifestSharedMsMax + 1;
    const second = await other();
    expect(await lookIn(second)).toMatchObject({ version: 2, revision: 1 });
    expect([plane.manifests, plane.asked.length]).toEqual([manifests + 1, sections]);
    expect(second.snapshotStatus().ageMs).toBeLessThan(bounds.manifestSharedMsMax);
  });
  test("do not wait for what is shared when they have made a change themselves", async () => {
    configure(toHost("a.example"));
    await look();
    configure(toHost("b.example"));
    await cache.refreshSnapshot(fakeEnv());
    expect(hostOf(cache.snapshotStatus().snapshot)).toBe("b.example");
  });
  test("share nothing with another gateway", async () => {
    configure(toHost("a.example"));
    await look();
    const { manifests } = plane;
    plane.id = crypto.randomUUID();
    await lookIn(await other());
    expect(plane.manifests).toBe(manifests + 1);
  });
  test("believe no section that does not have its hash, wherever it comes from", async () => {
    configure(toHost("a.example"));
    await look();
    const key = `https://sluice.internal/${plane.id}/section/${await sha256Hex(plane.config!)}`;
    const cacheOfLocation = await caches.open("sluice");
    expect(await cacheOfLocation.match(key)).toBeDefined();
    await cacheOfLocation.put(
      key,
      new Response(toHost("evil.example"), { headers: { "cache-control": "max-age=60" } }),
    );
    expect(hostOf(await lookIn(await other()))).toBe("a.example");
  });
  test("do without a cache that fails", async () => {
    vi.spyOn(caches, "open").mockRejectedValue(new Error("no cache"));
    configure(toHost("a.example"));
    expect(hostOf(await look())).toBe("a.example");
    pass();
    configure(toHost("b.example"));
    await look();
    expect(hostOf(await look())).toBe("b.example");
    expect(cache.snapshotStatus().problems).toEqual([]);
  });
});

describe("C7: while the control plane is away", () => {
  const away = () => {
    plane.before = () => Promise.reject(new Error("secret reason"));
  };
  test("the last good snapshot serves, and health says its age and why, but no more", async () => {
    configure(toHost("a.example"));
    await look();
    away();
    pass(3_600_000);
    expect(hostOf(await look())).toBe("a.example");
    const { ageMs, problems } = cache.snapshotStatus();
    expect(ageMs).toBeGreaterThanOrEqual(3_600_000);
    expect(problems).toEqual(["the control plane could not be read"]);
    expect(logged.mock.calls.flat().join()).toContain("secret reason");
  });
  test("requests do not wait for it one after the other, nor ask it more often than usual", async () => {
    configure(toHost("a.example"));
    await look();
    plane.before = () => new Promise(() => {});
    pass();
    await cache.currentSnapshot(fakeEnv(), createExecutionContext());
    plane.manifests = 0;
    const startMs = performance.now();
    for (let times = 0; times < 50; times++) {
      pass(20);
      expect(hostOf(await cache.currentSnapshot(fakeEnv(), createExecutionContext()))).toBe("a.example");
    }
    expect(performance.now() - startMs).toBeLessThan(500);
    expect(plane.manifests).toBeLessThanOrEqual(2);
  });
  test("failures are asked about no more often than answers are, and logged once", async () => {
    configure(toHost("a.example"));
    await look();
    away();
    pass();
    plane.manifests = 0;
    for (let times = 0; times < 100; times++) {
      pass(20);
      await look();
    }
    expect(plane.manifests).toBeLessThanOrEqual(2_000 / bounds.snapshotFreshMs + 1);
    expect(logged).toHaveBeenCalledTimes(1);
  });
  test("it is noticed when it is back", async () => {
    configure(toHost("a.example"));
    await look();
    away();
    pass();
    await look();
    plane.before = async () => {};
    configure(toHost("b.example"));
    pass();
    await look();
    expect(hostOf(await look())).toBe("b.example");
    expect(cache.snapshotStatus().problems).toEqual([]);
  });
  test("a failure of long ago does not excuse an old snapshot", async () => {
    configure(toHost("a.example"));
    await look();
    away();
    pass();
    await look();
    plane.before = async () => {};
    configure(toHost("b.example"));
    pass(3_600_000);
    expect(hostOf(await look())).toBe("b.example");
  });
  test("a cold isolate has nothing to serve", async () => {
    away();
    expect(await look()).toBeNull();
    expect(cache.snapshotStatus()).toMatchObject({
      snapshot: null,
      ageMs: 0,
      problems: ["the control plane could not be read"],
    });
  });
});

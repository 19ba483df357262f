import { abortAllDurableObjects, evictDurableObject, reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bounds } from "../../src/bounds.ts";
import { apply, call, problemOf, type Role } from "./admin-support.ts";

interface Event {
  readonly revision: number;
  readonly type: string;
  readonly origin: string | null;
  readonly [member: string]: unknown;
}
interface Polled {
  readonly revision: number;
  readonly events: readonly Event[];
}
interface ManifestPolled {
  readonly version: number;
  readonly events: readonly { readonly version: number; readonly revision: number; readonly section: string }[];
}
interface Problem {
  readonly revision?: number;
  readonly version?: number;
}

const stubOf = () => env.SERVICE_REGISTRY.getByName("users");
const plane = () => env.CONTROL_PLANE.getByName("control-plane");
const wait = (waitMs: number): Promise<void> => scheduler.wait(waitMs);
const watched = "/v1/services/users/watch";

async function register(origin: string, rest: Record<string, unknown> = {}): Promise<void> {
  const body = { url: `https://${origin}.example.com`, ...rest };
  const response = await call("PUT", `/v1/services/users/origins/${origin}`, { body });
  if (!response.ok) throw new Error(await response.text());
}
async function poll(query: string, path = watched): Promise<Polled> {
  const response = await call("GET", `${path}${query}`, { role: "viewer" });
  expect(response.status).toBe(200);
  return response.json();
}
const pollManifest = async (query: string) => (await poll(query, "/v1/watch")) as unknown as ManifestPolled;
const seen = ({ events }: Pick<Polled, "events">) =>
  events.map(({ revision, type, origin }) => [revision, type, origin]);

/** A stream from the client's side. */
interface Stream {
  readonly socket: WebSocket;
  readonly events: Event[];
  readonly texts: string[];
  /** Code and reason, once it is closed. */
  readonly closed: Promise<readonly [number, string]>;
  /** Waits until so many events have come. */
  has(count: number): Promise<void>;
}
async function open(query: string, path = watched, role: Role = "viewer"): Promise<Stream> {
  const response = await call("GET", `${path}${query}`, { role, headers: { upgrade: "websocket" } });
  expect(response.status).toBe(101);
  const socket = response.webSocket!;
  const events: Event[] = [];
  const texts: string[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<readonly [number, string]>();
  socket.addEventListener("close", ({ code, reason }) => resolve([code, reason]));
  socket.addEventListener("message", ({ data }) => {
    if (String(data).startsWith("{")) events.push(JSON.parse(String(data)));
    else texts.push(String(data));
  });
  socket.accept();
  const has = (count: number) => expect.poll(() => events.length, { timeout: 5_000 }).toBeGreaterThanOrEqual(count);
  return { socket, events, texts, closed, has };
}

beforeEach(() => apply({ services: { users: {}, fixed: { origins: [{ id: "s", url: "https://s.example.com" }] } } }));
afterEach(async () => {
  await reset();
});

describe("a call that waits", () => {
  test("tells every event after `from`, with the origin as the listing shows it", async () => {
    await register("a", { version: "v1", zone: "eu", weight: 3, metadata: { build: "7" } });
    await register("a", { version: "v2" });
    await call("POST", "/v1/services/users/origins/a/drain", { body: {} });
    await call("DELETE", "/v1/services/users/origins/a");
    const { revision, events } = await poll("?from=0");
    const url = "https://a.example.com";
    const first = { url, version: "v1", weight: 3, zone: "eu", metadata: { build: "7" }, state: "ready" };
    const second = { url, version: "v2", weight: 1, zone: null, metadata: {}, state: "ready" };
    const leased = { origin: "a", static: false, createRevision: 1 };
    expect(events).toEqual([
      { revision: 1, type: "registered", ...leased, ...first, modRevision: 1 },
      { revision: 2, type: "replaced", ...leased, ...second, modRevision: 2 },
      { revision: 3, type: "draining", ...leased, ...second, state: "draining", modRevision: 3 },
      { revision: 4, type: "removed", origin: "a" },
    ]);
    expect(revision).toBe(4);
    expect(seen(await poll("?from=2"))).toEqual([
      [3, "draining", "a"],
      [4, "removed", "a"],
    ]);
  });
  test("wakes on a change", async () => {
    const startMs = Date.now();
    const polling = poll("?from=0&waitSeconds=20");
    await wait(100);
    await register("a");
    expect(seen(await polling)).toEqual([[1, "registered", "a"]]);
    expect(Date.now() - startMs).toBeLessThan(10_000);
  });
  test("ends without events when its time is over", async () => {
    await register("a");
    const startMs = Date.now();
    expect(await poll("?from=1&waitSeconds=1")).toEqual({ revision: 1, events: [] });
    expect(Date.now() - startMs).toBeGreaterThanOrEqual(990);
  });
  test("sleeps through heartbeats", async () => {
    await register("a");
    const polling = poll("?from=1&waitSeconds=1");
    const { leaseId } = await runInDurableObject(stubOf(), (_, { storage }) =>
      storage.sql.exec<{ leaseId: string }>("SELECT lease_id AS leaseId FROM origin").one(),
    );
    const beat = await call("POST", "/v1/services/users/origins/a/heartbeat", { body: { leaseId } });
    expect(beat.status).toBe(200);
    expect(await polling).toEqual({ revision: 1, events: [] });
  });
  test("without `from` tells at once where to begin", async () => {
    await register("a");
    expect(await poll("")).toEqual({ revision: 1, events: [] });
  });
  test("tells many events page by page", async () => {
    const count = bounds.watchEventsPerPageMax + 5;
    await runInDurableObject(stubOf(), (registry) => {
      for (let n = 0; n < count; n++) {
        const rest = { version: null, weight: 1, zone: null, metadata: {}, ttlMs: 15_000 };
        registry.register({ origin: `o${n % 7}`, url: "https://a.example.com", ...rest });
      }
    });
    const one = await poll("?from=0");
    const two = await poll(`?from=${one.revision}`);
    expect([one.events.length, two.events.length]).toEqual([bounds.watchEventsPerPageMax, 5]);
    expect([...one.events, ...two.events].map(({ revision }) => revision)).toEqual(
      Array.from({ length: count }, (_, n) => n + 1),
    );
    expect(two.revision).toBe(count);
  });
  test.each(["?from=-1", "?from=x", "?from=1.5", "?waitSeconds=0", "?waitSeconds=56", "?since=1"])(
    "refuses %s",
    async (query) => {
      await problemOf(await call("GET", `${watched}${query}`), "invalid_request");
      await problemOf(await call("GET", `/v1/watch${query}`), "invalid_request");
    },
  );
  test("of a service that is not declared is refused", async () => {
    await problemOf(await call("GET", "/v1/services/none/watch?from=0"), "service_unknown");
    const headers = { upgrade: "websocket" };
    await problemOf(await call("GET", "/v1/services/none/watch?from=0", { headers }), "service_unknown");
  });
});

describe("what is not kept", () => {
  const headers = { upgrade: "websocket" };
  test("is `compacted`, with the revision to list from, for a call and for a stream", async () => {
    await register("a");
    await register("b");
    await register("c");
    await runInDurableObject(stubOf(), (_, { storage }) =>
      storage.sql.exec("DELETE FROM event WHERE revision <= 1").toArray(),
    );
    for (const [from, options] of [
      [0, {}],
      [0, { headers }],
      [4, {}],
      [4, { headers }],
    ] as const) {
      const problem: Problem = await problemOf(await call("GET", `${watched}?from=${from}`, options), "compacted");
      expect(problem.revision).toBe(3);
    }
    expect(seen(await poll("?from=1"))).toEqual([
      [2, "registered", "b"],
      [3, "registered", "c"],
    ]);
  });
  test("of the manifest likewise, and also what a version without a log has changed", async () => {
    await runInDurableObject(plane(), (_, { storage }) => storage.sql.exec("UPDATE meta SET version = 5").toArray());
    await apply({ services: { users: {} } });
    expect(await pollManifest("?from=0")).toMatchObject({ version: 1, events: [{ version: 1 }] });
    for (const from of [1, 4, 7]) {
      const problem: Problem = await problemOf(await call("GET", `/v1/watch?from=${from}`), "compacted");
      expect(problem.version).toBe(6);
    }
    expect(await pollManifest("?from=5")).toMatchObject({ version: 6, events: [{ version: 6, section: "config" }] });
  });
  test("of the manifest is what is beyond the bound", async () => {
    const { manifestChangesKeptMax: kept } = bounds;
    await runInDurableObject(plane(), (_, { storage: { sql } }) => {
      for (let version = 2; version <= kept; version++) sql.exec("INSERT INTO change VALUES (?, 1, 'x', 'y')", version);
      sql.exec("UPDATE meta SET version = ?", kept);
    });
    expect(await pollManifest("?from=0")).toMatchObject({ version: bounds.watchEventsPerPageMax });
    await apply({ services: { users: {} } });
    await problemOf(await call("GET", "/v1/watch?from=0"), "compacted");
    expect((await pollManifest("?from=1")).events[0]).toMatchObject({ version: 2 });
  });
});

describe("a stream", () => {
  test("starts after `from` and goes on with each change", async () => {
    await register("a");
    await register("b");
    const stream = await open("?from=1");
    await stream.has(1);
    await register("c");
    await stream.has(2);
    expect(seen(stream)).toEqual([
      [2, "registered", "b"],
      [3, "registered", "c"],
    ]);
    expect(stream.events[1]).toMatchObject({ url: "https://c.example.com", state: "ready", modRevision: 3 });
  });
  test("without `from` starts now", async () => {
    await register("a");
    const stream = await open("");
    await register("b");
    await stream.has(1);
    expect(seen(stream)).toEqual([[2, "registered", "b"]]);
  });
  test("outlives the hibernation of its object, with its place", async () => {
    // A lease would keep the object awake.
    const change = (revision: number) =>
      stubOf().order({ revision, digest: `d${revision}`, settings: null, staticOrigins: [], returnsEjected: false });
    await change(1);
    const stream = await open("?from=0");
    for (const revision of [2, 3]) {
      await stream.has(revision - 1);
      await evictDurableObject(stubOf());
      await change(revision);
    }
    await stream.has(3);
    expect(seen(stream)).toEqual([1, 2, 3].map((revision) => [revision, "checks", null]));
  });
  test("answers pings, also while the object hibernates, without waking it", async () => {
    const stream = await open("?from=0");
    await evictDurableObject(stubOf());
    stream.socket.send("ping");
    await expect.poll(() => stream.texts).toEqual(["pong"]);
    // One that is not awake cannot be sent to sleep.
    await expect(evictDurableObject(stubOf())).rejects.toThrow();
  });
  test("takes no messages: a few are ignored, one that is long or one too many ends it", async () => {
    const chatty = await open("?from=0");
    for (let n = 0; n < bounds.watcherMessagesMax; n++) chatty.socket.send("x".repeat(bounds.watcherMessageLengthMax));
    await register("a");
    await chatty.has(1);
    chatty.socket.send("x");
    expect(await chatty.closed).toEqual([1008, expect.any(String)]);
    const loud = await open("?from=0");
    loud.socket.send(new Uint8Array(bounds.watcherMessageLengthMax + 1));
    expect(await loud.closed).toEqual([1008, expect.any(String)]);
  });
  test("that has carried enough ends with 1013 and is resumed without a loss", async () => {
    const metadata = Object.fromEntries(
      Array.from({ length: bounds.metadataEntriesMax }, (_, n) => [`k${n}`, "v".repeat(bounds.metadataLengthMax)]),
    );
    const count = 3 * Math.ceil(bounds.watcherCharactersMax / 8_000);
    await runInDurableObject(stubOf(), (registry) => {
      const rest = { version: null, weight: 1, zone: null, metadata, ttlMs: 15_000 };
      for (let n = 0; n < count; n++) registry.register({ origin: `o${n % 7}`, url: "https://a.example.com", ...rest });
    });
    const revisions: number[] = [];
    let ends = 0;
    while (revisions.length < count) {
      const stream = await open(`?from=${revisions.at(-1) ?? 0}`);
      const end = await Promise.race([stream.closed, stream.has(count - revisions.length).then(() => null)]);
      if (end !== null) {
        expect(end).toEqual([1013, "resume"]);
        ends++;
      }
      const sent = stream.events.reduce((sum, event) => sum + JSON.stringify(event).length, 0);
      expect(sent).toBeLessThan(bounds.watcherCharactersMax + 20_000);
      revisions.push(...stream.events.map(({ revision }) => revision));
    }
    expect(revisions).toEqual(Array.from({ length: count }, (_, n) => n + 1));
    expect(ends).toBeGreaterThanOrEqual(2);
  });
  test.each([
    ["cannot be read", "UPDATE event SET shown = '{' WHERE revision = NEW.revision"],
    ["is gone already", "DELETE FROM event WHERE revision = NEW.revision"],
  ])("ends with 1013 before an event that %s; the change is made all the same", async (_, statement) => {
    const stream = await open("?from=0");
    await runInDurableObject(stubOf(), (_, { storage }) =>
      storage.sql.exec(`CREATE TRIGGER spoil AFTER INSERT ON event BEGIN ${statement}; END`).toArray(),
    );
    await register("a");
    expect(await stream.closed).toEqual([1013, "resume"]);
    expect(stream.events).toEqual([]);
    expect((await stubOf().list()).origins).toMatchObject([{ id: "a" }]);
  });
  test("is refused without a token, and to a role that may not read", async () => {
    const headers = { upgrade: "websocket" };
    await problemOf(await call("GET", `${watched}?from=0`, { role: null, headers }), "unauthorized");
    await problemOf(await call("GET", "/v1/watch?from=0", { role: "registrar", headers }), "forbidden");
    (await open("?from=0", watched, "registrar")).socket.close();
  });
});

describe("the manifest's changes", () => {
  const change = (version: number, revision: number, section: string) => ({
    version,
    revision,
    section,
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  const published = { section: "health/users", revision: 1, body: "{}" };

  test("are the configuration's and those of its services, for a call", async () => {
    expect(await pollManifest("?from=0")).toEqual({ version: 1, events: [change(1, 1, "config")] });
    const polling = pollManifest("?from=1");
    await wait(50);
    await plane().publish(published);
    expect(await polling).toEqual({ version: 2, events: [change(2, 1, "health/users")] });
    expect(await plane().publish(published)).toEqual({ accepted: false });
    await apply({ services: { users: {}, more: {} } });
    expect((await pollManifest("?from=2")).events).toEqual([change(3, 2, "config")]);
    expect(await pollManifest("?from=3&waitSeconds=1")).toEqual({ version: 3, events: [] });
  });
  test("are the same for a stream, which hibernates", async () => {
    const stream = await open("?from=0", "/v1/watch");
    await stream.has(1);
    await evictDurableObject(plane());
    await apply({ services: { users: {}, more: {} } });
    await stream.has(2);
    expect(stream.events).toEqual([change(1, 1, "config"), change(2, 2, "config")]);
  });
  test("that are not stored are not told", async () => {
    const stream = await open("?from=1", "/v1/watch");
    await runInDurableObject(plane(), async (instance, { storage }) => {
      storage.sql.exec("CREATE TRIGGER refuse AFTER UPDATE ON meta BEGIN SELECT RAISE(ABORT, 'refused'); END");
      await expect(instance.publish(published)).rejects.toThrow("refused");
      storage.sql.exec("DROP TRIGGER refuse");
    });
    await plane().publish(published);
    await stream.has(1);
    expect(stream.events).toEqual([change(2, 1, "health/users")]);
  });
});

describe("watchers", () => {
  test("are bounded, and one that goes makes room for another", async () => {
    const streams: Stream[] = [];
    for (let n = 0; n < bounds.watchersMax; n++) streams.push(await open("?from=0"));
    await problemOf(await call("GET", `${watched}?from=0`), "overloaded");
    await problemOf(await call("GET", `${watched}?from=0`, { headers: { upgrade: "websocket" } }), "overloaded");
    streams[0]?.socket.close(1000);
    await expect
      .poll(async () => (await call("GET", `${watched}?from=0&waitSeconds=1`)).status, { timeout: 5_000 })
      .toBe(200);
    await register("a");
    expect(seen(await poll("?from=0"))).toEqual([[1, "registered", "a"]]);
    for (const stream of streams.slice(1)) await stream.has(1);
  });
});

describe("events", () => {
  test("outlive a crash", async () => {
    await register("a");
    await register("b");
    await abortAllDurableObjects();
    expect(seen(await poll("?from=0"))).toEqual([
      [1, "registered", "a"],
      [2, "registered", "b"],
    ]);
  });
  test("that the version before has stored tell their type and origin", async () => {
    await register("a");
    await runInDurableObject(stubOf(), (_, { storage }) => storage.sql.exec("UPDATE event SET shown = NULL").toArray());
    expect((await poll("?from=0")).events).toEqual([{ revision: 1, type: "registered", origin: "a" }]);
  });
});

import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { emptyBook } from "../../../../src/core/leasing/book.ts";
import { deregister, drain, heartbeat, heartbeatMs, register } from "../../../../src/core/leasing/leases.ts";
import { list, replay } from "../../../../src/core/leasing/listing.ts";
import { restart } from "../../../../src/core/leasing/restart.ts";
import { bookOf, eventsOf, registration, statesOf, ttlMs } from "./support.ts";

describe("register", () => {
  test("makes a row with a lease and an event that carry the next revision", () => {
    const book = emptyBook();
    const request = registration("a", { version: "v1", weight: 0, zone: "eu", metadata: { build: "7" } });
    const { result, change } = register(book, request, 1_000, "lease-1");
    const after = { ...request, state: "ready", drainUntilMs: null, createRevision: 1, modRevision: 1 };
    const origin = {
      ...after,
      leaseId: "lease-1",
      deadlineMs: 1_000 + ttlMs,
      storedDeadlineMs: 1_000 + ttlMs,
      extensions: 0,
    };
    expect(result).toEqual({ ok: true, created: true, origin });
    expect(book.origins.get("a")).toEqual(origin);
    const { id: _, ...body } = request;
    expect(change).toEqual({
      touched: new Set(["a"]),
      events: [{ revision: 1, type: "put", origin: "a", body, after }],
    });
  });

  test("R7: under a known id replaces row and lease, and keeps the revision of creation", () => {
    const book = emptyBook();
    register(book, registration("a", { zone: "eu" }), 0, "old");
    drain(book, "a", 30_000, 1);
    const { result } = register(book, registration("a", { url: "https://b.example.com" }), 2, "new");
    expect(result).toMatchObject({ ok: true, created: false });
    expect(list(book, 2).origins).toMatchObject([
      {
        id: "a",
        url: "https://b.example.com",
        zone: null,
        state: "ready",
        drainUntilMs: null,
        createRevision: 1,
        modRevision: 3,
      },
    ]);
    expect(heartbeat(book, [{ origin: "a", leaseId: "old" }], 3).result.lost).toHaveLength(1);
    expect(heartbeat(book, [{ origin: "a", leaseId: "new" }], 3).result.renewed).toHaveLength(1);
  });

  test("with the same body still makes a new lease and a new revision", () => {
    const book = bookOf(1);
    expect(eventsOf(register(book, registration("o00"), 1, "again").change)).toEqual(["put o00"]);
    expect(book.revision).toBe(2);
  });

  // The book: "a" last modified at revision 3, one other origin at 2.
  test.each([
    ["a", null, { ok: true, created: false }],
    ["a", 3, { ok: true, created: false }],
    ["a", 1, { ok: false, code: "revision_conflict", revision: 3 }],
    ["a", 0, { ok: false, code: "revision_conflict", revision: 3 }],
    ["new", 0, { ok: true, created: true }],
    ["new", 3, { ok: false, code: "revision_conflict", revision: 0 }],
  ])("of %s with revision %s compares and swaps", (id, ifRevision, expected) => {
    const book = emptyBook();
    register(book, registration("a"), 0, "1");
    register(book, registration("b"), 0, "2");
    register(book, registration("a"), 0, "3");
    const { result, change } = register(book, registration(id), 0, "4", ifRevision);
    expect(result).toMatchObject(expected);
    expect(change.events).toHaveLength(result.ok ? 1 : 0);
    expect(book.revision).toBe(result.ok ? 4 : 3);
  });

  test("is compared with what is there after leases ended", () => {
    const book = bookOf(1);
    const { result, change } = register(book, registration("o00"), ttlMs, "l", 1);
    expect(result).toEqual({ ok: false, code: "revision_conflict", revision: 0 });
    expect(eventsOf(change), "a refusal still stores what expired").toEqual(["expire o00"]);
  });

  test("is refused when the registry is full, but for those who are in it", () => {
    const book = emptyBook();
    for (let n = 0; n < bounds.originsPerServiceMax; n++) register(book, registration(`${n}`), 0, `${n}`);
    expect(register(book, registration("more"), 1, "l").result).toEqual({ ok: false, code: "registry_full" });
    expect(register(book, registration("7"), 1, "l").result).toMatchObject({ ok: true, created: false });
    deregister(book, "8", 1);
    expect(register(book, registration("more"), 1, "l").result).toMatchObject({ ok: true, created: true });
  });
});

describe("heartbeat", () => {
  test("renews in memory: nothing to store until the stored deadline would lag by a ttl", () => {
    const book = bookOf(1);
    const touched = [5_000, 10_000, 15_000, 20_000].map((nowMs) => {
      const { result, change } = heartbeat(book, [{ origin: "o00", leaseId: "l00" }], nowMs);
      expect(result).toMatchObject({ renewed: [{ id: "o00", deadlineMs: nowMs + ttlMs }], lost: [] });
      expect(change.events).toEqual([]);
      return change.touched.size;
    });
    expect(touched).toEqual([0, 0, 1, 0]);
  });

  test("R6: loses what is unknown, replaced, over or removed", () => {
    const book = bookOf(3);
    deregister(book, "o01", 1);
    const leases = [
      { origin: "o00", leaseId: "l00" },
      { origin: "o00", leaseId: "l01" },
      { origin: "o01", leaseId: "l01" },
      { origin: "none", leaseId: "l00" },
    ];
    expect(heartbeat(book, leases, ttlMs - 1).result.lost).toEqual(leases.slice(1));
    const late = heartbeat(book, [{ origin: "o02", leaseId: "l02" }], ttlMs);
    expect(late.result.lost).toHaveLength(1);
    expect(eventsOf(late.change)).toEqual(["expire o02"]);
  });

  test("of a draining origin renews its lease, not its grace", () => {
    const book = bookOf(1);
    drain(book, "o00", 2 * ttlMs, 0);
    const { result } = heartbeat(book, [{ origin: "o00", leaseId: "l00" }], 10_000);
    expect(result.renewed).toMatchObject([{ state: "draining", drainUntilMs: 2 * ttlMs, deadlineMs: 10_000 + ttlMs }]);
  });

  test("after a restart stores the renewal, so that the extensions count from none again", () => {
    const before = bookOf(1);
    const { result: book } = restart({ ...before, origins: [...before.origins.values()], unhealthy: [] }, 1_000);
    expect(book.origins.get("o00")?.extensions).toBe(1);
    const { change } = heartbeat(book, [{ origin: "o00", leaseId: "l00" }], 1_001);
    expect(change).toEqual({ touched: new Set(["o00"]), events: [] });
    expect(book.origins.get("o00")?.extensions).toBe(0);
  });

  test("never shortens a lease, though the clock steps back", () => {
    const book = bookOf(1, 10_000);
    const { result } = heartbeat(book, [{ origin: "o00", leaseId: "l00" }], 5_000);
    expect(result.renewed).toMatchObject([{ deadlineMs: 10_000 + ttlMs }]);
  });

  test.each([
    [0, 4_000],
    [0.5, 5_000],
    [0.999_999_9, 6_000],
  ])("is asked for every third of the ttl +-20 %%: random %s -> %s ms", (random, pauseMs) => {
    expect(heartbeatMs(ttlMs, () => random)).toBe(pauseMs);
  });
});

describe("drain", () => {
  test("takes the origin out of new traffic, then out of the list at the end of the grace", () => {
    const book = bookOf(2);
    const { result, change } = drain(book, "o00", 5_000, 1_000);
    expect(result).toEqual({ ok: true, drainUntilMs: 6_000 });
    expect(eventsOf(change)).toEqual(["drain o00"]);
    expect(statesOf(list(book, 5_999).origins)).toEqual(["o00 draining", "o01 ready"]);
    expect(statesOf(list(book, 6_000).origins)).toEqual(["o01 ready"]);
    expect(eventsOf(deregister(book, "none", 6_000).change)).toEqual(["drained o00"]);
  });

  test("again: the later word counts", () => {
    const book = bookOf(1);
    drain(book, "o00", 10_000, 0);
    drain(book, "o00", 1_000, 500);
    expect(list(book, 1_499).origins).toMatchObject([{ drainUntilMs: 1_500, modRevision: 3 }]);
    expect(list(book, 1_500).origins).toEqual([]);
  });

  test("without grace removes at once", () => {
    const book = bookOf(1);
    const { result, change } = drain(book, "o00", 0, 7);
    expect(result).toEqual({ ok: true, drainUntilMs: 7 });
    expect(eventsOf(change)).toEqual(["drained o00"]);
    expect(book.origins.size).toBe(0);
  });

  test("of an unknown origin is refused", () => {
    const { result, change } = drain(emptyBook(), "a", 1_000, 0);
    expect(result).toEqual({ ok: false, code: "origin_unknown" });
    expect(change).toEqual({ touched: new Set(), events: [] });
  });
});

test("deregister is idempotent: the second has no event", () => {
  const book = bookOf(1);
  const first = deregister(book, "o00", 0);
  expect(first.result).toEqual({ removed: true });
  expect(first.change).toEqual({
    touched: new Set(["o00"]),
    events: [{ revision: 2, type: "deregister", origin: "o00", body: null, after: null }],
  });
  const second = deregister(book, "o00", 0);
  expect(second).toEqual({ result: { removed: false }, change: { touched: new Set(), events: [] } });
});

describe("replay", () => {
  test("of no event is an empty registry", () => {
    expect(replay([])).toEqual(list(emptyBook(), 0));
  });

  test("continues a listing with the events after it (R3)", () => {
    const book = bookOf(2);
    const base = list(book, 0);
    const { events } = drain(book, "o01", 1_000, 0).change;
    expect(replay(events, base)).toEqual(list(book, 0));
  });

  test("tells a watcher neither leases nor deadlines", () => {
    const book = emptyBook();
    const { change } = register(book, registration("a"), 0, "the-lease-id");
    expect(JSON.stringify([change.events, list(book, 0)])).not.toContain("the-lease-id");
    expect(replay(change.events).origins[0]).not.toHaveProperty("deadlineMs");
  });

  test("passes over events of an origin that it does not know", () => {
    const event = { revision: 4, type: "drain", origin: "gone", body: { drainUntilMs: 1 } } as const;
    expect(replay([event])).toEqual({ ...replay([]), revision: 4 });
  });
});

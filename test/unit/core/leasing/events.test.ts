import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emptyBook } from "../../../../src/core/leasing/book.ts";
import { conclude, order } from "../../../../src/core/leasing/checks.ts";
import { watchEventOf } from "../../../../src/core/leasing/events.ts";
import { tick } from "../../../../src/core/leasing/expiry.ts";
import { deregister, drain, heartbeat, register } from "../../../../src/core/leasing/leases.ts";
import { list, replay } from "../../../../src/core/leasing/listing.ts";
import { type Entry, pageAfter } from "../../../../src/core/leasing/log.ts";
import type { Book, Change, LoggedEvent, OriginView } from "../../../../src/core/leasing/types.ts";
import { bookOf, checkOrder, idOf, leaseOf, registration, ttlMs } from "./support.ts";

/** A log with what a shell does to it: it keeps the newest, and loses some where a version without a log ran. */
class Log {
  head = 0;
  kept: Entry<string>[] = [];
  readonly keptMax: number;

  constructor(keptMax: number) {
    this.keptMax = keptMax;
  }

  append(): void {
    this.head++;
    this.kept = [...this.kept, { position: this.head, event: `e${this.head}` }].slice(-this.keptMax);
  }

  read(from: number, limit: number) {
    return pageAfter(from, this.head, this.kept.filter(({ position }) => position > from).slice(0, limit));
  }
}

type Step =
  | { readonly op: "append"; readonly count: number }
  /** An event that is not kept at all. */
  | { readonly op: "lose" }
  /** A watcher reads on, up to `limit` events. */
  | { readonly op: "read"; readonly watcher: number; readonly limit: number };

const watchersMax = 3;
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ op: fc.constant("append"), count: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 1, arbitrary: fc.constant({ op: "lose" } as const) },
    {
      weight: 6,
      arbitrary: fc.record({
        op: fc.constant("read"),
        watcher: fc.nat(watchersMax - 1),
        limit: fc.integer({ min: 1, max: 5 }),
      }),
    },
  ),
  { maxLength: 60 },
);

describe("a log", () => {
  test("R3: whoever resumes anywhere sees each event once and in order, or is told that some are gone", () => {
    const property = fc.property(steps, fc.integer({ min: 1, max: 12 }), (given, keptMax) => {
      const log = new Log(keptMax);
      const watchers = Array.from({ length: watchersMax }, () => ({ start: 0, position: 0, seen: [] as string[] }));
      for (const step of given) {
        if (step.op === "append") for (let n = 0; n < step.count; n++) log.append();
        else if (step.op === "lose") log.head++;
        else {
          const watcher = watchers[step.watcher]!;
          const page = log.read(watcher.position, step.limit);
          if (page.ok) {
            watcher.seen.push(...page.entries.map(({ event }) => event));
            if (page.entries.length === 0) expect(page.position, "nothing new, though there is").toBe(log.head);
          } else {
            expect(page.position).toBe(log.head);
            const isKept = log.kept.some(({ position }) => position === watcher.position + 1);
            expect(isKept, "compacted, though the next event is there").toBe(false);
            Object.assign(watcher, { start: page.position, seen: [] });
          }
          watcher.position = page.position;
          const expected = Array.from(
            { length: watcher.position - watcher.start },
            (_, n) => `e${watcher.start + n + 1}`,
          );
          expect(watcher.seen).toEqual(expected);
        }
      }
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  test("gives all that it kept up to the first gap at once", () => {
    const kept = [2, 3, 4, 6].map((position) => ({ position, event: `e${position}` }));
    expect(pageAfter(1, 6, kept)).toEqual({ ok: true, position: 4, entries: kept.slice(0, 3) });
  });

  test("has no events of a position that it has not reached: it was reset", () => {
    const log = new Log(5);
    log.append();
    expect(log.read(1, 5)).toEqual({ ok: true, position: 1, entries: [] });
    expect(log.read(2, 5)).toEqual({ ok: false, code: "compacted", position: 1 });
  });
});

type Operation = (book: Book, nowMs: number) => { readonly change: Change };
const n = fc.nat(11);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  n.map(
    (at): Operation =>
      (book, nowMs) =>
        register(book, registration(idOf(at)), nowMs, `again-${nowMs}-${at}`),
  ),
  n.map(
    (at): Operation =>
      (book, nowMs) =>
        drain(book, idOf(at), (at % 3) * 4_000, nowMs),
  ),
  n.map(
    (at): Operation =>
      (book, nowMs) =>
        deregister(book, idOf(at), nowMs),
  ),
  n.map(
    (at): Operation =>
      (book, nowMs) =>
        heartbeat(book, [leaseOf(at), leaseOf(at + 1)], nowMs),
  ),
  fc.tuple(n, fc.constantFrom(-3, 2)).map(
    ([at, run]): Operation =>
      (book, nowMs) => {
        return conclude(book, { origin: idOf(at), url: `https://${idOf(at)}.example.com`, run }, nowMs);
      },
  ),
  n.map(
    (revision): Operation =>
      (book, nowMs) =>
        order(book, checkOrder({ revision }), nowMs),
  ),
  fc.constant<Operation>((book, nowMs) => ({ change: tick(book, nowMs) })),
);

describe("an event", () => {
  test("has its origin exactly as the events up to it make it", () => {
    const history = fc.array(fc.tuple(operation, fc.constantFrom(0, 1, 4_000, 9_000)), { maxLength: 40 });
    const property = fc.property(history, (given) => {
      const book = emptyBook();
      const events: LoggedEvent[] = [];
      for (let at = 0; at < 12; at++)
        events.push(...register(book, registration(idOf(at)), 0, leaseOf(at).leaseId).change.events);
      let nowMs = 0;
      for (const [run, waitMs] of given) {
        nowMs += waitMs;
        events.push(...run(book, nowMs).change.events);
      }
      const { origins: _origins, ...whole } = list(book, nowMs);
      expect(replay(events)).toMatchObject(whole);
      let listing = replay([]);
      for (const event of events) {
        listing = replay([event], listing);
        expect(event.after).toEqual(listing.origins.find(({ id }) => id === event.origin) ?? null);
      }
    });
    fc.assert(property, { numRuns: 300 });
  });
});

test("a watcher knows what is listed, from the first event on or from a listing on", () => {
  const book = emptyBook();
  const events: LoggedEvent[] = [];
  const all = Array.from({ length: 10 }, (_, at) => at);
  for (const at of all) events.push(...register(book, registration(idOf(at)), 0, leaseOf(at).leaseId).change.events);
  events.push(...tick(book, ttlMs).events);
  events.push(...heartbeat(book, all.slice(0, 4).map(leaseOf), ttlMs + 1).change.events);
  events.push(...register(book, registration(idOf(1)), ttlMs + 2, "new").change.events);
  events.push(...drain(book, idOf(2), 5_000, ttlMs + 3).change.events);
  const listing = list(book, ttlMs + 3);
  const states = ["ready", "ready", "draining", "ready", ...Array(6).fill("suspect")];
  expect(listing.origins.map(({ state }) => state)).toEqual(states);
  expect(replay([], listing)).toEqual(listing);
  const origins = listing.origins.map(({ deadlineMs: _deadlineMs, ...view }) => view);
  expect(replay(events)).toEqual({ ...listing, origins });
});

describe("what a watcher is told", () => {
  const origin: OriginView = {
    ...registration("a", { metadata: { build: "7" } }),
    state: "ready",
    drainUntilMs: null,
    createRevision: 2,
    modRevision: 5,
  };
  const { id: _id, ttlMs: _ttlMs, drainUntilMs: _drainUntilMs, ...shown } = origin;
  const told = (type: LoggedEvent["type"], after: OriginView | null, revision = 5) =>
    watchEventOf({ revision, type, origin: type === "freeze" ? null : "a" }, after);

  test("is the origin, but for what changes without an event", () => {
    expect(told("put", origin)).toEqual({ revision: 5, type: "replaced", origin: "a", ...shown, static: false });
    expect(told("put", { ...origin, createRevision: 5 }).type).toBe("registered");
    expect(told("put", null)).toEqual({ revision: 5, type: "registered", origin: "a" });
    expect(Object.keys(told("put", origin))).not.toContain("leaseId");
  });
  test.each([
    ["drain", "draining"],
    ["suspect", "suspect"],
    ["ready", "ready"],
    ["unhealthy", "unhealthy"],
    ["healthy", "healthy"],
  ] as const)("of %s is called %s", (type, name) => {
    expect(told(type, origin)).toMatchObject({ type: name, url: origin.url });
  });
  test.each([
    ["expire", "expired"],
    ["drained", "removed"],
    ["deregister", "removed"],
  ] as const)("of %s is no more than that it is %s", (type, name) => {
    expect(told(type, null)).toEqual({ revision: 5, type: name, origin: "a" });
  });
  test("of a static origin is its health and not its URL, which may be a secret", () => {
    const fixed = { revision: 5, origin: "a", static: true };
    expect(told("unhealthy", null)).toEqual({ ...fixed, type: "unhealthy", state: "unhealthy" });
    expect(told("healthy", null)).toEqual({ ...fixed, type: "healthy", state: "ready" });
  });
  test("of the whole service names no origin", () => {
    expect(told("freeze", null)).toEqual({ revision: 5, type: "frozen", origin: null });
    expect((["thaw", "checks"] as const).map((type) => told(type, null).type)).toEqual(["thawed", "checks"]);
    const suspects = tick(bookOf(10), ttlMs).events.map((event) => watchEventOf(event, event.after).type);
    expect(suspects).toEqual(["frozen", ...Array(10).fill("suspect")]);
  });
});

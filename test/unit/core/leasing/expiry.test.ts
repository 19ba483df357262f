import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { emptyBook } from "../../../../src/core/leasing/book.ts";
import { nextDueMs, tick } from "../../../../src/core/leasing/expiry.ts";
import { deregister, drain, heartbeat, register } from "../../../../src/core/leasing/leases.ts";
import { list } from "../../../../src/core/leasing/listing.ts";
import type { Book } from "../../../../src/core/leasing/types.ts";
import { bookOf, eventsOf, idOf, leasesOf, registration, statesOf, ttlMs } from "./support.ts";

const states = (book: Book, nowMs: number): string[] => statesOf(list(book, nowMs).origins);
const countOf = (book: Book, state: string): number =>
  [...book.origins.values()].filter((origin) => origin.state === state).length;

describe("a service below the size that freezes", () => {
  test("expires each lease exactly at its deadline, and all of them if need be", () => {
    const book = bookOf(bounds.freezeLeasesMin - 1);
    expect(eventsOf(tick(book, ttlMs - 1))).toEqual([]);
    expect(countOf(book, "ready")).toBe(9);
    const change = tick(book, ttlMs);
    expect(change.events.map(({ type }) => type)).toEqual(Array(9).fill("expire"));
    expect(change.touched.size).toBe(9);
    expect(book).toEqual({ ...emptyBook(), revision: 18 });
  });

  test("R2: a lease past its deadline is not listed, though the tick is late", () => {
    const book = bookOf(2);
    heartbeat(book, leasesOf(0, 1), 1_000);
    expect(states(book, ttlMs - 1)).toEqual(["o00 ready", "o01 ready"]);
    expect(states(book, ttlMs)).toEqual(["o00 ready"]);
  });
});

describe("R5: a service of ten leases", () => {
  // The rest renewed at 10 s of 15 s, so at the deadline of the silent ones it is a third of a ttl ago.
  const afterSilenceOf = (silent: number, of = 10): { book: Book; events: string[]; freeze: unknown } => {
    const book = bookOf(of);
    heartbeat(book, leasesOf(silent, of), 10_000);
    const change = tick(book, ttlMs);
    return { book, events: eventsOf(change), freeze: change.events[0] };
  };

  test("expires one that falls silent while 85 % renewed in time", () => {
    const { book, events } = afterSilenceOf(1);
    expect(events).toEqual(["expire o00"]);
    expect(book.freeze).toBeNull();
  });

  test("freezes when two fall silent at once: they stay, flagged", () => {
    const { book, events, freeze } = afterSilenceOf(2);
    expect(events).toEqual(["freeze", "suspect o00", "suspect o01"]);
    expect(freeze).toMatchObject({ type: "freeze", body: { sinceMs: ttlMs } });
    expect(book.freeze).toEqual({ sinceMs: ttlMs, nextPassMs: ttlMs + bounds.freezeMsMax });
    expect(list(book, ttlMs)).toMatchObject({ frozen: true, revision: 13 });
    expect(states(book, ttlMs).slice(0, 3)).toEqual(["o00 suspect", "o01 suspect", "o02 ready"]);
  });

  test("at exactly 85 % it believes", () => {
    const { book } = afterSilenceOf(3, 20);
    expect(book.freeze).toBeNull();
    expect(book.origins.size).toBe(17);
  });

  test("a renewal counts as in time for half a ttl", () => {
    const freezes = [7_500, 7_499].map((renewedMs) => {
      const book = bookOf(10);
      heartbeat(book, leasesOf(1, 10), renewedMs);
      tick(book, ttlMs);
      return book.freeze !== null;
    });
    expect(freezes).toEqual([false, true]);
  });

  test("a suspect that renews is ready again, by an event that is to be stored", () => {
    const { book } = afterSilenceOf(2);
    const { change, result } = heartbeat(book, leasesOf(0, 1), ttlMs + 1);
    expect(result.renewed).toMatchObject([{ id: "o00", state: "ready", deadlineMs: 2 * ttlMs + 1 }]);
    expect(eventsOf(change)).toEqual(["ready o00"]);
    expect(change.touched).toEqual(new Set(["o00"]));
    expect(list(book, ttlMs + 1).origins[0]).toMatchObject({ state: "ready", modRevision: 1 });
  });

  test("thaws when the share is back, and what is still due expires", () => {
    const { book } = afterSilenceOf(2);
    heartbeat(book, leasesOf(1, 10), 20_000);
    expect(eventsOf(tick(book, 20_001))).toEqual(["expire o00", "thaw"]);
    expect(book.freeze).toBeNull();
  });

  test("a clock that is set back makes nobody less overdue", () => {
    const { book } = afterSilenceOf(2);
    heartbeat(book, leasesOf(1, 2), ttlMs - 1);
    expect(eventsOf(tick(book, ttlMs - 1))).toEqual(["expire o00", "thaw"]);
  });

  test("further leases that pass their deadline during the freeze are flagged, each once", () => {
    const { book } = afterSilenceOf(2);
    expect(eventsOf(tick(book, 24_999))).toEqual([]);
    expect(eventsOf(tick(book, 25_000))).toEqual([2, 3, 4, 5, 6, 7, 8, 9].map((n) => `suspect ${idOf(n)}`));
    expect(eventsOf(tick(book, 26_000))).toEqual([]);
    expect(countOf(book, "suspect")).toBe(10);
  });

  test("a freeze does not end because the service shrinks", () => {
    const { book } = afterSilenceOf(10);
    expect(eventsOf(deregister(book, "o09", ttlMs + 1).change)).toEqual(["deregister o09"]);
    expect(eventsOf(tick(book, ttlMs + 2))).toEqual([]);
    expect(countOf(book, "suspect")).toBe(9);
  });

  test("an emptied frozen service thaws", () => {
    const { book } = afterSilenceOf(10);
    for (let n = 0; n < 10; n++) deregister(book, idOf(n), ttlMs + 1);
    expect(eventsOf(tick(book, ttlMs + 1))).toEqual(["thaw"]);
    expect(nextDueMs(book, ttlMs + 1)).toBeNull();
  });
});

describe("a freeze that ends by its time", () => {
  const endMs = ttlMs + bounds.freezeMsMax;

  test("expires at most 15 % in a pass, the longest overdue first, and passes are a second apart", () => {
    const book = emptyBook();
    for (let n = 19; n >= 0; n--) register(book, registration(idOf(n)), 19 - n, `l${n}`);
    tick(book, ttlMs);
    expect(eventsOf(tick(book, endMs - 1))).not.toContain("expire o19");
    expect(eventsOf(tick(book, endMs))).toEqual(["expire o19", "expire o18", "expire o17"]);
    expect(states(book, endMs), "the rest waits flagged (R2)").toEqual(
      Array.from({ length: 17 }, (_, n) => `${idOf(n)} suspect`),
    );
    expect(list(book, endMs).frozen).toBe(true);
    expect(eventsOf(tick(book, endMs + bounds.expirePassMs - 1))).toEqual([]);
    expect(eventsOf(tick(book, endMs + bounds.expirePassMs))).toEqual(["expire o16", "expire o15"]);
  });

  test("goes by the deadlines, and of equals by the id, not by the order of the registrations", () => {
    const book = emptyBook();
    const deadlines = [3, 1, 2].flatMap((atMs, group) =>
      [0, 1, 2, 3].map((n) => [atMs, idOf(19 - 4 * group - n)] as const),
    );
    for (const [atMs, id] of deadlines) register(book, registration(id), atMs, id);
    tick(book, 2 * ttlMs);
    const expired: string[] = [];
    for (let nowMs = 2 * ttlMs + bounds.freezeMsMax; book.freeze !== null; nowMs += bounds.expirePassMs)
      expired.push(...eventsOf(tick(book, nowMs)));
    const sorted = deadlines.toSorted(([a, idA], [b, idB]) => a - b || idA.localeCompare(idB));
    expect(expired).toEqual([...sorted.map(([, id]) => `expire ${id}`), "thaw"]);
  });

  test("flags who was never seen to be overdue, but for those that it expires", () => {
    const book = bookOf(10);
    tick(book, ttlMs);
    heartbeat(book, leasesOf(0, 10), ttlMs + 1);
    const waiting = Array.from({ length: 9 }, (_, n) => `suspect ${idOf(n + 1)}`);
    expect(eventsOf(tick(book, endMs))).toEqual(["expire o00", ...waiting]);
    expect(book.origins.has("o00")).toBe(false);
  });

  test("expires at least one in a pass, to the last, then thaws", () => {
    const book = bookOf(10);
    tick(book, ttlMs);
    const passes: string[][] = [];
    for (let nowMs = endMs; book.freeze !== null && passes.length < 20; nowMs = nextDueMs(book, nowMs) ?? nowMs) {
      passes.push(eventsOf(tick(book, nowMs)));
    }
    expect(passes).toEqual([...Array.from({ length: 10 }, (_, n) => [`expire ${idOf(n)}`]), ["thaw"]]);
  });

  test("thaws at once when nothing is past its deadline then", () => {
    const book = bookOf(10);
    tick(book, ttlMs);
    // Renewed, but too long ago to count as in time when the freeze ends.
    heartbeat(book, leasesOf(0, 10), endMs - 10_000);
    expect(eventsOf(tick(book, endMs - 1))).toEqual([]);
    expect(eventsOf(tick(book, endMs))).toEqual(["thaw"]);
  });

  test("flags what comes due during the passes", () => {
    const book = bookOf(10);
    tick(book, ttlMs);
    heartbeat(book, leasesOf(8, 10), endMs - ttlMs);
    expect(eventsOf(tick(book, endMs))).toEqual(["expire o00", "suspect o08", "suspect o09"]);
  });
});

describe("a draining origin", () => {
  test("expires at its deadline when that is before the end of the grace", () => {
    const book = bookOf(1);
    drain(book, "o00", 10 * ttlMs, 0);
    expect(states(book, ttlMs)).toEqual([]);
    expect(eventsOf(tick(book, ttlMs))).toEqual(["expire o00"]);
  });

  test("neither raises a suspicion nor is protected by a freeze", () => {
    const book = bookOf(20);
    for (let n = 0; n < 10; n++) drain(book, idOf(n), 10 * ttlMs, 0);
    heartbeat(book, leasesOf(10, 20), 10_000);
    expect(tick(book, ttlMs).events.map(({ type }) => type)).toEqual(Array(10).fill("expire"));

    const renewedLongAgo = bookOf(20);
    for (let n = 0; n < 10; n++) drain(renewedLongAgo, idOf(n), 10 * ttlMs, 0);
    heartbeat(renewedLongAgo, leasesOf(0, 10), 5_000);
    heartbeat(renewedLongAgo, leasesOf(11, 20), 10_000);
    expect(eventsOf(tick(renewedLongAgo, ttlMs))).toEqual(["expire o10"]);

    const frozen = bookOf(11);
    drain(frozen, "o00", 10 * ttlMs, 0);
    tick(frozen, ttlMs);
    expect(frozen.freeze).not.toBeNull();
    expect(frozen.origins.has("o00")).toBe(false);
  });

  test("that was suspect is gone at once: its lease is over and it takes no traffic", () => {
    const book = bookOf(10);
    tick(book, ttlMs);
    drain(book, "o00", 10_000, ttlMs + 1);
    expect(states(book, ttlMs + 1)).not.toContain("o00 draining");
    expect(nextDueMs(book, ttlMs + 1)).toBe(ttlMs + 1);
    expect(eventsOf(tick(book, ttlMs + 1))).toEqual(["expire o00"]);
  });
});

describe("nextDueMs", () => {
  test.each<[string, Book, number | null]>([
    ["an empty book", emptyBook(), null],
    ["a lease", bookOf(1, 2_000), 2_000 + ttlMs],
  ])("of %s", (_, book, expected) => {
    expect(nextDueMs(book, 0)).toBe(expected);
  });

  test("is the end of a grace that comes before the lease's", () => {
    const book = bookOf(2);
    drain(book, "o01", 3_000, 0);
    expect(nextDueMs(book, 0)).toBe(3_000);
  });

  test("is never in the past", () => {
    expect(nextDueMs(bookOf(1), 99_000)).toBe(99_000);
  });

  test("of a frozen book is the next lease to flag, then the end of the freeze", () => {
    const book = bookOf(10);
    heartbeat(book, leasesOf(0, 1), 4_000);
    tick(book, ttlMs);
    expect(nextDueMs(book, ttlMs)).toBe(4_000 + ttlMs);
    tick(book, 4_000 + ttlMs);
    expect(nextDueMs(book, 4_000 + ttlMs)).toBe(ttlMs + bounds.freezeMsMax);
  });
});

import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { conclude, order } from "../../../../src/core/leasing/checks.ts";
import { tick } from "../../../../src/core/leasing/expiry.ts";
import { heartbeat } from "../../../../src/core/leasing/leases.ts";
import { list } from "../../../../src/core/leasing/listing.ts";
import { restart } from "../../../../src/core/leasing/restart.ts";
import type { Book } from "../../../../src/core/leasing/types.ts";
import { bookOf, checkOrder, eventsOf, leasesOf, ttlMs } from "./support.ts";

/** What storage has of a book: the stored deadlines. */
const stored = (book: Book) => ({
  revision: book.revision,
  freeze: book.freeze,
  origins: [...book.origins.values()].map((origin) => ({ ...origin, deadlineMs: origin.storedDeadlineMs })),
  checkOrder: book.checkOrder,
  unhealthy: [...book.unhealthy],
});
const deadlineOf = (book: Book): number | undefined => book.origins.get("o00")?.deadlineMs;

describe("R4: a restart", () => {
  test("does not shorten a lease whose renewals were not stored", () => {
    const before = bookOf(1);
    heartbeat(before, leasesOf(0, 1), 14_000);
    const { result: after, change } = restart(stored(before), 16_000);
    expect(deadlineOf(after)).toBe(16_000 + ttlMs);
    expect(after.origins.get("o00")).toMatchObject({ storedDeadlineMs: 16_000 + ttlMs, extensions: 1 });
    expect(change).toEqual({ touched: new Set(["o00"]), events: [] });
  });

  test("extends a lease without renewal a bounded number of times, then the stored deadline stands", () => {
    let book = bookOf(1);
    const deadlines: (number | undefined)[] = [];
    for (let start = 1; start <= bounds.restartExtensionsMax + 2; start++) {
      book = restart(stored(book), start * 10_000).result;
      deadlines.push(deadlineOf(book));
    }
    expect(deadlines).toEqual([25_000, 35_000, 45_000, 45_000, 45_000]);
    expect(eventsOf(tick(book, 45_000))).toEqual(["expire o00"]);
  });

  test("extends anew after a renewal", () => {
    let book = bookOf(1);
    for (let start = 1; start <= 10; start++) {
      book = restart(stored(book), start * 10_000).result;
      heartbeat(book, leasesOf(0, 1), start * 10_000 + 1);
      expect(deadlineOf(book)).toBe(start * 10_000 + 1 + ttlMs);
    }
  });

  test("leaves alone, and does not count, what has a whole ttl or more to go", () => {
    const { result, change } = restart(stored(bookOf(1, 5_000)), 5_000);
    expect(change.touched.size).toBe(0);
    expect(result.origins.get("o00")).toMatchObject({ deadlineMs: 5_000 + ttlMs, extensions: 0 });
  });

  test("keeps a freeze with its suspects, which it does not extend", () => {
    const before = bookOf(10);
    tick(before, ttlMs);
    const { result: after, change } = restart(stored(before), ttlMs + 5_000);
    expect(change.touched.size).toBe(0);
    expect(list(after, ttlMs + 5_000)).toEqual(list(before, ttlMs + 5_000));
    expect(eventsOf(tick(after, ttlMs + 5_000))).toEqual([]);
  });

  test("keeps the order of checks, for its whole time again, and the marks", () => {
    const before = bookOf(2);
    order(before, checkOrder({ revision: 7 }), 0);
    conclude(before, { origin: "o01", url: "https://o01.example.com", run: -3 }, 0);
    const nowMs = bounds.checkOrderMsMax - 1;
    const { result: after } = restart(stored(before), nowMs);
    expect(after.checkOrder).toEqual({ ...before.checkOrder, confirmedMs: nowMs });
    expect(after.unhealthy).toEqual(new Set(["o01"]));
  });

  test("does not take its own extensions for renewals: a freeze goes on until heartbeats come", () => {
    const before = bookOf(10);
    heartbeat(before, leasesOf(1, 10), 7_000);
    expect(eventsOf(tick(before, ttlMs))).toEqual(["freeze", "suspect o00"]);
    const { result: after } = restart(stored(before), 20_000);
    expect(eventsOf(tick(after, 20_001))).toEqual([]);
    heartbeat(after, leasesOf(1, 10), 20_002);
    expect(eventsOf(tick(after, 20_003))).toEqual(["expire o00", "thaw"]);
  });
});

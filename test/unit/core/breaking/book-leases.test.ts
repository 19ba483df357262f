import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { type Book, bookOf, emptyBook, rowOf } from "../../../../src/core/breaking/book.ts";
import { report } from "../../../../src/core/breaking/report.ts";

const startMs = 1_000_000;
let seq = 0;

/** What an isolate that has nothing yet is granted of 10, and whether a row had to be stored for it. */
function ask(book: Book, isolate: string, nowMs: number) {
  const { reply, changed } = report(
    book,
    {
      ...{ isolate, seq: ++seq, origins: 1, cells: [], probes: [], wants: [] },
      settings: { revision: 1, breaker: null, outlier: null, maxConcurrent: 10 },
      concurrency: { inFlight: 0, held: 0, wanted: 3 },
    },
    nowMs,
    () => 0.5,
  );
  return { granted: reply.concurrency?.granted, changed };
}

describe("leases of concurrency after a restart", () => {
  test("nothing new is granted while leases from before may be out", () => {
    const book = emptyBook();
    expect(ask(book, "a", startMs)).toEqual({ granted: 3, changed: true });
    const restartMs = startMs + bounds.concurrencyTtlMs - 1;
    const again = bookOf(rowOf(book, startMs), restartMs);
    expect(ask(again, "b", restartMs).granted).toBe(0);
    expect(ask(again, "b", restartMs + bounds.concurrencyTtlMs).granted).toBe(3);
  });

  test("an object that never granted any grants at once", () => {
    expect(ask(emptyBook(), "a", 0).granted).toBe(3);
  });

  test("an object that was idle for long enough grants at once", () => {
    const book = emptyBook();
    ask(book, "a", startMs);
    const restartMs = startMs + bounds.concurrencyTtlMs + bounds.concurrencyStoreMs;
    expect(ask(bookOf(rowOf(book, startMs), restartMs), "b", restartMs).granted).toBe(3);
  });

  test("not every grant stores a row, and the row always covers what is out", () => {
    const book = emptyBook();
    let stored = rowOf(book, startMs);
    let stores = 0;
    for (let ms = 0; ms < 60_000; ms += 1_000) {
      const { changed } = ask(book, "a", startMs + ms);
      if (changed) {
        stored = rowOf(book, startMs + ms);
        stores += 1;
      }
      expect(stored.leasesUntilMs).toBeGreaterThanOrEqual(startMs + ms + bounds.concurrencyTtlMs);
    }
    expect(stores).toBeLessThanOrEqual(7);
  });

  test("a row is good for grants up to `concurrencyStoreMs` later", () => {
    const book = emptyBook();
    ask(book, "a", startMs);
    expect(ask(book, "a", startMs + bounds.concurrencyStoreMs).changed).toBe(false);
    expect(ask(book, "a", startMs + bounds.concurrencyStoreMs + 1).changed).toBe(true);
  });
});

import { describe, expect, test } from "vitest";
import { limits } from "../../../../src/core/limiting/limits.ts";
import {
  addDemand,
  awaitTicket,
  close,
  demandOf,
  entryOf,
  expectedRate,
  findEntry,
  inHand,
  newTable,
  report,
} from "../../../../src/core/limiting/table.ts";

describe("the isolate's table", () => {
  test("is bounded, and remembers what is in use", () => {
    const table = newTable("a");
    const hot = entryOf(table, "hot", 0);
    let most = 0;
    for (let n = 0; n < 3 * limits.entriesMax; n++) {
      entryOf(table, `${n}`, 0);
      if (n % 1_000 === 0) expect(entryOf(table, "hot", 0)).toBe(hot);
      most = Math.max(most, table.entries.size + table.older.size);
    }
    expect(most).toBe(limits.entriesMax);
    expect(findEntry(table, "hot")).toBe(hot);
    expect(findEntry(table, "0")).toBeUndefined();
  });

  test("remembers 10,000 keys that are asked for by turns", () => {
    const table = newTable("a");
    const keys = Array.from({ length: 10_000 }, (_, n) => `${n}`);
    const entries = keys.map((key) => entryOf(table, key, 0));
    for (let turn = 0; turn < 5; turn++) {
      expect(keys.filter((key, at) => entryOf(table, key, 0) !== entries[at])).toEqual([]);
    }
  });

  test("keeps a bounded number of reports, the youngest", () => {
    const entry = entryOf(newTable("a"), "k", 0);
    for (let seq = 0; seq < 20; seq++) report(entry, seq, 1);
    report(entry, 19, 0);
    expect(entry.unreported).toHaveLength(limits.reportsMax);
    expect(entry.unreported.at(-1)).toEqual({ seq: 19, used: 1 });
  });

  test("has in hand what may still be spent, and gives up first what is spent or over", () => {
    const entry = entryOf(newTable("a"), "k", 0);
    const lease = (seq: number, permits: number, expiresMs: number) => ({ seq, granted: 9, permits, expiresMs });
    entry.leases = [lease(1, 2, 1_000), lease(2, 0, 3_000), lease(3, 4, 3_000)];
    const lastMs = 1_000 - limits.guardMs - 1;
    expect([lastMs, lastMs + 1].map((nowMs) => inHand(entry, nowMs))).toEqual([6, 4]);
    close(entry, lastMs, false);
    expect(entry.unreported).toEqual([{ seq: 2, used: 9 }]);
    close(entry, lastMs + 1, false);
    expect(entry.unreported.at(-1)).toEqual({ seq: 1, used: 7 });
    expect(entry.leases.map(({ seq }) => seq)).toEqual([3]);
  });

  test("keeps exact calls of several requests, and of other tables, apart", () => {
    const entries = ["a", "b"].map((isolate) => entryOf(newTable(isolate), "k", 0));
    for (const entry of entries) for (const seq of [1, 2]) awaitTicket(entry, seq);
    entries[0]!.tickets.set(1, { granted: 1, delayMs: 0 });
    expect(entries.map(({ tickets }) => [...tickets.values()])).toEqual([
      [{ granted: 1, delayMs: 0 }, null],
      [null, null],
    ]);
  });

  test("forgets demand as time passes, and is not confused by a clock that steps back", () => {
    const entry = entryOf(newTable("a"), "k", 0);
    entry.demand = { perSecond: 100, atMs: 10_000 };
    expect(demandOf(entry, 10_000 + limits.demandMs)).toBeCloseTo(100 / Math.E);
    expect(demandOf(entry, 0)).toBe(100);
  });

  test("expects requests at even intervals to go on as they came, however seldom, and nothing of a first one", () => {
    for (const [at, gapMs] of [10, 100, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 120_000].entries()) {
      const cost = 1 + (at % 4);
      const entry = entryOf(newTable("a"), "k", 0);
      expect(expectedRate(entry, cost, 0)).toBe(0);
      let nowMs = 0;
      for (; nowMs < Math.max(20_000, 3 * gapMs); nowMs += gapMs) addDemand(entry, cost, nowMs);
      const [rate, even] = [expectedRate(entry, cost, nowMs), (cost * 1_000) / gapMs];
      expect(rate / even, `every ${gapMs} ms`).toBeGreaterThan(0.85);
      expect(rate / even, `every ${gapMs} ms`).toBeLessThan(1.15);
    }
  });

  test("expects no more of requests that come close together than their estimate", () => {
    const entry = entryOf(newTable("a"), "k", 0);
    for (let nowMs = 0; nowMs < 500; nowMs += 100) {
      addDemand(entry, 1, nowMs);
      expect(expectedRate(entry, 1, nowMs + 100) / demandOf(entry, nowMs + 100)).toBeLessThan(1.06);
    }
  });

  test("expects little of a burst that is long over", () => {
    const entry = entryOf(newTable("a"), "k", 0);
    for (let request = 0; request < 1_000; request++) addDemand(entry, 1, request);
    expect(expectedRate(entry, 1, 60_000)).toBeLessThan(0.02);
  });
});

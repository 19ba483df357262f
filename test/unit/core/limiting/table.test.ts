import { describe, expect, test } from "vitest";
import { limits } from "../../../../src/core/limiting/limits.ts";
import {
  addDemand,
  demandOf,
  entryOf,
  expectedRate,
  findEntry,
  newTable,
  report,
} from "../../../../src/core/limiting/table.ts";

describe("the isolate's table", () => {
  test("is bounded, and remembers what is in use", () => {
    const table = newTable("a");
    const hot = entryOf(table, "hot", 0);
    for (let n = 0; n < 3 * limits.entriesMax; n++) {
      entryOf(table, `${n}`, 0);
      if (n % 1_000 === 0) expect(entryOf(table, "hot", 0)).toBe(hot);
      expect(table.entries.size + table.older.size).toBeLessThanOrEqual(limits.entriesMax);
    }
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

  test("forgets demand as time passes, and is not confused by a clock that steps back", () => {
    const entry = entryOf(newTable("a"), "k", 0);
    entry.demand = { perSecond: 100, atMs: 10_000 };
    expect(demandOf(entry, 10_000 + limits.demandMs)).toBeCloseTo(100 / Math.E);
    expect(demandOf(entry, 0)).toBe(100);
  });

  test("expects requests at even intervals to go on as they came, however seldom, and nothing of a first one", () => {
    for (const gapMs of [10, 100, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 120_000]) {
      const entry = entryOf(newTable("a"), "k", 0);
      expect(expectedRate(entry, 1, 0)).toBe(0);
      let nowMs = 0;
      for (; nowMs < Math.max(20_000, 3 * gapMs); nowMs += gapMs) addDemand(entry, 1, nowMs);
      const [rate, even] = [expectedRate(entry, 1, nowMs), 1_000 / gapMs];
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

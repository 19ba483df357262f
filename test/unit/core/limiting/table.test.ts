import { describe, expect, test } from "vitest";
import { limits } from "../../../../src/core/limiting/limits.ts";
import { demandOf, entryOf, findEntry, newTable, report } from "../../../../src/core/limiting/table.ts";

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
});

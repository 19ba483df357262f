/** What a book remembers: over calls, over a restart, after a reset and under another policy. */
import { describe, expect, test } from "vitest";
import { type Book, emptyBook, rowOf } from "../../../../src/core/limiting/book.ts";
import { lease, reset } from "../../../../src/core/limiting/lease.ts";
import { limits } from "../../../../src/core/limiting/limits.ts";
import { peek } from "../../../../src/core/limiting/peek.ts";
import type { WindowSpec } from "../../../../src/core/limiting/types.ts";
import { fixed, query, restarted, sliding, t0 } from "./support.ts";

const charged = (book: Book, nowMs: number) => peek(book, nowMs).windows.map((one) => one.charged);
const unused = (...seqs: number[]) => seqs.map((seq) => ({ seq, used: 0 }));

test("the row of a key that nobody has asked for is empty", () => {
  const nothing = { v: 1, policyVersion: -1, windows: [], isolates: [], leases: [], lastNowMs: 0 };
  expect(rowOf(emptyBook())).toEqual(nothing);
});

describe("over a restart", () => {
  const windows = [sliding(100)];

  test("isolates are counted, and what an isolate has given up stays refused", () => {
    const book = emptyBook();
    for (const isolate of ["a", "b", "c"]) lease(book, query(windows, { isolate }), t0);
    lease(book, query(windows, { seq: 3, need: 0, reports: unused(1, 2) }), t0 + 10);
    const after = restarted(book);
    expect(lease(after, query(windows, { seq: 2 }), t0 + 20)).toMatchObject({
      reply: { granted: 0, isolates: 3 },
      changed: false,
    });
    expect(lease(after, query(windows, { isolate: "b", seq: 2 }), t0 + 30).reply).toMatchObject({ granted: 1 });
  });

  test("nothing is stored before something changes, and of a key that is not hot nothing is lost", () => {
    const bucket: WindowSpec = { kind: "token-bucket", rate: 10, burst: 100 };
    const book = emptyBook();
    lease(book, query([bucket], { need: 5 }), t0);
    const after = restarted(book);
    expect(charged(after, t0)).toEqual(charged(book, t0));
    expect(lease(after, query([bucket], { seq: 2, need: 101 }), t0 + 10_000).changed).toBe(false);
  });
});

describe("a reset", () => {
  test("forgets what was spent in the same moment, and shows only leases that are out", () => {
    const book = emptyBook();
    lease(book, query([fixed(100)], { need: 50, exact: true }), t0);
    reset(book, t0);
    expect(charged(book, t0)).toEqual([0]);
    lease(book, query([fixed(100)], { need: 3, seq: 2 }), t0);
    const shown = [0, limits.leaseMsMin - 1, limits.leaseMsMin].map((ms) => peek(book, t0 + ms).leases.length);
    expect(shown).toEqual([1, 1, 0]);
  });

  test("forgets the chunk of a hot key: the row has it no more", () => {
    const book = emptyBook();
    for (let seq = 1; seq <= 40; seq++) lease(book, query([sliding(10_000)], { seq, need: 10 }), t0 + seq * 50);
    expect(lease(book, query([sliding(10_000)], { seq: 41 }), t0 + 2_001).changed).toBe(false);
    reset(book, t0 + 2_002);
    expect(lease(book, query([sliding(10_000)], { seq: 42 }), t0 + 2_003).changed).toBe(true);
  });
});

describe("a lease can be settled", () => {
  const windows = [fixed(1_000_000, 3_600_000)];

  test("after its end, and after a change of policy that leaves its windows", () => {
    const book = emptyBook();
    lease(book, query([sliding(100)], { need: 10 }), t0);
    lease(book, query([sliding(50)], { isolate: "b", policyVersion: 2 }), t0 + 300);
    lease(book, query([sliding(50)], { seq: 2, need: 0, policyVersion: 2, reports: unused(1) }), t0 + 301);
    expect(charged(book, t0 + 301)).toEqual([1]);
  });

  test("when others of its isolate, or of isolates that are forgotten, are not remembered", () => {
    const book = emptyBook();
    for (let n = 0; n <= limits.isolatesMax; n++) lease(book, query(windows, { isolate: `i${n}`, need: 2 }), t0 + n);
    lease(book, query(windows, { isolate: "i9", seq: 2, need: 3 }), t0 + 500);
    lease(book, query(windows, { isolate: "i9", seq: 3, need: 0, reports: unused(1) }), t0 + 501);
    lease(book, query(windows, { isolate: "i9", seq: 4, need: 0, reports: unused(2) }), t0 + 502);
    lease(book, query(windows, { isolate: "i8", seq: 2, need: 0, reports: unused(1) }), t0 + 503);
    expect(charged(book, t0 + 503)).toEqual([2 * (limits.isolatesMax + 1) - 4]);
  });

  test("as long as the longest of its windows counts it, to the last moment", () => {
    const both = [sliding(100), sliding(1_000, 120_000)];
    const book = emptyBook();
    for (const seq of [1, 2]) lease(book, query(both, { seq, need: 10 }), t0);
    const endMs = t0 + limits.leaseMsMin;
    lease(book, query(both, { seq: 3, need: 0, reports: unused(1) }), endMs + 60_301);
    expect(charged(book, endMs + 60_301)).toEqual([0, 10]);
    lease(book, query(both, { seq: 4, need: 0, reports: unused(2) }), endMs + 120_000);
    expect(charged(book, endMs + 120_000)).toEqual([0, 0]);
  });

  test("is forgotten by itself when no window counts it, the others not", () => {
    const book = emptyBook();
    for (const [at, isolate] of ["a", "b", "c"].entries())
      lease(book, query([sliding(100)], { isolate }), t0 + at * 30_200);
    expect(book.leases.map(({ isolate }) => isolate)).toEqual(["b", "c"]);
  });
});

test.each<[string, WindowSpec[], activeMs: number]>([
  ["ten leases", [sliding(100, 80_000)], 40_000],
  ["ten seconds", [sliding(100, 10_000)], 10_000],
  ["a minute", [sliding(100, 200_000)], 60_000],
  ["its lease, if that is more", [sliding(100, 86_400_000)], 300_000],
])("an isolate is active for %s, to the last moment", (_, windows, activeMs) => {
  const book = emptyBook();
  lease(book, query(windows), t0);
  const counts = [0, 1].map(
    (ms) => lease(book, query(windows, { isolate: "b", seq: 1 + ms }), t0 + activeMs + ms).reply.isolates,
  );
  expect(counts).toEqual([2, 1]);
});

test("an isolate is remembered for ten minutes, to the last moment", () => {
  const book = emptyBook();
  lease(book, query([sliding(100)]), t0);
  const names = [0, 1].map((ms) => {
    lease(book, query([sliding(100)], { isolate: "b", seq: 1 + ms }), t0 + limits.isolateKeptMs + ms);
    return [...book.isolates.keys()];
  });
  expect(names).toEqual([["a", "b"], ["b"]]);
});

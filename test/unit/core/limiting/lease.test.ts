import { describe, expect, test } from "vitest";
import { deletableAtMs, emptyBook } from "../../../../src/core/limiting/book.ts";
import { lease, reset } from "../../../../src/core/limiting/lease.ts";
import { limits } from "../../../../src/core/limiting/limits.ts";
import { peek } from "../../../../src/core/limiting/peek.ts";
import type { LeaseQuery, WindowSpec } from "../../../../src/core/limiting/types.ts";
import { fixed, query, restarted, sliding, t0 } from "./support.ts";

const charged = (book: ReturnType<typeof emptyBook>, nowMs: number) =>
  peek(book, nowMs).windows.map((one) => one.charged);

describe("a grant", () => {
  test("of one waiting request is for no longer than its way", () => {
    const book = emptyBook();
    const { reply, changed } = lease(book, query([sliding(100)]), t0);
    expect(changed).toBe(true);
    expect(reply).toEqual({
      seq: 1,
      granted: 1,
      ttlMs: limits.leaseMsMin,
      delayMs: 0,
      retryAfterMs: 0,
      denyMs: 0,
      window: 0,
      free: 99,
      resetMs: 60_300,
      isolates: 1,
    });
  });

  test.each<[string, WindowSpec[], Partial<LeaseQuery>, granted: number, ttlMs: number]>([
    ["the demand of its time and a quarter more", [sliding(1_000)], { rate: 10 }, 38, 3_000],
    ["at most half of what is free for the first", [sliding(40)], { rate: 10 }, 20, 3_000],
    ["to the end of a fixed window", [fixed(1_000)], { rate: 1 }, 75, 60_000],
    ["no longer than the longest lease", [fixed(1_000_000, 86_400_000)], { rate: 1 }, 375, 300_000],
    ["at least what is needed", [sliding(40)], { rate: 1, need: 35 }, 35, 250],
    ["no longer for demand of just what is needed", [sliding(1_000)], { rate: 10, need: 38 }, 38, 250],
    ["of a short sliding window: a tenth of it", [sliding(1_000, 1_000)], { rate: 400 }, 50, 250],
    ["the shortest of several windows", [sliding(1_000), sliding(1_000, 20_000)], { rate: 10 }, 13, 1_000],
    ["a bucket: an eighth of its burst", [{ kind: "token-bucket", rate: 10, burst: 100 }], { rate: 5 }, 8, 1_250],
    ["exactly, spent at once", [sliding(1_000)], { rate: 10, exact: true, need: 2 }, 2, 0],
    ["a short window's are not leased", [sliding(10, 1_000)], { rate: 10, exact: true }, 1, 0],
    ["an isolate that does not know that yet may use it", [sliding(10, 1_000)], { rate: 10 }, 1, 250],
  ])("is %s", (_, windows, part, granted, ttlMs) => {
    expect(lease(emptyBook(), query(windows, part), t0).reply).toMatchObject({ granted, ttlMs, delayMs: 0 });
  });

  test("lasts no longer than a calendar window", () => {
    const minute: WindowSpec = { kind: "calendar-window", limit: 1_000, unit: "minute", timeZone: "UTC" };
    expect(lease(emptyBook(), query([minute], { rate: 1 }), t0 + 40_000).reply.ttlMs).toBe(20_000);
  });

  const slow: WindowSpec = { kind: "token-bucket", rate: 1, burst: 1_000 };
  test.each<[string, WindowSpec[], free: number, rate: number, granted: number]>([
    ["a share of what is free while more than half is", [sliding(1_000)], 501, 40, 125],
    ["half a share when half is", [sliding(1_000)], 500, 40, 62],
    ["half a share when little is", [sliding(1_000)], 200, 20, 25],
    ["half a share when little is of one window", [sliding(1_000), sliding(10_000)], 200, 20, 25],
    ["a share of a bucket", [slow], 501, 5, 125],
    ["half a share of a bucket", [slow], 500, 5, 62],
  ])("is for one of four isolates %s", (_, windows, free, rate, granted) => {
    const book = emptyBook();
    for (const isolate of ["b", "c", "d"]) lease(book, query(windows, { isolate, exact: true }), t0);
    lease(book, query(windows, { need: 997 - free, exact: true }), t0);
    expect(lease(book, query(windows, { seq: 2, rate }), t0).reply.granted).toBe(granted);
  });

  test("says nothing of waiting, however little is left", () => {
    const { reply } = lease(emptyBook(), query([fixed(10)], { need: 6 }), t0);
    expect(reply).toMatchObject({ granted: 6, retryAfterMs: 0, denyMs: 0 });
  });

  test("of a queue is good after its delay, of which the same query hears what is left", () => {
    const windows: WindowSpec[] = [{ kind: "leaky-bucket", rate: 10, burst: 1, maxDelayMs: 250 }, sliding(100)];
    const book = emptyBook();
    const delayMs = (seq: number, ms: number) =>
      lease(book, query(windows, { seq, exact: true }), t0 + ms).reply.delayMs;
    expect([delayMs(1, 0), delayMs(2, 0), delayMs(3, 10)]).toEqual([0, 100, 190]);
    expect([delayMs(3, 50), delayMs(3, 200), delayMs(3, 201)]).toEqual([150, 0, 0]);
  });

  test("is a share when others are active, and smaller when less than half is free", () => {
    const book = emptyBook();
    for (const isolate of ["a", "b", "c", "d"]) lease(book, query([sliding(1_000)], { isolate }), t0);
    const big = (isolate: string) =>
      lease(book, query([sliding(1_000)], { isolate, seq: 2, rate: 400 }), t0 + 1).reply.granted;
    expect(big("a"), "no less than one second's demand").toBe(400);
    expect(lease(book, query([sliding(1_000)], { seq: 3, rate: 20 }), t0 + 1).reply.granted).toBe(75);
  });

  test("in the last moments of a fixed window is charged to the next as well", () => {
    const book = emptyBook();
    const { reply } = lease(book, query([fixed(10)], { need: 4 }), t0 + 59_900);
    expect(reply).toMatchObject({ granted: 4, ttlMs: 250 });
    expect(charged(book, t0 + 60_000)).toEqual([4]);
    expect(charged(book, t0 + 120_000)).toEqual([0]);
  });

  test("takes all windows or none", () => {
    const book = emptyBook();
    const windows = [sliding(3, 60_000), sliding(5, 120_000)];
    expect(lease(book, query(windows, { need: 3 }), t0).reply.granted).toBe(3);
    expect(lease(book, query(windows, { need: 1, seq: 2 }), t0 + 1_000).reply).toMatchObject({
      granted: 0,
      free: 0,
      window: 0,
    });
    expect(charged(book, t0 + 1_000)).toEqual([3, 3]);
    const late = lease(book, query(windows, { need: 3, seq: 3 }), t0 + 70_000).reply;
    expect(late).toMatchObject({ granted: 0, free: 2, window: 1, retryAfterMs: t0 + 120_600 - (t0 + 70_000) });
  });
});

describe("a denial", () => {
  test("says when it would be free and how long to hold still, and needs no row", () => {
    const book = emptyBook();
    lease(book, query([fixed(5)], { need: 5 }), t0);
    const { reply, changed } = lease(book, query([fixed(5)], { seq: 2 }), t0 + 10_000);
    expect(reply).toMatchObject({
      granted: 0,
      ttlMs: 0,
      retryAfterMs: 50_000,
      denyMs: limits.denyMsMax,
      free: 0,
      resetMs: 50_000,
    });
    expect(changed).toBe(false);
  });

  test("is remembered longer the more isolates there are, and shorter in a short window", () => {
    const book = emptyBook();
    for (let n = 0; n < 8; n++) lease(book, query([sliding(8, 20_000)], { isolate: `i${n}`, exact: true }), t0);
    const pauses = Array.from(
      { length: 8 },
      (_, n) => lease(book, query([sliding(8, 20_000)], { isolate: `i${n}`, seq: 2 }), t0 + 19_990).reply.denyMs,
    );
    expect(pauses.at(-1), "eight turns of 200 ms").toBe(1_600);
    const brief = emptyBook();
    for (let n = 0; n < 8; n++) lease(brief, query([sliding(8, 1_000)], { isolate: `i${n}`, exact: true }), t0);
    expect(lease(brief, query([sliding(8, 1_000)], { seq: 2, exact: true }), t0 + 999).reply.denyMs).toBe(100);
  });
});

describe("who is denied waits", () => {
  test("for a place in a queue, also an isolate that does not know that it is one", () => {
    const windows: WindowSpec[] = [{ kind: "leaky-bucket", rate: 10, burst: 1, maxDelayMs: 250 }];
    const book = emptyBook();
    for (const seq of [1, 2, 3]) lease(book, query(windows, { seq, exact: true }), t0);
    for (const exact of [true, false]) {
      expect(lease(book, query(windows, { seq: 4, exact }), t0).reply).toMatchObject({ granted: 0, retryAfterMs: 50 });
    }
  });

  test("for a bucket, and is denied so long, half of its refill at the most", () => {
    const windows: WindowSpec[] = [{ kind: "token-bucket", rate: 10, burst: 20 }];
    const book = emptyBook();
    for (let n = 0; n < 10; n++) lease(book, query(windows, { isolate: `i${n}`, need: 2, exact: true }), t0);
    expect(lease(book, query(windows, { seq: 2, exact: true }), t0).reply).toMatchObject({
      retryAfterMs: 100,
      denyMs: 1_000,
    });
  });

  /** A lease of 188 that is out for three seconds, under a window of one second that has just come; then given back. */
  const crossed = (...more: WindowSpec[]) => {
    const windows = [fixed(200, 1_000), ...more];
    const book = emptyBook();
    expect(lease(book, query([sliding(10_000)], { rate: 50 }), t0 + 900).reply.granted).toBe(188);
    const reports = [{ seq: 1, used: 0 }];
    lease(book, query(windows, { isolate: "b", need: 0, policyVersion: 2 }), t0 + 1_100);
    lease(book, query(windows, { seq: 2, need: 0, policyVersion: 2, reports }), t0 + 1_200);
    return (seq: number, need: number, ms: number) =>
      lease(book, query(windows, { seq, need, policyVersion: 2 }), t0 + ms).reply;
  };

  test("for the window after next, when the next one that the lease would reach into is full", () => {
    expect(crossed()(3, 20, 1_900)).toMatchObject({ granted: 0, retryAfterMs: 1_100 });
  });

  test("no longer for a window that its lease would not reach into", () => {
    const asked = crossed(sliding(150, 1_000));
    expect(asked(3, 140, 1_210).granted).toBe(140);
    expect(asked(4, 20, 1_220)).toMatchObject({ granted: 0, window: 1, retryAfterMs: 1_240 });
  });
});

describe("the same query again", () => {
  test("gets the same lease, charged once", () => {
    const book = emptyBook();
    const first = lease(book, query([sliding(100)], { need: 7 }), t0);
    const again = lease(restarted(book), query([sliding(100)], { need: 7 }), t0 + 90);
    expect(again.reply).toMatchObject({ granted: 7, ttlMs: first.reply.ttlMs, free: 93 });
    expect(again.changed).toBe(false);
  });

  test("is refused once its lease is settled", () => {
    const book = emptyBook();
    const windows = [sliding(100)];
    lease(book, query(windows, { need: 7 }), t0);
    lease(book, query(windows, { seq: 2, reports: [{ seq: 1, used: 7 }] }), t0 + 10);
    expect(lease(book, query(windows, { need: 7 }), t0 + 20).reply.granted).toBe(0);
    expect(charged(book, t0 + 20)).toEqual([8]);
  });

  test("settles its reports once", () => {
    const book = emptyBook();
    const windows = [sliding(100)];
    lease(book, query(windows, { need: 10 }), t0);
    const report = query(windows, { seq: 2, reports: [{ seq: 1, used: 4 }] });
    for (const ms of [10, 20, 30]) lease(book, report, t0 + ms);
    expect(charged(book, t0 + 30)).toEqual([5]);
  });
});

test("a report of more or less than was leased counts as all or nothing", () => {
  const book = emptyBook();
  const windows = [sliding(100)];
  for (const seq of [1, 2]) lease(book, query(windows, { need: 10, seq }), t0);
  const reports = [
    { seq: 1, used: -5 },
    { seq: 2, used: 50 },
    { seq: 3, used: 1 },
  ];
  lease(book, query(windows, { seq: 4, reports }), t0 + 1);
  expect(charged(book, t0 + 1)).toEqual([11]);
});

test("an approximate limit is charged what was spent, free or not, and a query that comes twice once", () => {
  const book = emptyBook();
  const exchange = query([fixed(10)], { need: 0, spent: 14 });
  expect(lease(book, exchange, t0)).toMatchObject({ reply: { granted: 0, free: 0, denyMs: 0 }, changed: true });
  expect(lease(book, exchange, t0 + 1)).toMatchObject({ reply: { granted: 0, free: 0 } });
  expect(charged(book, t0 + 1)).toEqual([14]);
  expect(lease(book, query([fixed(10)], { seq: 2, need: 0 }), t0 + 2).changed).toBe(false);
  expect(lease(book, query([fixed(10)], { seq: 3, need: 0, spent: 1 }), t0 + 3).changed).toBe(true);
  const busy = emptyBook();
  lease(busy, query([fixed(1_000)], { need: 0, spent: 2, rate: 10 }), t0);
  expect(charged(busy, t0), "nothing but what was spent").toEqual([2]);
});

describe("the clock", () => {
  test("never goes back, over a restart as well", () => {
    const book = emptyBook();
    lease(book, query([sliding(5)], { need: 5 }), t0);
    const later = restarted(book);
    expect(lease(later, query([sliding(5)], { seq: 2 }), t0 - 5_000).reply).toMatchObject({
      granted: 0,
      retryAfterMs: 60_300,
    });
    expect(later.lastNowMs).toBe(t0);
  });
});

describe("another policy", () => {
  test("lowered counts at once: charges stay, nothing is free below zero", () => {
    const book = emptyBook();
    lease(book, query([sliding(100)], { need: 60 }), t0);
    const { reply, changed } = lease(book, query([sliding(50)], { seq: 2, policyVersion: 2 }), t0 + 1);
    expect(reply).toMatchObject({ granted: 0, free: 0 });
    expect(changed).toBe(true);
    expect(peek(book, t0 + 1)).toMatchObject({ policyVersion: 2, windows: [{ charged: 60, free: 0 }] });
  });

  test("of a lower version is not listened to", () => {
    const book = emptyBook();
    lease(book, query([sliding(10)], { policyVersion: 5 }), t0);
    lease(book, query([sliding(1_000)], { seq: 2, policyVersion: 4 }), t0 + 1);
    expect(peek(book, t0 + 1).windows).toMatchObject([{ spec: { limit: 10 }, charged: 2 }]);
  });

  test("with a window of another shape begins it with the leases that are out, and settles them in it", () => {
    const book = emptyBook();
    lease(book, query([sliding(100)], { need: 3 }), t0);
    lease(book, query([sliding(100)], { seq: 2, need: 4 }), t0 + 200);
    const reports = [
      { seq: 1, used: 0 },
      { seq: 2, used: 1 },
    ];
    const windows = [sliding(100), fixed(100)];
    lease(book, query(windows, { isolate: "b", policyVersion: 2 }), t0 + 300);
    expect(charged(book, t0 + 300)).toEqual([8, 5]);
    lease(book, query(windows, { seq: 3, policyVersion: 2, reports }), t0 + 301);
    expect(charged(book, t0 + 301), "the first lease was over, so it stays").toEqual([6, 3]);
  });
});

test("a reset forgets what was spent, not the leases that are out", () => {
  const book = emptyBook();
  lease(book, query([fixed(100)], { need: 50, exact: true }), t0);
  lease(book, query([fixed(100)], { need: 3, seq: 2 }), t0);
  reset(book, t0 + 100);
  expect(peek(book, t0 + 100)).toMatchObject({
    windows: [{ charged: 3, free: 97 }],
    leases: [{ isolate: "a", amount: 3 }],
  });
  expect(peek(emptyBook(), t0)).toEqual({ policyVersion: -1, windows: [], leases: [] });
});

describe("the chunk of a hot key", () => {
  const windows = [sliding(10_000)];
  /** Twenty calls a second for two seconds, each of an isolate that reports the lease before, or nothing. */
  const heat = (isReporting = true) => {
    const book = emptyBook();
    const changes: boolean[] = [];
    for (let n = 1; n <= 40; n++) {
      const reports = isReporting ? [{ seq: n - 1, used: 1 }] : [];
      changes.push(lease(book, query(windows, { seq: n, need: 10, reports }), t0 + n * 50).changed);
    }
    return { book, changes };
  };

  test("is stored in advance, so that most grants need no row", () => {
    const { changes } = heat();
    expect(changes.slice(0, 5)).toEqual([true, true, true, true, true]);
    expect(changes.slice(20).filter(Boolean).length).toBeLessThanOrEqual(4);
  });

  test("is lost by a restart, until it would have been spent anyway", () => {
    const { book } = heat();
    const nowMs = t0 + 2_001;
    const after = restarted(book);
    const lost = charged(after, nowMs)[0]! - charged(book, nowMs)[0]!;
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThanOrEqual(10_000 / limits.chunkDivisor);
    expect(charged(after, nowMs + 70_000)).toEqual([0]);
  });

  test("does not cover a grant that is larger, or later, than it", () => {
    const { book } = heat();
    expect(book.chunk.amount).toBeGreaterThan(0);
    expect(lease(book, query(windows, { isolate: "b", need: 1_000 }), t0 + 2_001).changed).toBe(true);
    expect(lease(book, query(windows, { isolate: "b", seq: 2 }), t0 + 20_000).changed).toBe(true);
  });

  test("covers grants to its last permit and its last moment", () => {
    const { book } = heat(false);
    const { amount, untilMs } = book.chunk;
    const lastMs = untilMs - limits.leaseMsMin;
    const at = (nowMs: number, seq: number, need: number) =>
      lease(book, query(windows, { isolate: "b", seq, need }), nowMs).changed;
    expect([at(lastMs, 1, 1), at(lastMs, 2, amount - 1), at(lastMs, 3, 1)]).toEqual([false, false, true]);
    const later = heat(false).book;
    expect(lease(later, query(windows, { isolate: "b" }), lastMs + 1).changed).toBe(true);
  });

  test("covers leases of the whole length for half a second", () => {
    const book = emptyBook();
    const changes = Array.from({ length: 40 }, (_, n) => {
      const part = { isolate: `i${n}`, rate: 5 };
      return lease(book, query([sliding(100_000)], part), t0 + n * 50).changed;
    });
    expect(changes.slice(20).filter(Boolean).length).toBeLessThanOrEqual(4);
  });

  test("is a quarter of what is free at the most, also of a bucket", () => {
    const bucket: WindowSpec = { kind: "token-bucket", rate: 100, burst: 10_000 };
    for (const spec of [sliding(10_000), bucket]) {
      const book = emptyBook();
      let most = 0;
      for (let seq = 1; seq <= 20; seq++) {
        const nowMs = t0 + seq * 50;
        if (!lease(book, query([spec], { seq, need: 400 }), nowMs).changed) continue;
        const [free, after] = [book, restarted(book)].map((one) => peek(one, nowMs).windows[0]!.free) as [
          number,
          number,
        ];
        expect(free - after).toBeLessThanOrEqual(free / limits.chunkDivisor);
        most = Math.max(most, free - after);
      }
      expect(most).toBeGreaterThan(1_000);
    }
  });

  test("is kept from ten calls a second on", () => {
    const book = emptyBook();
    const amounts = Array.from({ length: 10 }, (_, n) => {
      lease(book, query(windows, { seq: n + 1 }), t0);
      return book.chunk.amount;
    });
    expect(amounts.slice(0, 9)).toEqual(Array(9).fill(0));
    expect(amounts[9]).toBeGreaterThan(0);
  });

  test("holds settlements back for half a second at most", () => {
    const book = emptyBook();
    lease(book, query(windows, { need: 10 }), t0);
    const denied = { need: 10_000, reports: [{ seq: 1, used: 1 }] };
    expect(lease(book, query(windows, { ...denied, seq: 2 }), t0 + 499).changed).toBe(false);
    expect(lease(book, query(windows, { ...denied, seq: 3 }), t0 + 500).changed).toBe(true);
  });
});

describe("what is remembered is bounded", () => {
  const windows = [fixed(1_000_000, 3_600_000)];

  test("isolates: the one unseen for longest goes, and its charge stays", () => {
    const book = emptyBook();
    for (let n = 0; n <= limits.isolatesMax; n++) lease(book, query(windows, { isolate: `i${n}`, need: 2 }), t0 + n);
    expect(book.isolates.size).toBe(limits.isolatesMax);
    expect(book.leases.some(({ isolate }) => isolate === "i0")).toBe(false);
    lease(book, query(windows, { isolate: "i0", seq: 2, reports: [{ seq: 1, used: 0 }] }), t0 + 999);
    expect(charged(book, t0 + 999)).toEqual([2 * (limits.isolatesMax + 1) + 1]);
  });

  test("isolates that were not seen for long, and how many are active", () => {
    const book = emptyBook();
    for (const isolate of ["a", "b", "c"]) lease(book, query([sliding(100)], { isolate }), t0);
    expect(lease(book, query([sliding(100)], { isolate: "d" }), t0 + 30_000).reply.isolates).toBe(4);
    expect(lease(book, query([sliding(100)], { isolate: "d", seq: 2 }), t0 + 30_001).reply.isolates).toBe(1);
    lease(book, query([sliding(100)], { isolate: "d", seq: 3 }), t0 + limits.isolateKeptMs + 1);
    expect([...book.isolates.keys()]).toEqual(["d"]);
  });

  test("leases of one isolate: the oldest counts as spent", () => {
    const book = emptyBook();
    for (let seq = 1; seq <= 9; seq++) lease(book, query(windows, { seq, need: 10 }), t0 + seq);
    expect(book.leases.map(({ seq }) => seq)).toEqual([6, 7, 8, 9]);
  });

  test("leases that no window counts any more", () => {
    const book = emptyBook();
    lease(book, query([sliding(100)]), t0);
    lease(book, query([sliding(100)], { isolate: "b" }), t0 + 60_251);
    expect(book.leases.map(({ isolate }) => isolate)).toEqual(["b"]);
  });
});

test("state may go when nothing is charged any more, and a margin later", () => {
  const book = emptyBook();
  expect(deletableAtMs(book)).toBe(limits.idleMarginMs);
  lease(book, query([fixed(10)]), t0 + 59_900);
  expect(deletableAtMs(book)).toBe(t0 + 120_000 + limits.idleMarginMs);
});

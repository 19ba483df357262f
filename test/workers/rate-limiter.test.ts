import { abortAllDurableObjects, reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { bounds } from "../../src/bounds.ts";
import { leasePermits } from "../../src/clients/rate-limiter.ts";
import { limits } from "../../src/core/limiting/limits.ts";
import type { LeaseQuery, WindowSpec } from "../../src/core/limiting/types.ts";

let key = "";
beforeEach(() => {
  key = `per-client|ip=${crypto.randomUUID()}`;
});
afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

/** Ends the object as a failure of its machine does: nothing in memory is left. */
const crash = abortAllDurableObjects;
const stubOf = () => env.RATE_LIMITER.getByName(key);
const minuteMs = 60_000;
const sliding = (limit: number, windowMs = minuteMs): WindowSpec => ({ kind: "sliding-window", limit, windowMs });

let seq = 0;
/** Asks for `need`, and without a demand for no more than that. */
const query = (need: number, rest: Partial<LeaseQuery> = {}): LeaseQuery => ({
  isolate: "a",
  seq: ++seq,
  need,
  rate: 0,
  exact: false,
  spent: 0,
  reports: [],
  windows: [sliding(10)],
  policyVersion: 1,
  ...rest,
});
const lease = (need: number, rest: Partial<LeaseQuery> = {}) => leasePermits(env, key, query(need, rest));
const grant = async (need: number, rest: Partial<LeaseQuery> = {}) => (await lease(need, rest)).granted;
const charged = async () => (await stubOf().peek()).windows.map((window) => window.charged);

/** Moves the clock of tests and objects to a moment that is still to come, so that no alarm fires by itself. */
function clockAt(iso: string): { forward(byMs: number): void } {
  let nowMs = Date.parse(iso);
  vi.spyOn(Date, "now").mockImplementation(() => nowMs);
  return {
    forward: (byMs) => {
      nowMs += byMs;
    },
  };
}

/** Counts the rows that are stored from here on, by the database itself. */
async function countRows(): Promise<() => Promise<number>> {
  await runInDurableObject(stubOf(), (instance, { storage }) => {
    instance.peek();
    storage.sql.exec(`CREATE TABLE stored (n INTEGER);
      CREATE TRIGGER inserted AFTER INSERT ON book BEGIN INSERT INTO stored VALUES (1); END;
      CREATE TRIGGER updated AFTER UPDATE ON book BEGIN INSERT INTO stored VALUES (1); END;`);
  });
  return () =>
    runInDurableObject(
      stubOf(),
      (_, { storage }) => storage.sql.exec<{ n: number }>("SELECT count(*) AS n FROM stored").one().n,
    );
}
const alarmOf = () => runInDurableObject(stubOf(), (_, { storage }) => storage.getAlarm());
const tablesOf = () =>
  runInDurableObject(stubOf(), (_, { storage }) =>
    storage.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
      )
      .toArray()
      .map(({ name }) => name),
  );

describe("a charge", () => {
  test("L4: is stored before the call is answered", async () => {
    await runInDurableObject(stubOf(), (instance, { storage }) => {
      instance.lease(query(4));
      const { json } = storage.sql.exec<{ json: string }>("SELECT json FROM book").one();
      expect(JSON.parse(json)).toMatchObject({ v: 1, leases: [{ isolate: "a", seq, amount: 4 }] });
    });
  });

  const policies: readonly (readonly [string, WindowSpec])[] = [
    ["sliding window", sliding(10)],
    ["fixed window", { kind: "fixed-window", limit: 10, windowMs: 365 * 86_400_000 }],
    ["calendar window", { kind: "calendar-window", limit: 10, unit: "month", timeZone: "UTC" }],
    ["token bucket", { kind: "token-bucket", rate: 0.000_001, burst: 10 }],
    ["leaky bucket", { kind: "leaky-bucket", rate: 0.000_001, burst: 10, maxDelayMs: 0 }],
  ];
  test.each(policies)("L1: outlives the object's end after any reply: %s", async (_, window) => {
    clockAt("2031-03-10T12:00:00Z");
    let total = 0;
    for (let call = 0; call < 6; call++) {
      const { granted } = await lease(2, { windows: [window], exact: true });
      total += granted;
      await crash();
      expect(Math.round((await charged())[0]!)).toBe(total);
    }
    expect(total).toBe(10);
  });

  test("is made once for a query that comes again, also to a new instance", async () => {
    const asked = query(4);
    const first = await leasePermits(env, key, asked);
    expect(first).toMatchObject({ seq: asked.seq, granted: 4, free: 6 });
    const grants = [(await leasePermits(env, key, asked)).granted];
    await crash();
    grants.push((await leasePermits(env, key, asked)).granted);
    expect(grants).toEqual([4, 4]);
    expect(await charged()).toEqual([4]);
  });

  test("is credited when the isolate reports what it did not use", async () => {
    const { seq: leased } = await lease(6);
    await lease(1, { reports: [{ seq: leased, used: 2 }] });
    expect(await charged()).toEqual([3]);
  });

  test("never exceeds the limit, and uses all of it, with 8 callers at once", async () => {
    const windows = [sliding(150)];
    const caller = async (isolate: string): Promise<number> => {
      let total = 0;
      for (let call = 0; call < 40; call++) total += await grant(1, { isolate, windows });
      return total;
    };
    const totals = await Promise.all(["a", "b", "c", "d", "e", "f", "g", "h"].map(caller));
    expect(totals.reduce((sum, total) => sum + total)).toBe(150);
  });

  test("is taken of every window or of none", async () => {
    const clock = clockAt("2031-03-10T12:00:00Z");
    const windows = [sliding(5, 10_000), sliding(8, 60 * minuteMs)];
    expect(await grant(5, { windows })).toBe(5);
    expect(await lease(1, { windows })).toMatchObject({ granted: 0, free: 0 });
    expect(await charged()).toEqual([5, 5]);
    clock.forward(11_000);
    expect(await charged()).toEqual([0, 5]);
    await crash();
    expect(await grant(4, { windows })).toBe(0);
    expect(await grant(3, { windows })).toBe(3);
    expect(await charged()).toEqual([3, 8]);
  });

  test("of a month goes on after the object's end, until the month of the zone is over", async () => {
    const clock = clockAt("2031-01-15T12:00:00Z");
    const windows: WindowSpec[] = [{ kind: "calendar-window", limit: 10, unit: "month", timeZone: "Europe/Oslo" }];
    const exact = { windows, exact: true };
    expect(await grant(7, exact)).toBe(7);
    await crash();
    clock.forward(10 * 86_400_000);
    expect(await grant(4, exact)).toBe(0);
    expect(await grant(3, exact)).toBe(3);
    await crash();
    const { granted, retryAfterMs } = await lease(1, exact);
    expect(granted).toBe(0);
    expect(new Date(Date.now() + retryAfterMs).toISOString()).toBe("2031-01-31T23:00:00.000Z");
    clock.forward(retryAfterMs - 1);
    expect(await grant(1, exact)).toBe(0);
    clock.forward(1);
    expect(await grant(10, exact)).toBe(10);
  });
});

describe("a key that is new", () => {
  test("has one table with one row", async () => {
    await lease(1);
    expect(await tablesOf()).toEqual(["book"]);
    expect(await charged()).toEqual([1]);
  });

  test("goes on from the tables of the version before, which noted its migration", async () => {
    await lease(4);
    await runInDurableObject(stubOf(), (_, { storage }) => {
      storage.sql.exec("CREATE TABLE migration (version INTEGER PRIMARY KEY) STRICT; INSERT INTO migration VALUES (1)");
    });
    await crash();
    expect(await grant(7)).toBe(0);
    expect(await grant(6)).toBe(6);
  });
});

describe("a hot key", () => {
  test("stores far fewer rows than it is called, and after the object's end never goes above the limit", async () => {
    const windows = [sliding(4_000, 60 * minuteMs)];
    const stored = await countRows();
    let total = 0;
    for (let call = 0; call < 400; call++) total += await grant(1, { isolate: `i${call % 8}`, windows });
    expect(total).toBe(400);
    expect(await stored()).toBeLessThan(0.1 * 400);
    // In the middle of a chunk: what of it was granted is not known to the row, but it is charged.
    await crash();
    const [after] = await charged();
    expect(after).toBeGreaterThanOrEqual(400);
    expect(after).toBeLessThan(400 + 4_000 / limits.chunkDivisor);
    for (let granted = 1; granted > 0; total += granted) granted = await grant(100, { windows });
    expect(total).toBeLessThanOrEqual(4_000);
    expect(total).toBeGreaterThan(4_000 * (1 - 1 / limits.chunkDivisor) - 100);
  });

  test("stores nothing for denials", async () => {
    await lease(10);
    const stored = await countRows();
    for (let call = 0; call < 50; call++) expect(await grant(1)).toBe(0);
    expect(await stored()).toBe(0);
  });

  test("sets one alarm, not one a call, also when the object starts anew", async () => {
    const clock = clockAt("2031-03-10T12:00:00Z");
    await lease(1);
    const alarm = await alarmOf();
    expect(alarm).toBeGreaterThan(Date.now() + minuteMs);
    for (let call = 0; call < 9; call++) {
      clock.forward(3_000);
      await lease(1);
      if (call === 4) await crash();
      expect(await alarmOf()).toBe(alarm);
    }
  });
});

describe("policies", () => {
  test("the highest version wins, and a lowered limit counts at once", async () => {
    await lease(6);
    expect(await grant(1, { windows: [sliding(6)], policyVersion: 3 })).toBe(0);
    expect(await grant(1, { windows: [sliding(100)], policyVersion: 2 })).toBe(0);
    await crash();
    expect(await stubOf().peek()).toMatchObject({ policyVersion: 3, windows: [{ charged: 6, free: 0 }] });
  });
});

describe("peek", () => {
  test("shows windows and leases, and spends nothing", async () => {
    const untilMs = Date.now() + 1_000;
    await lease(1, { rate: 2, windows: [sliding(100)] });
    const first = await stubOf().peek();
    expect(first).toMatchObject({ policyVersion: 1, leases: [{ isolate: "a" }] });
    const [out] = first.leases;
    expect(out!.amount).toBeGreaterThan(1);
    expect(out!.untilMs).toBeGreaterThan(untilMs);
    expect(first.windows).toMatchObject([
      { spec: sliding(100), charged: out!.amount, free: 100 - out!.amount, resetMs: expect.any(Number) },
    ]);
    for (let call = 0; call < 5; call++) expect(await charged()).toEqual([out!.amount]);
  });

  test("of a key that nobody has asked for leaves nothing behind", async () => {
    expect(await stubOf().peek()).toEqual({ policyVersion: -1, windows: [], leases: [] });
    vi.spyOn(Date, "now").mockReturnValue((await alarmOf())!);
    await runDurableObjectAlarm(stubOf());
    expect(await tablesOf()).toEqual([]);
  });
});

describe("reset", () => {
  test("forgets what was spent, for good", async () => {
    clockAt("2031-03-10T12:00:00Z");
    await lease(10, { exact: true });
    await stubOf().reset();
    await crash();
    expect(await charged()).toEqual([0]);
    expect(await grant(10)).toBe(10);
  });

  test("keeps the leases that are out: they may still be spent", async () => {
    clockAt("2031-03-10T12:00:00Z");
    await lease(10, { exact: true, windows: [sliding(100)] });
    const granted = await grant(1, { rate: 2, windows: [sliding(100)] });
    await stubOf().reset();
    await crash();
    expect(await charged()).toEqual([granted]);
  });

  test("moves an alarm that would come much too late", async () => {
    clockAt("2031-03-10T12:00:00Z");
    await lease(1, { exact: true, windows: [{ kind: "calendar-window", limit: 10, unit: "month", timeZone: "UTC" }] });
    expect(await alarmOf()).toBe(Date.parse("2031-04-01T00:00:00Z") + limits.idleMarginMs);
    await stubOf().reset();
    expect(await alarmOf()).toBe(Date.now() + limits.idleMarginMs);
  });
});

describe("the alarm", () => {
  test("deletes what nobody needs any more, not before, and the object goes on", async () => {
    const clock = clockAt("2031-03-10T12:00:00Z");
    await lease(4, { exact: true });
    clock.forward(30_000);
    await lease(4, { exact: true });
    await runDurableObjectAlarm(stubOf());
    expect(await charged()).toEqual([8]);
    const alarm = await alarmOf();
    expect(alarm).toBeGreaterThan(Date.now() + minuteMs);
    clock.forward(alarm! - Date.now());
    await runDurableObjectAlarm(stubOf());
    expect(await tablesOf()).toEqual([]);
    expect(await alarmOf()).toBeNull();
    expect(await grant(10)).toBe(10);
    expect(await alarmOf()).not.toBeNull();
    await crash();
    expect(await charged()).toEqual([10]);
  });

  test("leaves a key alone that it finds in use, until half an hour after it could be deleted", async () => {
    const clock = clockAt("2031-03-10T12:00:00Z");
    await lease(4, { exact: true });
    clock.forward(30_000);
    await lease(4, { exact: true });
    clock.forward((await alarmOf())! - Date.now() - 30_000);
    await runDurableObjectAlarm(stubOf());
    const alarm = await alarmOf();
    expect(alarm).toBe(Date.parse("2031-03-10T12:01:30Z") + limits.idleMarginMs + bounds.limiterAlarmPauseMs);
    for (let call = 0; call < 3; call++) {
      clock.forward(minuteMs);
      await lease(1, { exact: true });
      expect(await alarmOf()).toBe(alarm);
    }
  });

  test("deletes in an object that had ended before", async () => {
    const clock = clockAt("2031-03-10T12:00:00Z");
    await lease(4, { exact: true });
    await crash();
    clock.forward(10 * minuteMs);
    await runDurableObjectAlarm(stubOf());
    expect(await tablesOf()).toEqual([]);
  });

  test("sets the next one though it fails", async () => {
    await lease(4);
    await crash();
    const error = vi.spyOn(console, "error").mockReturnValue();
    const alarm = await runInDurableObject(stubOf(), async (instance, { storage }) => {
      storage.sql.exec("ALTER TABLE book RENAME COLUMN json TO hidden");
      await storage.deleteAlarm();
      await instance.alarm();
      storage.sql.exec("ALTER TABLE book RENAME COLUMN hidden TO json");
      return await storage.getAlarm();
    });
    expect(alarm).toBeGreaterThan(Date.now());
    expect(error).toHaveBeenCalledTimes(1);
    expect(await charged()).toEqual([4]);
  });
});

describe("storage that fails", () => {
  test("fails the call, and nothing of it is granted from memory", async () => {
    await lease(4);
    const again = query(3);
    await runInDurableObject(stubOf(), (instance, { storage }) => {
      storage.sql.exec("CREATE TRIGGER full BEFORE UPDATE ON book BEGIN SELECT RAISE(ABORT, 'disk full'); END");
      expect(() => instance.lease(again)).toThrow("disk full");
      expect(instance.peek()).toMatchObject({ windows: [{ charged: 4, free: 6 }] });
      // The book does not remember the grant either.
      expect(() => instance.lease(again)).toThrow("disk full");
      expect(() => instance.reset()).toThrow("disk full");
      expect(instance.peek()).toMatchObject({ windows: [{ charged: 4 }] });
      storage.sql.exec("DROP TRIGGER full");
    });
    expect((await leasePermits(env, key, again)).granted).toBe(3);
    expect(await charged()).toEqual([7]);
    await crash();
    expect(await charged()).toEqual([7]);
  });

  test("reaches the caller as an error", async () => {
    await lease(1);
    await runInDurableObject(stubOf(), (_, { storage }) => {
      storage.sql.exec("CREATE TRIGGER full BEFORE UPDATE ON book BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    });
    await expect(lease(1)).rejects.toThrow("disk full");
  });
});

describe("a query out of bounds is refused", () => {
  const tooMany = (count: number) => Array.from({ length: count }, (_, n) => ({ seq: n, used: 0 }));
  test.each<readonly [string, Partial<LeaseQuery>]>([
    ["no isolate", { isolate: "" }],
    ["a long isolate", { isolate: "i".repeat(129) }],
    ["many reports", { reports: tooMany(limits.reportsMax + 1) }],
    ["a report below 0", { reports: [{ seq: 1, used: -1 }] }],
    ["no windows", { windows: [] }],
    ["many windows", { windows: Array(9).fill(sliding(10)) }],
    ["a fraction", { need: 0.5 }],
    ["a need below 0", { need: -1 }],
    ["a seq that is no number", { seq: Number.NaN }],
    ["no bound of spent", { spent: Number.POSITIVE_INFINITY }],
    ["no bound of rate", { rate: Number.POSITIVE_INFINITY }],
    ["a rate below 0", { rate: -1 }],
    ["a version below 0", { policyVersion: -1 }],
  ])("%s", async (_, rest) => {
    await runInDurableObject(stubOf(), (instance) => {
      expect(() => instance.lease(query(1, rest))).toThrow(RangeError);
    });
    expect(await charged()).toEqual([]);
  });
  test("the largest one is not", async () => {
    const largest = {
      isolate: "i".repeat(128),
      reports: tooMany(limits.reportsMax),
      windows: Array(8).fill(sliding(10)),
    };
    expect(await grant(1, largest)).toBe(1);
  });
});

/** The checkers bite: each planted fault is found within a few hundred schedules that the real code passes. */
import { describe, expect, test } from "vitest";
import type { Book } from "../../../../src/core/limiting/book.ts";
import type { Bucket } from "../../../../src/core/limiting/bucket.ts";
import type { Policy } from "../../../../src/core/limiting/policy.ts";
import type { Entry, HeldLease, LeaseRequest, Table } from "../../../../src/core/limiting/table.ts";
import type { Hold, Meter } from "../../../../src/core/limiting/types.ts";
import { searchIn } from "../../../support/mutants.ts";
import { scenarios } from "./scenarios.ts";

const breachesWith = searchIn("limiting", scenarios, 600, () => import("./simulation.ts"));

type AnyMeter = Meter<never>;
type Follow = (table: Table, entry: Entry, policy: Policy, nowMs: number) => void;

describe("the simulation finds", () => {
  test("a token bucket that credits everything", async () => {
    const found = await breachesWith("bucket", "bucket.ts", (real: { bucket: (spec: Bucket) => AnyMeter }) => ({
      bucket: (spec: Bucket) => {
        const meter = real.bucket(spec) as unknown as Meter<{ debt: number; floor: number }>;
        return {
          ...meter,
          settle: (state: { debt: number; floor: number }, hold: Hold, used: number) => ({
            ...state,
            debt: Math.max(state.floor, state.debt - (hold.amount - used)),
          }),
        };
      },
    }));
    expect(found).toContain("L1");
  });

  test("a token bucket that leases its whole burst", async () => {
    const found = await breachesWith("bucket", "bucket.ts", (real: { bucket: (spec: Bucket) => AnyMeter }) => ({
      bucket: (spec: Bucket) => {
        const meter = real.bucket(spec) as unknown as Meter<{ debt: number; floor: number }>;
        const spentAtOnce = (hold: Hold) => ({ ...hold, untilMs: hold.fromMs });
        return {
          ...meter,
          charge: (state: never, hold: Hold) => meter.charge(state, spentAtOnce(hold)),
          free: (state: never, nowMs: number) => meter.free(state, nowMs, 0),
        };
      },
    }));
    expect(found).toContain("L1");
  });

  test("a sliding window that counts a lease from its grant, not from its end", async () => {
    const found = await breachesWith(
      "sliding",
      "sliding.ts",
      (real: { slidingWindow: (limit: number, windowMs: number) => AnyMeter }) => ({
        slidingWindow: (limit: number, windowMs: number) => {
          const meter = real.slidingWindow(limit, windowMs) as Meter<unknown>;
          const early = (hold: Hold) => ({ ...hold, untilMs: hold.fromMs });
          return {
            ...meter,
            charge: (state: unknown, hold: Hold) => meter.charge(state, early(hold)),
            settle: (state: unknown, hold: Hold, used: number, nowMs: number) =>
              meter.settle(state, early(hold), used, nowMs),
          };
        },
      }),
    );
    expect(found).toContain("L1");
  });

  test("a sliding window that forgets a lease a window too early", async () => {
    const found = await breachesWith(
      "sliding",
      "sliding.ts",
      (real: { slidingWindow: (limit: number, windowMs: number) => AnyMeter }) => ({
        slidingWindow: (limit: number) => real.slidingWindow(limit, 1),
      }),
    );
    expect(found).toContain("L1");
  });

  test("an object that answers before its row is durable", async () => {
    const found = await breachesWith("sliding", "lease.ts", (real: { lease: (...args: unknown[]) => object }) => ({
      lease: (...args: unknown[]) => ({ ...real.lease(...args), changed: false }),
    }));
    expect(found).toContain("L1");
  });

  test("an isolate that takes a second answer to the same call", async () => {
    const found = await breachesWith(
      "sliding",
      "request.ts",
      (real: { granted: (table: Table, request: LeaseRequest, ...rest: unknown[]) => void }) => ({
        granted: (table: Table, request: LeaseRequest, ...rest: unknown[]) => {
          const entry = table.entries.get(request.key);
          if (entry !== undefined) entry.pending = request;
          real.granted(table, request, ...rest);
        },
      }),
    );
    expect(found).toContain("L2 or L3");
  });

  test("a settlement that a doubled message makes twice", async () => {
    const found = await breachesWith(
      "fixed",
      "isolates.ts",
      (real: { settle: (book: Book, ...rest: unknown[]) => boolean }) => ({
        settle: (book: Book, ...rest: unknown[]) => {
          const before = book.leases;
          const any = real.settle(book, ...rest);
          book.leases = before;
          return any;
        },
      }),
    );
    expect(found).toContain("L1");
  });

  test("a lease across the end of a fixed window that is charged to one only", async () => {
    const found = await breachesWith("fixed", "fixed.ts", (real: { fixedWindow: (...args: never[]) => AnyMeter }) => ({
      fixedWindow: (...args: never[]) => {
        const meter = real.fixedWindow(...args) as unknown as Meter<{ endMs: number }>;
        return {
          ...meter,
          charge: (state: { endMs: number }, hold: Hold) =>
            meter.charge(state, { ...hold, untilMs: Math.min(hold.untilMs, state.endMs) }),
        };
      },
    }));
    expect(found).toContain("L1");
  });

  test("an isolate that spends on a clock that stands still, without the guard", async () => {
    const found = await breachesWith("fixed", "limits.ts", (real: { limits: object }) => ({
      limits: { ...real.limits, guardMs: 0 },
    }));
    expect(found.some((name) => name.startsWith("L"))).toBe(true);
  });

  test("an isolate that spends what it has reported", async () => {
    const found = await breachesWith(
      "sliding",
      "table.ts",
      (real: { report: (entry: Entry, seq: number, used: number) => void }) => ({
        close: (entry: Entry) => {
          for (const lease of entry.leases as HeldLease[]) real.report(entry, lease.seq, lease.granted - lease.permits);
        },
      }),
    );
    expect(found.some((name) => name.startsWith("L"))).toBe(true);
  });

  test("an object that grants from memory what its row does not have", async () => {
    const found = await breachesWith("fixed", "book.ts", (real: { rowOf: (book: Book) => object }) => ({
      rowOf: (book: Book) => real.rowOf({ ...book, chunk: { amount: 0, untilMs: 0 } }),
    }));
    expect(found).toContain("L1");
  });

  test.each<[string, (real: Follow) => Follow]>([
    ["with what it had in hand", () => () => {}],
    [
      "with what it had asked for",
      (follow) => (table, entry, policy, nowMs) => {
        const { pending } = entry;
        follow(table, entry, policy, nowMs);
        entry.pending = pending;
      },
    ],
  ])("an isolate that goes on %s under a new limit", async (_, mutant) => {
    const found = await breachesWith("changed", "request.ts", (real: { follow: Follow }) => ({
      follow: mutant(real.follow),
    }));
    expect(found).toContain("L2 or L3");
  });

  test("an answer that counts from when it arrives", async () => {
    const found = await breachesWith("fixed", "request.ts", (real: { granted: (...args: unknown[]) => void }) => ({
      granted: (
        table: unknown,
        request: { sentAtMs: number },
        reply: { ttlMs: number },
        nowMs: number,
        random: unknown,
      ) => real.granted(table, request, { ...reply, ttlMs: reply.ttlMs + nowMs - request.sentAtMs }, nowMs, random),
    }));
    expect(found.some((name) => name.startsWith("L"))).toBe(true);
  });

  test("nothing in the code as it is", async () => {
    for (const family of Object.keys(scenarios) as (keyof typeof scenarios)[]) {
      expect(await breachesWith(family, "limits.ts", () => ({}))).toEqual([]);
    }
  });
});

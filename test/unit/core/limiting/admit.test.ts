import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admit, admitAll } from "../../../../src/core/limiting/admit.ts";
import { emptyBook } from "../../../../src/core/limiting/book.ts";
import type { Ask, Decision } from "../../../../src/core/limiting/decision.ts";
import { lease } from "../../../../src/core/limiting/lease.ts";
import { limits } from "../../../../src/core/limiting/limits.ts";
import { failed, granted } from "../../../../src/core/limiting/request.ts";
import {
  type Entry,
  entryOf,
  inHand,
  type LeaseRequest,
  newTable,
  type Table,
} from "../../../../src/core/limiting/table.ts";
import type { LeaseReply, WindowSpec } from "../../../../src/core/limiting/types.ts";
import { ask, fixed, reply, sliding, t0 } from "./support.ts";

const never = () => 0;

/** The one call that a decision asks for. */
function requestOf(decision: Decision): LeaseRequest {
  if (decision.kind !== "ask") throw new Error(`not asked but ${decision.kind}`);
  expect(decision.requests).toHaveLength(1);
  return decision.requests[0]!;
}

/** A table that has been granted `part` for its first request of `one` at t0, answered 10 ms later. */
function tableWith(one: Ask, part: Partial<LeaseReply>): { table: Table; request: LeaseRequest } {
  const table = newTable("a");
  const request = requestOf(admit(table, one, t0));
  granted(table, request, reply({ seq: request.query.seq, ...part }), t0 + 10, never);
  return { table, request };
}

const kinds = (table: Table, one: Ask, ...atMs: number[]) => atMs.map((ms) => admit(table, one, ms).kind);

describe("a new version of the limit", () => {
  const one = ask([sliding(1_000)], { version: 5 });
  const kept = ask([sliding(1_000)], { version: 6 });
  const lowered = ask([sliding(900)], { version: 7 });

  test("leaves the permits in hand when its windows are the same", () => {
    const { table } = tableWith(one, { granted: 3 });
    expect(kinds(table, kept, t0 + 20, t0 + 21)).toEqual(["allowed", "allowed"]);
  });

  test("ends them when they are others, and reports what was used", () => {
    const { table } = tableWith(one, { granted: 3 });
    expect(kinds(table, one, t0 + 20)).toEqual(["allowed"]);
    const { query } = requestOf(admit(table, lowered, t0 + 30));
    expect(query).toMatchObject({ policyVersion: 7, windows: [sliding(900)], reports: [{ seq: 1, used: 1 }] });
  });

  test("ends what was asked for before: the answer is reported as unused", () => {
    const table = newTable("a");
    const request = requestOf(admit(table, kept, t0));
    admit(table, lowered, t0 + 5);
    granted(table, request, reply({ granted: 3 }), t0 + 10, never);
    const { query } = requestOf(admit(table, lowered, t0 + 20));
    expect(query).toMatchObject({ policyVersion: 7, reports: [{ seq: 1, used: 0 }] });
  });

  test("is what is asked for, by a request that is still decided by the one before too", () => {
    const { table } = tableWith(lowered, { granted: 1 });
    expect(kinds(table, one, t0 + 20)).toEqual(["allowed"]);
    expect(requestOf(admit(table, one, t0 + 21)).query).toMatchObject({ policyVersion: 7, windows: [sliding(900)] });
  });

  test("is not undone by a request that is still decided by the one before, or says otherwise", () => {
    const { table } = tableWith(lowered, { granted: 4 });
    const others = [one, lowered, ask([sliding(800)], { version: 7 }), ask([sliding(900)], { version: 8 })];
    expect(others.flatMap((other, at) => kinds(table, other, t0 + 20 + at))).toEqual(Array(4).fill("allowed"));
  });
});

describe("permits in hand", () => {
  const one = ask([sliding(1_000)]);

  test("are spent without a call, each once (L2)", () => {
    const { table } = tableWith(one, { granted: 3, free: 500 });
    expect(kinds(table, one, t0 + 11, t0 + 12, t0 + 13, t0 + 14)).toEqual(["allowed", "allowed", "allowed", "ask"]);
  });

  test("are not spent in the last moments of the lease, which counts from the question (L3)", () => {
    const { table } = tableWith(one, { granted: 3, ttlMs: 3_000 });
    const lastMs = t0 + 3_000 - limits.guardMs;
    expect(kinds(table, one, lastMs - 1, lastMs)).toEqual(["allowed", "ask"]);
  });

  test("are given up, and reported, when they do not suffice or are over", () => {
    const { table } = tableWith(one, { granted: 3 });
    admit(table, one, t0 + 20);
    const big = { ...one, cost: 5 };
    expect(requestOf(admit(table, big, t0 + 30)).query).toMatchObject({
      seq: 2,
      need: 5,
      reports: [{ seq: 1, used: 1 }],
    });
    expect(inHand(table.entries.get("k")!, t0 + 30)).toBe(0);
  });

  test("are reported until an answer says that it was heard", () => {
    const { table } = tableWith(one, { granted: 1 });
    admit(table, one, t0 + 20);
    const second = requestOf(admit(table, one, t0 + 30));
    failed(table, second);
    const third = requestOf(admit(table, one, t0 + 40));
    expect(third.query.reports).toEqual([
      { seq: 1, used: 1 },
      { seq: 2, used: 0 },
    ]);
    granted(table, third, reply({ seq: 3, granted: 1 }), t0 + 50, never);
    admit(table, one, t0 + 60);
    expect(requestOf(admit(table, one, t0 + 70)).query.reports).toEqual([{ seq: 3, used: 1 }]);
  });

  test("say what is certainly left", () => {
    const { table } = tableWith(one, { granted: 3, free: 400, resetMs: 700, window: 0 });
    expect(admit(table, one, t0 + 20)).toEqual({
      kind: "allowed",
      standings: [{ window: 0, remaining: 2, resetMs: 690 }],
      delayMs: 0,
      background: [],
      degraded: false,
    });
  });
});

describe("a call", () => {
  const one = ask([sliding(1_000)]);

  test("is one for all who wait, and replaced when it is dead", () => {
    const table = newTable("a");
    const first = requestOf(admit(table, one, t0));
    expect(requestOf(admit(table, { ...one, cost: 2 }, t0 + 100))).toBe(first);
    const second = requestOf(admit(table, one, t0 + limits.flightMsMax));
    expect(second.query).toMatchObject({ seq: 2, reports: [{ seq: 1, used: 0 }] });
    granted(table, first, reply({ granted: 9 }), t0 + limits.flightMsMax + 1, never);
    expect(inHand(table.entries.get("k")!, t0 + limits.flightMsMax + 1), "too late").toBe(0);
  });

  test("answered twice grants once", () => {
    const { table, request } = tableWith(one, { granted: 3 });
    granted(table, request, reply({ granted: 3 }), t0 + 20, never);
    expect(inHand(table.entries.get("k")!, t0 + 20)).toBe(3);
  });

  test("given up twice, or after its answer, is no matter", () => {
    const { table, request } = tableWith(one, { granted: 3 });
    failed(table, request);
    expect(table.entries.get("k")?.unreported).toEqual([]);
    table.entries.clear();
    failed(table, request);
    granted(table, request, reply({ granted: 3 }), t0 + 20, never);
    expect(table.entries.size).toBe(0);
  });

  test("carries the demand seen before the request that asks", () => {
    const table = newTable("a");
    expect(requestOf(admit(table, one, t0)).query.rate).toBe(0);
    failed(table, requestOf(admit(table, one, t0)));
    for (let ms = 0; ms < 20_000; ms += 10) admit(table, one, t0 + ms, undefined);
    const entry = table.entries.get("k")!;
    failed(table, entry.pending!);
    expect(requestOf(admit(table, one, t0 + 20_000)).query.rate).toBeCloseTo(100, -1);
  });

  test("is made ahead while permits last, once, when they hardly bridge it", () => {
    const { table } = tableWith(one, { granted: 200 });
    const entry = table.entries.get("k")!;
    entry.demand = { perSecond: 500, atMs: t0 + 10 };
    const ahead = Array.from({ length: 199 }, () => admit(table, one, t0 + 20)).flatMap((decision) =>
      decision.kind === "allowed" ? decision.background : [],
    );
    expect(ahead).toHaveLength(1);
    expect(ahead[0]?.query).toMatchObject({ need: 1, reports: [] });
    expect(inHand(entry, t0 + 20)).toBe(1);
    granted(table, ahead[0]!, reply({ seq: 2, granted: 150 }), t0 + 30, never);
    expect(inHand(entry, t0 + 30)).toBe(151);
  });

  // 500 permits a second are 50 in the time that a call is given; the request that is being decided takes one itself.
  const held = (permits: number, forMs = 3_000, granted = 200) => ({ seq: 1, granted, permits, expiresMs: t0 + forMs });
  const soonMs = limits.prefetchMs + limits.guardMs;
  const denialUntil = (untilMs: number) => ({ untilMs, cost: 300, retryAtMs: untilMs, policyVersion: 1 });
  const demandOf = (perSecond: number) => ({ perSecond, atMs: t0 });
  const quick: WindowSpec = { kind: "token-bucket", rate: 1_000, burst: 2_000 };
  test.each<[string, Partial<Entry>, isAhead: boolean, WindowSpec?]>([
    ["permits for just that time", { leases: [held(51)] }, true],
    ["permits for a little more", { leases: [held(52)] }, false],
    ["a short lease, of which a fifth is less", { leases: [held(26)] }, true, quick],
    ["a little more than that fifth", { leases: [held(27)] }, false, quick],
    ["a denial that is remembered", { leases: [held(51)], denial: denialUntil(t0 + 1) }, false],
    ["a denial that is over", { leases: [held(51)], denial: denialUntil(t0) }, true],
    ["demand for two in that time", { leases: [held(3)], demand: demandOf(20) }, true],
    ["demand for fewer", { leases: [held(2)], demand: demandOf(19) }, false],
    ["a lease that holds twice what is needed", { leases: [held(51, 3_000, 100)] }, true],
    ["a lease that holds less", { leases: [held(51, 3_000, 99)] }, false],
    ["another lease that lasts", { leases: [held(30), held(15)] }, false],
    ["another lease that is spent by this request", { leases: [held(1), held(40)] }, true],
    ["another lease that ends before the call does", { leases: [held(30, soonMs), held(30)] }, true],
    ["another that does, and enough beside it", { leases: [held(30, soonMs), held(60)] }, false],
    ["no lease that lasts", { leases: [held(99, soonMs)] }, true],
  ])("with %s: made ahead or not", (_, part, isAhead, window = sliding(1_000)) => {
    const table = newTable("a");
    // A copy: what is taken from a lease is taken from its object.
    Object.assign(entryOf(table, "k", t0), { demand: demandOf(500), ...structuredClone(part) });
    const decision = admit(table, ask([window]), t0);
    expect(decision.kind === "allowed" && decision.background.length === 1).toBe(isAhead);
    expect(decision.kind).toBe("allowed");
  });
});

describe("a denial", () => {
  const one = ask([sliding(10)]);

  test("is remembered as a quantity: what is smaller may still ask", () => {
    const { table } = tableWith({ ...one, cost: 5 }, { free: 2, retryAfterMs: 4_000, denyMs: 1_000 });
    expect(admit(table, { ...one, cost: 3 }, t0 + 20)).toMatchObject({
      kind: "denied",
      reason: "rate_limited",
      violated: [0],
      retryAfterMs: 3_990,
      degraded: false,
    });
    expect(admit(table, { ...one, cost: 10 }, t0 + 20), "the whole limit may come").toMatchObject({
      reason: "rate_limited",
    });
    expect(admit(table, { ...one, cost: 2 }, t0 + 20).kind).toBe("ask");
    expect(admit(table, { ...one, cost: 9 }, t0 + 1_000).kind, "asked again before the wait is over").toBe("ask");
  });

  test("is remembered a little longer by some, and Retry-After says so", () => {
    const table = newTable("a");
    const request = requestOf(admit(table, one, t0));
    granted(table, request, reply({ retryAfterMs: 1_000, denyMs: 1_000 }), t0 + 10, () => 0.5);
    expect(admit(table, one, t0 + 1_049)).toMatchObject({ kind: "denied", retryAfterMs: 1 });
    expect(kinds(table, one, t0 + 1_050)).toEqual(["ask"]);
  });

  test("holds for those who waited, however late it came", () => {
    const table = newTable("a");
    const request = requestOf(admit(table, one, t0));
    granted(table, request, reply({ denyMs: 10, retryAfterMs: 10 }), t0 + 120, never);
    expect(admit(table, one, t0 + 120, { requests: [request], away: new Set() })).toMatchObject({
      kind: "denied",
      retryAfterMs: 10,
    });
  });

  test("is forgotten with a new policy", () => {
    const { table } = tableWith(one, { retryAfterMs: 50_000, denyMs: 10_000 });
    expect(kinds(table, one, t0 + 20)).toEqual(["denied"]);
    expect(kinds(table, ask([sliding(20)], { version: 2 }), t0 + 20)).toEqual(["ask"]);
  });

  test("of a cost that the smallest window does not hold is no matter of waiting, and not remembered", () => {
    const table = newTable("a");
    const windows = [sliding(10), fixed(5)];
    expect(admit(table, ask(windows, { cost: 6 }), t0)).toMatchObject({
      kind: "denied",
      reason: "cost_exceeds_limit",
      retryAfterMs: 0,
      degraded: false,
    });
    const { table: other } = tableWith(one, { denyMs: 500, retryAfterMs: 400 });
    expect(
      admitAll(other, [one, ask(windows, { key: "big", cost: 6 })], t0 + 20),
      "beside another denial",
    ).toMatchObject({
      reason: "cost_exceeds_limit",
      violated: [0, 1],
      retryAfterMs: 0,
    });
    expect(kinds(table, ask(windows, { cost: 5 }), t0)).toEqual(["ask"]);
  });
});

describe("several limits (L6)", () => {
  const x = ask([sliding(100)], { key: "x" });
  const y = ask([sliding(100)], { key: "y" });

  test("are all taken or none", () => {
    const table = newTable("a");
    const first = admitAll(table, [x, y], t0);
    if (first.kind !== "ask") throw new Error(first.kind);
    expect(first.requests.map(({ key }) => key)).toEqual(["x", "y"]);
    granted(table, first.requests[0]!, reply({ granted: 5 }), t0 + 1, never);
    expect(admitAll(table, [x, y], t0 + 2)).toEqual({ kind: "ask", requests: [first.requests[1]] });
    granted(table, first.requests[1]!, reply({ denyMs: 500, retryAfterMs: 400 }), t0 + 3, never);
    expect(admitAll(table, [x, y], t0 + 4)).toMatchObject({ kind: "denied", violated: [1], retryAfterMs: 496 });
    expect(inHand(table.entries.get("x")!, t0 + 4)).toBe(5);
  });

  test("one denied from memory spares the others their calls", () => {
    const { table } = tableWith(x, { denyMs: 500, retryAfterMs: 400 });
    expect(admitAll(table, [y, x], t0 + 20)).toMatchObject({ kind: "denied", violated: [1] });
    expect(table.entries.get("y")?.pending).toBeNull();
  });

  test("the same key twice takes twice or not at all", () => {
    const { table } = tableWith(x, { granted: 3 });
    const both = [
      { ...x, cost: 2 },
      { ...x, cost: 2 },
    ];
    expect(admitAll(table, both, t0 + 20).kind).toBe("ask");
  });

  test("what one admits on its own account is given back when another denies, and who denies says whether it knew", () => {
    const [share, deny] = [ask([sliding(600)], { key: "x", onUnavailable: "share" }), { ...y, key: "y" }];
    const table = newTable("a");
    const first = admitAll(table, [share, deny], t0);
    if (first.kind !== "ask") throw new Error(first.kind);
    const again = { requests: first.requests, away: new Set(["x", "y"]) };
    expect(admitAll(table, [share, deny], t0 + 1, again)).toMatchObject({
      kind: "denied",
      violated: [1],
      degraded: true,
    });
    expect(entryOf(table, "x", t0).shared.debt).toBe(0);
    expect(admitAll(table, [share], t0 + 2, again)).toMatchObject({ kind: "allowed", degraded: true });
    expect(entryOf(table, "x", t0).shared.debt).toBe(1);
    entryOf(table, "y", t0).denial = { untilMs: t0 + 500, cost: 1, retryAtMs: t0 + 500, policyVersion: 1 };
    expect(admitAll(table, [share, deny], t0 + 3, { ...again, away: new Set(["x"]) })).toMatchObject({
      kind: "denied",
      degraded: false,
    });
  });

  test("no random order of grants, denials and requests leaves a part taken", () => {
    const step = fc.record({
      cost: fc.integer({ min: 1, max: 4 }),
      grants: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 3, maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const table = newTable("a");
        const keys = ["x", "y", "z"];
        const given = new Map(keys.map((key) => [key, 0]));
        let taken = 0;
        let nowMs = t0;
        for (const { cost, grants } of steps) {
          nowMs += 60;
          const asks = keys.map((key) => ask([sliding(1_000)], { key, cost }));
          const decision = admitAll(table, asks, nowMs);
          if (decision.kind === "allowed") taken += cost;
          if (decision.kind !== "ask") continue;
          for (const request of decision.requests) {
            const amount = grants[keys.indexOf(request.key)]!;
            const used = request.query.reports.reduce((sum, one) => sum + one.used, 0);
            given.set(request.key, given.get(request.key)! + used);
            granted(
              table,
              request,
              reply({ seq: request.query.seq, granted: amount, ttlMs: 100_000, denyMs: 50 }),
              nowMs,
              never,
            );
          }
        }
        for (const key of keys) {
          const entry = table.entries.get(key);
          const held = (entry?.leases ?? []).reduce((sum, one) => sum + one.granted - one.permits, 0);
          const told = (entry?.unreported ?? []).reduce((sum, one) => sum + one.used, 0);
          expect(given.get(key)! + held + told, `${key} spent`).toBe(taken);
        }
      }),
    );
  });
});

describe("an exact limit", () => {
  const one = ask([sliding(10)], { consistency: "exact" });

  test("is asked for every request, and its answer serves only that", () => {
    const table = newTable("a");
    const first = requestOf(admit(table, one, t0));
    const second = requestOf(admit(table, one, t0));
    expect(second).not.toBe(first);
    expect(first.query).toMatchObject({ need: 1, exact: true });
    granted(table, second, reply({ seq: 2, granted: 1, ttlMs: 0, free: 4 }), t0 + 10, never);
    expect(admit(table, one, t0 + 10, { requests: [second], away: new Set() })).toMatchObject({
      kind: "allowed",
      standings: [{ remaining: 4 }],
    });
    const third = requestOf(admit(table, one, t0 + 11, { requests: [second], away: new Set() }));
    expect(third.query.reports, "what was used is not credited").toEqual([]);
    granted(table, third, reply({ seq: 3, ttlMs: 0, denyMs: 100, retryAfterMs: 100 }), t0 + 11, never);
    expect(admit(table, one, t0 + 11, { requests: [third], away: new Set() }).kind, "nothing was granted").toBe(
      "denied",
    );
    entryOf(table, "k", t0).denial = null;
    expect(admit(table, { ...one, cost: 11 }, t0 + 12), "no longer certain").toMatchObject({
      standings: [{ remaining: 0 }],
    });
  });

  test("that was not used is reported: another limit denied, or the answer came too late", () => {
    const table = newTable("a");
    const other = ask([sliding(10)], { key: "other" });
    const first = admitAll(table, [one, other], t0);
    if (first.kind !== "ask") throw new Error(first.kind);
    granted(table, first.requests[0]!, reply({ seq: 1, granted: 1, ttlMs: 0 }), t0 + 10, never);
    granted(table, first.requests[1]!, reply({ seq: 2, denyMs: 100, retryAfterMs: 100 }), t0 + 10, never);
    expect(admitAll(table, [one, other], t0 + 10, { requests: first.requests, away: new Set() }).kind).toBe("denied");
    const late = requestOf(admit(table, one, t0 + 20));
    expect(late.query.reports).toEqual([{ seq: 1, used: 0 }]);
    expect(admit(table, one, t0 + 170, { requests: [late], away: new Set([late.key]) }).kind).toBe("denied");
    granted(table, late, reply({ seq: 3, granted: 1, ttlMs: 0 }), t0 + 180, never);
    expect(requestOf(admit(table, one, t0 + 190)).query.reports).toContainEqual({ seq: 3, used: 0 });
  });

  test("a queue says how long the request is held back", () => {
    const queue = ask([{ kind: "leaky-bucket", rate: 10, burst: 1, maxDelayMs: 500 }]);
    const table = newTable("a");
    const request = requestOf(admit(table, queue, t0));
    granted(table, request, reply({ granted: 1, ttlMs: 0, delayMs: 200 }), t0 + 10, never);
    expect(admit(table, queue, t0 + 10, { requests: [request], away: new Set() })).toMatchObject({
      kind: "allowed",
      delayMs: 200,
    });
  });

  test("so is a cost that no lease of a bucket could cover", () => {
    const burst: WindowSpec = { kind: "token-bucket", rate: 100, burst: 100 };
    const table = newTable("a");
    expect(requestOf(admit(table, ask([burst], { cost: 75 }), t0)).query.exact).toBe(false);
    expect(requestOf(admit(table, ask([burst], { cost: 76 }), t0)).query.exact).toBe(true);
  });
});

// One client at a time: what others would take meanwhile is not there.
test("a client that waits exactly as long as it was told is admitted", () => {
  const specs: readonly WindowSpec[] = [
    sliding(7, 10_000),
    sliding(300, 1_000),
    sliding(5, 1_000),
    fixed(7, 10_000),
    fixed(400, 1_000),
    { kind: "token-bucket", rate: 3, burst: 30 },
    { kind: "token-bucket", rate: 0.7, burst: 4 },
    { kind: "leaky-bucket", rate: 7, burst: 1, maxDelayMs: 0 },
    { kind: "leaky-bucket", rate: 3, burst: 2, maxDelayMs: 700 },
    { kind: "calendar-window", limit: 9, unit: "minute", timeZone: "Asia/Kathmandu" },
  ];
  const step = fc.record({
    isolate: fc.integer({ min: 0, max: 2 }),
    gapMs: fc.integer({ min: 0, max: 400 }),
    cost: fc.constantFrom(1, 1, 1, 4),
    wayMs: fc.integer({ min: 0, max: 70 }),
    random: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...specs),
      fc.constantFrom("leased" as const, "exact" as const),
      fc.array(step, { minLength: 5, maxLength: 60 }),
      (spec, consistency, steps) => {
        const book = emptyBook();
        const tables = ["a", "b", "c"].map(newTable);
        let nowMs = t0;
        const send = (table: Table, one: Ask, wayMs: number, random: number): Decision => {
          const decision = admit(table, one, nowMs);
          if (decision.kind !== "ask") return decision;
          for (const request of decision.requests) {
            nowMs += wayMs;
            const answer = lease(book, request.query, nowMs).reply;
            nowMs += wayMs;
            granted(table, request, answer, nowMs, () => random);
          }
          return admit(table, one, nowMs, { requests: decision.requests, away: new Set() });
        };
        for (const { isolate, gapMs, cost, wayMs, random } of steps) {
          nowMs += gapMs;
          const one = ask([spec], { consistency, cost: Math.min(cost, ask([spec]).policy.costMax) });
          const decision = send(tables[isolate]!, one, wayMs, random);
          if (decision.kind !== "denied") continue;
          expect(decision.retryAfterMs).toBeGreaterThan(0);
          nowMs += decision.retryAfterMs;
          expect(send(tables[isolate]!, one, wayMs, random).kind).toBe("allowed");
        }
      },
    ),
    { numRuns: 400 },
  );
});

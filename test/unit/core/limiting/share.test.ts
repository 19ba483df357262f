import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admit, admitAll } from "../../../../src/core/limiting/admit.ts";
import { emptyBook } from "../../../../src/core/limiting/book.ts";
import { lease } from "../../../../src/core/limiting/lease.ts";
import { limits } from "../../../../src/core/limiting/limits.ts";
import { failed, granted } from "../../../../src/core/limiting/request.ts";
import {
  allowanceOf,
  approximateBound,
  refundShare,
  shareBound,
  shareOf,
  takeShare,
} from "../../../../src/core/limiting/share.ts";
import { entryOf, newTable } from "../../../../src/core/limiting/table.ts";
import { ask, fixed, policy, reply, sliding, t0 } from "./support.ts";

/** No call is made: every object is left alone. */
const away = { requests: [], away: new Set(["k", "other"]) };

describe("while the object is away", () => {
  test.each([
    ["allow", { kind: "allowed", degraded: true }],
    ["deny", { kind: "denied", degraded: true, retryAfterMs: limits.denyMsMax }],
  ] as const)("%s does what it says", (onUnavailable, expected) => {
    expect(admit(newTable("a"), ask([sliding(100)], { onUnavailable }), t0, away)).toMatchObject(expected);
  });

  test("permits in hand are spent first, and nothing is degraded", () => {
    const table = newTable("a");
    const one = ask([sliding(100)], { onUnavailable: "deny" });
    const decision = admit(table, one, t0);
    if (decision.kind !== "ask") throw new Error(decision.kind);
    granted(table, decision.requests[0]!, reply({ granted: 1 }), t0, () => 0);
    expect(admit(table, one, t0 + 1, away)).toMatchObject({ kind: "allowed", degraded: false });
    expect(admit(table, one, t0 + 1, away)).toMatchObject({ kind: "denied", degraded: true });
  });

  test("share goes on at the limit's rate divided by the isolates last known", () => {
    const one = ask([sliding(600)], { onUnavailable: "share" });
    expect(shareOf(one.policy, 4)).toEqual({ rate: 2.5, burst: 15 });
    expect(shareOf(one.policy, 0)).toEqual(shareOf(one.policy, limits.isolatesAssumed));
    expect(shareOf(policy([sliding(5)]), 4).burst, "at least one").toBe(1);
    const table = newTable("a");
    const kinds = Array.from({ length: 8 }, () => admit(table, one, t0, away).kind);
    expect(kinds.filter((kind) => kind === "allowed")).toHaveLength(6);
    expect(admit(table, one, t0, away)).toMatchObject({ kind: "denied", degraded: true, retryAfterMs: 1_000 });
    expect(admit(table, one, t0 + 1_000, away).kind).toBe("allowed");
  });

  test("share holds its bound, whatever is asked, and is given back with the other limits", () => {
    const offered = fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 0, max: 900 }), fc.integer({ min: 1, max: 3 })));
    fc.assert(
      fc.property(offered, (requests) => {
        const tables = ["a", "b", "c"].map(newTable);
        const one = ask([sliding(600)], { onUnavailable: "share" });
        const denies = ask([fixed(100)], { key: "other", onUnavailable: "deny" });
        let nowMs = t0;
        let admitted = 0;
        for (const [at, gapMs, cost] of requests) {
          nowMs += gapMs;
          const table = tables[at]!;
          if (admit(table, { ...one, cost }, nowMs, away).kind === "allowed") admitted += cost;
          expect(admitAll(table, [one, denies], nowMs, away).kind).toBe("denied");
        }
        expect(admitted).toBeLessThanOrEqual(shareBound(one.policy, 0, 3, nowMs - t0));
      }),
    );
  });
});

describe("an approximate limit", () => {
  const one = ask([fixed(100)], { consistency: "approximate" });

  test("never waits within its allowance, and tells the object in the background", () => {
    const table = newTable("a");
    const first = admit(table, one, t0);
    if (first.kind !== "allowed") throw new Error(first.kind);
    expect(first.background).toMatchObject([{ query: { need: 0, spent: 1, exact: false } }]);
    const decisions = Array.from({ length: 9 }, () => admit(table, one, t0 + 1));
    expect(decisions.map(({ kind }) => kind)).toEqual(Array(9).fill("allowed"));
    const eleventh = admit(table, one, t0 + 1);
    expect(eleventh, "a tenth of what is free: waits for the exchange").toEqual({
      kind: "ask",
      requests: first.background,
    });
    granted(table, first.background[0]!, reply({ free: 99, isolates: 2, resetMs: 500 }), t0 + 20, () => 0);
    expect(admit(table, one, t0 + 21)).toMatchObject({ kind: "allowed", background: [] });
    expect(admit(table, one, t0 + 21)).toMatchObject({ kind: "denied", retryAfterMs: 979, degraded: false });
    const due = admit(table, one, t0 + limits.exchangeMs);
    expect(due).toMatchObject({ kind: "ask", requests: [{ query: { spent: 10 } }] });
  });

  test("tells again what an exchange that failed had told", () => {
    const table = newTable("a");
    const first = admit(table, one, t0);
    if (first.kind !== "allowed") throw new Error(first.kind);
    failed(table, first.background[0]!);
    const second = admit(table, one, t0 + limits.exchangeMs);
    if (second.kind !== "allowed") throw new Error(second.kind);
    expect(second.background[0]?.query.spent).toBe(2);
    const third = admit(table, one, t0 + limits.exchangeMs + limits.flightMsMax);
    if (third.kind !== "allowed") throw new Error(third.kind);
    expect(third.background[0]?.query.spent, "the flight was dead").toBe(3);
  });

  test("gives back what another limit did not admit", () => {
    const table = newTable("a");
    const other = ask([fixed(1)], { key: "other", cost: 2 });
    for (let n = 0; n < 30; n++) expect(admitAll(table, [one, other], t0).kind).toBe("denied");
    expect(table.entries.get("k")?.unsent).toBe(0);
  });

  test("holds its bound over exchanges of any timing", () => {
    const requests = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 0, max: 120 }), fc.integer({ min: 1, max: 5 })), {
      minLength: 100,
      maxLength: 400,
    });
    fc.assert(
      fc.property(requests, fc.integer({ min: 0, max: 300 }), (all, delayMs) => {
        const book = emptyBook();
        const tables = ["a", "b", "c", "d"].map(newTable);
        const late: { atMs: number; run: () => void }[] = [];
        let nowMs = t0;
        let admitted = 0;
        for (const [at, gapMs, cost] of all) {
          nowMs += gapMs;
          if (nowMs >= t0 + 60_000) break;
          while (late[0] && late[0].atMs <= nowMs) late.shift()!.run();
          const table = tables[at]!;
          const decision = admit(table, { ...one, cost }, nowMs);
          const calls =
            decision.kind === "allowed" ? decision.background : decision.kind === "ask" ? decision.requests : [];
          if (decision.kind === "allowed") admitted += cost;
          for (const request of calls) {
            const answerMs = nowMs + delayMs;
            const run = () => granted(table, request, lease(book, request.query, answerMs).reply, answerMs, () => 0);
            late.push({ atMs: answerMs, run });
          }
        }
        expect(admitted).toBeLessThanOrEqual(approximateBound(one.policy, 4, 5));
      }),
    );
  });
});

test("one object that is away says nothing of another: a limit whose object answers is not taken alone", () => {
  const table = newTable("a");
  const lost = ask([sliding(100)], { key: "lost", onUnavailable: "allow" });
  const healthy = ask([sliding(100)], { key: "healthy", onUnavailable: "allow" });
  const first = admitAll(table, [lost, healthy], t0);
  if (first.kind !== "ask") throw new Error(first.kind);
  const second = admitAll(table, [lost, healthy], t0 + 150, { requests: first.requests, away: new Set(["lost"]) });
  expect(second).toMatchObject({ kind: "ask", requests: [{ key: "healthy" }] });
});

describe("the figures of a share", () => {
  test("follow the tightest of several windows, each in its own way", () => {
    const windows = policy([sliding(600, 60_000), fixed(1_000, 1_000)]);
    expect(shareOf(windows, 1)).toEqual({ rate: 10, burst: 60 });
    expect(shareBound(windows, 10, 10, 60_000)).toBe(10 * (6 + 60));
  });

  test("say when there will be enough, and what is undone is there again", () => {
    const entry = entryOf(newTable("a"), "k", t0);
    entry.isolates = 1;
    const limit = policy([sliding(600)]);
    const take = (cost: number, afterMs: number) => takeShare(entry, limit, cost, t0 + afterMs);
    expect([take(60, 0), take(1, 0), take(5, 0), take(1, 50), take(1, 100)]).toEqual([0, 100, 500, 50, 0]);
    refundShare(entry, 1);
    expect(take(1, 100)).toBe(0);
  });

  test("of an approximate limit allow a part of what is free, and one request that is free", () => {
    const entry = entryOf(newTable("a"), "k", t0);
    const limit = policy([sliding(1_000)]);
    Object.assign(entry, { isolates: 20, free: 5 });
    expect([1, 5, 6].map((cost) => allowanceOf(entry, limit, cost))).toEqual([1, 5, 1]);
    expect([7, 300].map((cost) => approximateBound(limit, 3, cost))).toEqual([1_300, 1_900]);
  });
});

/** What is said to be left: what is in hand of a leased limit, else what the object has just said. */
import { describe, expect, test } from "vitest";
import { admit } from "../../../../src/core/limiting/admit.ts";
import type { Ask, Decision } from "../../../../src/core/limiting/decision.ts";
import { granted } from "../../../../src/core/limiting/request.ts";
import { demandOf, entryOf, newTable } from "../../../../src/core/limiting/table.ts";
import type { LeaseReply, WindowSpec } from "../../../../src/core/limiting/types.ts";
import { ask, reply, sliding, t0 } from "./support.ts";

const remainingOf = (decision: Decision) => decision.kind !== "ask" && decision.standings.map((one) => one.remaining);

/** Asks at t0, and decides again with the answer. */
function decided(one: Ask, part: Partial<LeaseReply>) {
  const table = newTable("a");
  const first = admit(table, one, t0);
  if (first.kind !== "ask") throw new Error(first.kind);
  granted(table, first.requests[0]!, reply(part), t0 + 10, () => 0);
  return { table, decision: admit(table, one, t0 + 10, { requests: first.requests, away: new Set() }) };
}

describe("what is left", () => {
  test("of an exact limit is what the object said, and no longer certain when a request is denied", () => {
    const one = ask([sliding(10)], { consistency: "exact" });
    const { table, decision } = decided(one, { granted: 1, ttlMs: 0, free: 4 });
    expect(remainingOf(decision)).toEqual([4]);
    expect(remainingOf(admit(table, { ...one, cost: 11 }, t0 + 20))).toEqual([0]);
  });

  test("of a leased limit whose request was asked for on its own is what the object said", () => {
    const burst: WindowSpec = { kind: "token-bucket", rate: 100, burst: 100 };
    const { decision } = decided(ask([burst], { cost: 80 }), { granted: 80, ttlMs: 0, free: 7 });
    expect(remainingOf(decision)).toEqual([7]);
  });

  test("of an approximate limit is what the object said, less what was spent since", () => {
    const one = ask([sliding(100)], { consistency: "approximate" });
    const table = newTable("a");
    const first = admit(table, one, t0);
    if (first.kind !== "allowed") throw new Error(first.kind);
    granted(table, first.background[0]!, reply({ free: 50 }), t0 + 10, () => 0);
    expect([20, 30].map((ms) => remainingOf(admit(table, one, t0 + ms)))).toEqual([[49], [48]]);
  });

  test("is not known while the object is away", () => {
    const one = ask([sliding(10)], { consistency: "exact", onUnavailable: "allow" });
    const { table } = decided(one, { granted: 1, ttlMs: 0, free: 4 });
    const alone = admit(table, one, t0 + 20, { requests: [], away: new Set(["k"]) });
    expect(alone).toMatchObject({ kind: "allowed", degraded: true, standings: [{ remaining: 0 }] });
  });
});

test("a request that decides again counts once as demand", () => {
  const { table } = decided(ask([sliding(1_000)]), { granted: 1 });
  expect(demandOf(entryOf(table, "k", t0), t0)).toBe(0.5);
});

test("while the object is away much demand asks for nothing ahead of a lease that there is not", () => {
  const table = newTable("a");
  const one = ask([sliding(1_000)], { onUnavailable: "allow" });
  entryOf(table, "k", t0).demand = { perSecond: 500, atMs: t0 };
  const decision = admit(table, one, t0, { requests: [], away: new Set(["k"]) });
  expect(decision).toMatchObject({ kind: "allowed", degraded: true, background: [] });
});

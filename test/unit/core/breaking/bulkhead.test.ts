import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { grantConcurrency, newBulkhead } from "../../../../src/core/breaking/bulkhead.ts";
import { seededRandom } from "../balancing/random.ts";
import { runWorld, World, type WorldOptions } from "./bulkhead-world.ts";

const ttlMs = bounds.concurrencyTtlMs;

function world(options: Partial<WorldOptions>, seed = 1): World {
  const calm = { max: 20, requestMs: 100, delayMsMax: 40, lostShare: 0, restartShare: 0, deathShare: 0 };
  return new World({ ...calm, requestsPerSecond: [10], ...options }, seededRandom(seed));
}

describe("never more than max under way by grants", () => {
  const chaos = fc.record({
    max: fc.integer({ min: 1, max: 40 }),
    requestsPerSecond: fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 6 }),
    requestMs: fc.constantFrom(20, 200, 2_000),
    delayMsMax: fc.constantFrom(0, 40, 700),
    lostShare: fc.constantFrom(0, 0.1, 0.5),
    restartShare: fc.constantFrom(0, 0.1, 0.5),
    deathShare: fc.constantFrom(0, 0.1),
  });

  test("whatever is late, lost, dead or started anew", () => {
    let atMax = 0;
    fc.assert(
      fc.property(chaos, fc.nat(), (options, seed) => {
        runWorld(world(options, seed), 20_000, ({ covered }) => {
          if (covered > options.max) throw new Error(`${covered} of ${options.max}`);
          if (covered === options.max) atMax += 1;
        });
      }),
      { numRuns: 60, seed: 1 },
    );
    expect(atMax, "the bound is reached, so it was tried").toBeGreaterThan(1_000);
  });

  test("what is charged is no more than max, whatever isolates ask for that tell what they were granted", () => {
    const asks = fc.array(fc.tuple(fc.nat(7), fc.nat(30), fc.nat(30), fc.nat(3_000), fc.boolean()), { maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 25 }), asks, (max, all) => {
        const state = newBulkhead(0, true);
        const leases = new Map<number, { held: number; untilMs: number }>();
        let nowMs = 0;
        for (const [isolate, inFlight, wanted, gapMs, isLost] of all) {
          nowMs += gapMs;
          const lease = leases.get(isolate);
          const before = lease && nowMs < lease.untilMs ? lease.held : 0;
          const running = Math.min(inFlight, before);
          const held = Math.min(before, Math.max(running, wanted));
          const reply = grantConcurrency(state, `${isolate}`, { inFlight: running, held, wanted }, max, nowMs);
          if (isLost) leases.set(isolate, { held, untilMs: lease?.untilMs ?? 0 });
          else leases.set(isolate, { held: reply.granted, untilMs: nowMs + reply.ttlMs });
          const charged = [...state.claims.values()].reduce((sum, claim) => sum + claim.charged, 0);
          expect(charged).toBeLessThanOrEqual(max);
        }
      }),
    );
  });
});

describe("who gets what", () => {
  test("what is wanted is granted while there is enough, and what is not wanted any more goes to others", () => {
    const state = newBulkhead(0, true);
    expect(grantConcurrency(state, "a", { inFlight: 0, held: 0, wanted: 8 }, 10, 0)).toEqual({ granted: 8, ttlMs });
    expect(grantConcurrency(state, "b", { inFlight: 0, held: 0, wanted: 5 }, 10, 1).granted).toBe(2);
    expect(grantConcurrency(state, "a", { inFlight: 3, held: 3, wanted: 3 }, 10, 2).granted).toBe(3);
    expect(grantConcurrency(state, "b", { inFlight: 2, held: 2, wanted: 7 }, 10, 3).granted).toBe(7);
  });

  test("a newcomer has its share after two reports of one that has all", () => {
    const state = newBulkhead(0, true);
    const hog = (held: number, nowMs: number) =>
      grantConcurrency(state, "hog", { inFlight: held, held, wanted: 30 }, 10, nowMs).granted;
    const newcomer = (nowMs: number) =>
      grantConcurrency(state, "new", { inFlight: 0, held: 0, wanted: 30 }, 10, nowMs).granted;
    expect(hog(0, 0)).toBe(10);
    expect(newcomer(100), "none is free").toBe(0);
    expect(hog(10, 1_000)).toBe(5);
    expect(newcomer(1_100), "it may not know yet").toBe(0);
    expect(hog(5, 2_000)).toBe(5);
    expect(newcomer(2_100)).toBe(5);
  });

  test("where all want more there are even shares, used to the full", () => {
    const one = world({ requestsPerSecond: [400, 400, 400, 400, 400, 2] });
    runWorld(one, 10_000);
    one.entered.fill(0);
    let underWay = 0;
    runWorld(one, 40_000, ({ covered }) => {
      underWay += covered / 6_000;
    });
    const busy = one.entered.slice(0, 5);
    expect(Math.max(...busy) / Math.min(...busy)).toBeLessThan(1.35);
    expect(underWay).toBeGreaterThan(16);
    expect(one.entered[5]!, "a small one gets what it needs").toBeGreaterThan(30);
  });

  test("with fewer permits than isolates each has its turn", () => {
    const one = world({ max: 3, requestsPerSecond: Array(10).fill(100) });
    runWorld(one, 10_000);
    one.entered.fill(0);
    let underWay = 0;
    runWorld(one, 130_000, ({ covered }) => {
      underWay += covered / 24_000;
    });
    expect(Math.min(...one.entered)).toBeGreaterThan(30);
    expect(underWay).toBeGreaterThan(2);
  });

  test("nobody has more than the whole part of a share while another is below it", () => {
    const state = newBulkhead(0, true);
    const held = { a: 0, b: 0, c: 0 };
    const ask = (isolate: "a" | "b" | "c", wanted: number, nowMs: number) => {
      const told = { inFlight: 0, held: held[isolate], wanted };
      held[isolate] = grantConcurrency(state, isolate, told, 10, nowMs).granted;
    };
    ask("a", 5, 0);
    ask("b", 5, 0);
    for (let round = 1; round <= 3; round++) for (const isolate of ["c", "a", "b"] as const) ask(isolate, 9, round);
    ask("c", 9, 4);
    expect(held.c).toBeGreaterThanOrEqual(3);
    expect(held.a + held.b + held.c).toBe(10);
  });

  test("nobody has more than the whole part from what another's whole part needs", () => {
    const state = newBulkhead(0, true);
    const ask = (isolate: string, running: number, nowMs: number) =>
      grantConcurrency(state, isolate, { inFlight: running, held: running, wanted: 5 }, 5, nowMs).granted;
    expect(["a", "b", "c"].map((isolate) => ask(isolate, 0, 0))).toEqual([5, 0, 0]);
    ask("a", 5, 1);
    expect(ask("a", 3, 2), "three run still").toBe(2);
    expect(ask("b", 0, 3), "the other is for c").toBe(1);
    expect(ask("c", 0, 4)).toBe(1);
  });

  test("a share above the whole part goes back to one that has less", () => {
    const state = newBulkhead(0, true);
    const ask = (isolate: string, held: number, nowMs: number) =>
      grantConcurrency(state, isolate, { inFlight: 0, held, wanted: 5 }, 5, nowMs).granted;
    expect(ask("a", 0, 0)).toBe(5);
    expect(ask("b", 0, 1)).toBe(0);
    expect(ask("a", 5, 2), "three would leave b two, which is its share").toBe(3);
    expect(ask("a", 3, 3)).toBe(3);
    expect(ask("b", 0, 4)).toBe(2);
    expect(ask("b", 2, ttlMs + 1)).toBe(2);
    expect(ask("a", 3, ttlMs + 2), "it had more for a whole lease").toBe(2);
    expect(ask("a", 2, ttlMs + 3), "and has told that it knows").toBe(2);
    expect(ask("b", 2, ttlMs + 4)).toBe(3);
  });
});

describe("leases", () => {
  const all = { inFlight: 0, held: 0, wanted: 10 };

  test("what is not renewed is free when the lease is over, and not before", () => {
    const state = newBulkhead(0, true);
    grantConcurrency(state, "a", all, 10, 0);
    expect(grantConcurrency(state, "b", all, 10, ttlMs - 1).granted).toBe(0);
    expect(grantConcurrency(state, "b", all, 10, ttlMs).granted).toBe(10);
  });

  test("requests that outlive their lease are counted when they are told of, and give no right to more", () => {
    const state = newBulkhead(0, true);
    grantConcurrency(state, "a", all, 10, 0);
    grantConcurrency(state, "b", { inFlight: 0, held: 0, wanted: 7 }, 10, ttlMs);
    expect(grantConcurrency(state, "a", { inFlight: 8, held: 0, wanted: 8 }, 10, ttlMs + 1).granted).toBe(3);
    expect(grantConcurrency(state, "c", all, 10, ttlMs + 2).granted).toBe(0);
    expect(grantConcurrency(state, "a", { inFlight: 0, held: 0, wanted: 0 }, 10, ttlMs + 3).granted).toBe(0);
    expect(grantConcurrency(state, "c", { inFlight: 0, held: 0, wanted: 3 }, 10, ttlMs + 4).granted).toBe(3);
  });

  test("a lowered max shrinks what is held with the next reports; what runs is counted until it ends", () => {
    const state = newBulkhead(0, true);
    grantConcurrency(state, "a", all, 20, 0);
    grantConcurrency(state, "b", all, 20, 0);
    expect(grantConcurrency(state, "a", { inFlight: 9, held: 10, wanted: 10 }, 8, 1).granted).toBe(4);
    expect(grantConcurrency(state, "b", { inFlight: 1, held: 10, wanted: 10 }, 8, 2).granted).toBe(4);
    expect(grantConcurrency(state, "b", { inFlight: 1, held: 4, wanted: 10 }, 8, 3).granted).toBe(4);
    expect(grantConcurrency(state, "a", { inFlight: 3, held: 4, wanted: 10 }, 8, 4).granted).toBe(4);
  });

  test("after a restart nothing new is granted for a lease, but what is held goes on", () => {
    const state = newBulkhead(1_000, false);
    expect(grantConcurrency(state, "a", { inFlight: 2, held: 4, wanted: 10 }, 10, 1_001).granted).toBe(4);
    expect(grantConcurrency(state, "b", all, 10, 999 + ttlMs).granted).toBe(0);
    expect(grantConcurrency(state, "b", all, 10, 1_000 + ttlMs).granted).toBe(5);
  });

  test("isolates beyond the bound get nothing, until others are gone", () => {
    const state = newBulkhead(0, true);
    const one = { inFlight: 0, held: 0, wanted: 1 };
    for (let n = 0; n < bounds.concurrencyIsolatesMax; n++) grantConcurrency(state, `${n}`, one, 1e6, 0);
    expect(grantConcurrency(state, "late", one, 1e6, 1).granted).toBe(0);
    expect(grantConcurrency(state, "0", one, 1e6, 1).granted, "known").toBe(1);
    expect(grantConcurrency(state, "0", { inFlight: 0, held: 0, wanted: 0 }, 1e6, 2).granted).toBe(0);
    expect(grantConcurrency(state, "late", one, 1e6, 3).granted, "the idle one is forgotten").toBe(1);
  });
});

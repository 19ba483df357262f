import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { finish, follow, newChecks, nextStartMs, start } from "../../../../src/core/checking/schedule.ts";
import type { Check, Checks } from "../../../../src/core/checking/types.ts";
import { settings } from "./support.ts";

const half = (): number => 0.5;
const urlOf = (id: string): string => `https://${id}.example.com`;
const targetsOf = (...ids: string[]) => new Map(ids.map((id) => [id, urlOf(id)]));
const idsOf = (checks: readonly Check[]): string[] => checks.map(({ origin }) => origin);
const runOf = (checks: Checks, id: string): number | undefined => checks.records.get(id)?.run;

/** Checks of these origins, all of them due at 0. */
function checksOf(...ids: string[]): Checks {
  const checks = newChecks();
  follow(checks, settings, targetsOf(...ids), 0, () => 0);
  return checks;
}

describe("origins", () => {
  test("that are new are checked soon, spread over a second or the interval", () => {
    for (const [intervalMs, spreadMs] of [
      [10_000, bounds.checkSpreadMs],
      [400, 400],
    ] as const) {
      const checks = newChecks();
      let draw = 0;
      follow(checks, { ...settings, intervalMs }, targetsOf("a", "b"), 1_000, () => [0, 0.999][draw++]!);
      expect(checks.records.get("a")).toEqual({ url: urlOf("a"), run: 0, nextMs: 1_000 });
      expect(checks.records.get("b")!.nextMs).toBeCloseTo(1_000 + 0.999 * spreadMs);
      expect(nextStartMs(checks)).toBe(1_000);
    }
  });

  test("that stay keep their counts; those that leave are dropped, those that move begin anew", () => {
    const checks = checksOf("stays", "leaves", "moves");
    for (const check of start(checks, 0)) finish(checks, check, false, 1, half);
    follow(
      checks,
      { ...settings },
      new Map([...targetsOf("stays"), ["moves", "https://elsewhere.example.com"]]),
      2,
      half,
    );
    expect([...checks.records.keys()]).toEqual(["stays", "moves"]);
    expect(runOf(checks, "stays")).toBe(-1);
    expect(runOf(checks, "moves")).toBe(0);
  });

  test("begin anew when the settings change, and are let go when checks are switched off", () => {
    const checks = checksOf("a");
    finish(checks, start(checks, 0)[0]!, true, 1, half);
    follow(checks, { ...settings, path: "/other" }, targetsOf("a"), 2, () => 0);
    expect(checks.records.get("a")).toEqual({ url: urlOf("a"), run: 0, nextMs: 2 });
    follow(checks, null, new Map(), 3, half);
    expect(checks.records.size).toBe(0);
    expect(start(checks, 99_999)).toEqual([]);
    expect(nextStartMs(checks)).toBeNull();
  });
});

describe("checks", () => {
  test("start when they are due, the longest overdue first", () => {
    const checks = newChecks();
    const delays = [0.3, 0.1, 0.2, 0.9];
    follow(checks, settings, targetsOf("c", "a", "b", "later"), 0, () => delays.shift()!);
    expect(idsOf(start(checks, 0.3 * bounds.checkSpreadMs))).toEqual(["a", "b", "c"]);
    expect(nextStartMs(checks)).toBe(0.9 * bounds.checkSpreadMs);
    expect(idsOf(start(checksOf("c", "a", "d", "b"), 0)), "of the same time by id").toEqual(["a", "b", "c", "d"]);
  });

  test("of one origin never overlap, and the next comes an interval +-10 % after the end", () => {
    for (const [random, share] of [
      [0, 0.9],
      [0.5, 1],
      [0.999, 1.0998],
    ] as const) {
      const checks = checksOf("a");
      const [check] = start(checks, 0);
      expect(start(checks, settings.timeoutMs)).toEqual([]);
      expect(finish(checks, check!, true, 700, () => random)).toBe(1);
      expect(nextStartMs(checks)).toBeCloseTo(700 + settings.intervalMs * share);
    }
  });

  test("that never end give their place back, and the origin is checked again", () => {
    const ids = ["a", "b", "c", "d", "e", "f", "g"];
    const checks = checksOf(...ids);
    const stuck = start(checks, 0);
    expect(stuck).toHaveLength(bounds.checksAtOnceMax);
    const lostMs = settings.timeoutMs + bounds.checkLostMs;
    expect(nextStartMs(checks), "full: there is nothing to start before").toBe(lostMs);
    expect(start(checks, lostMs - 1)).toEqual([]);
    expect(idsOf(start(checks, lostMs))).toEqual(["g", "a", "b", "c", "d", "e"]);
    expect(finish(checks, stuck[0]!, true, lostMs, half), "too late to count").toBeNull();
  });

  test.each<[string, (checks: Checks) => void]>([
    ["has left", (checks) => follow(checks, settings, targetsOf(), 1, half)],
    ["has moved", (checks) => follow(checks, settings, new Map([["a", "https://elsewhere.example.com"]]), 1, half)],
    ["is judged by other rules", (checks) => follow(checks, { ...settings, timeoutMs: 5 }, targetsOf("a"), 1, half)],
  ])("count nothing when the origin %s, but free their place", (_, alter) => {
    const checks = checksOf("a");
    const [check] = start(checks, 0);
    alter(checks);
    const before = new Map(checks.records);
    expect(finish(checks, check!, false, 2, half)).toBeNull();
    expect(checks.records).toEqual(before);
    expect(checks.running.size).toBe(0);
  });
});

describe("on any day", () => {
  type Event =
    | { readonly kind: "wait"; readonly ms: number }
    | { readonly kind: "end"; readonly at: number; readonly hasPassed: boolean };
  const event: fc.Arbitrary<Event> = fc.oneof(
    fc.record({ kind: fc.constant("wait"), ms: fc.integer({ min: 0, max: 4_000 }) }),
    fc.record({ kind: fc.constant("end"), at: fc.nat(5), hasPassed: fc.boolean() }),
  );
  const day = fc.record({ origins: fc.integer({ min: 1, max: 20 }), events: fc.array(event, { maxLength: 100 }) });

  test("there are never more than six at once, none twice, and the next time is always known", () => {
    const property = fc.property(day, ({ origins, events }) => {
      const ids = Array.from({ length: origins }, (_, n) => `o${n}`);
      const checks = checksOf(...ids);
      const running = new Set<Check>();
      let nowMs = 0;
      for (const event of events) {
        if (event.kind === "wait") nowMs += event.ms;
        else {
          const check = [...running][event.at];
          if (check === undefined) continue;
          running.delete(check);
          finish(checks, check, event.hasPassed, nowMs, half);
        }
        for (const check of running) if (check.lostMs <= nowMs) running.delete(check);
        for (const check of start(checks, nowMs)) running.add(check);
        expect(running.size).toBeLessThanOrEqual(bounds.checksAtOnceMax);
        expect(new Set(idsOf([...running])).size).toBe(running.size);
        const nextMs = nextStartMs(checks);
        expect(nextMs).not.toBeNull();
        expect(nextMs, "nothing that could start is left").toBeGreaterThan(nowMs);
      }
    });
    fc.assert(property, { numRuns: 300 });
  });

  test("nobody is forgotten: every origin is checked, however many there are", () => {
    const ids = Array.from({ length: 100 }, (_, n) => `o${n}`);
    const checks = checksOf(...ids);
    const seen = new Map(ids.map((id) => [id, 0]));
    // Each check takes 100 ms, so 100 origins need 1.7 s and fit into an interval.
    for (let nowMs = 0; nowMs < 5 * settings.intervalMs; nowMs += 100) {
      for (const check of checks.running) finish(checks, check, true, nowMs, half);
      for (const { origin } of start(checks, nowMs)) seen.set(origin, seen.get(origin)! + 1);
    }
    expect(new Set(seen.values())).toEqual(new Set([5]));
  });
});

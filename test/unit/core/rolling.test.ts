import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { add, advance, clear, newRolling, total } from "../../../src/core/rolling.ts";

const windowMs = 10_000;
const rolling = () => newRolling(windowMs, 10, 2);

describe("a rolling window", () => {
  test("counts what lies in the window and forgets it slot by slot", () => {
    const window = rolling();
    add(window, 0, 3, 500);
    add(window, 0, 4, 1_500);
    expect(total(window, 0, 9_999)).toBe(7);
    expect(total(window, 0, 10_000)).toBe(4);
    expect(total(window, 0, 11_000)).toBe(0);
  });

  test("keeps its counters apart", () => {
    const window = rolling();
    add(window, 0, 3, 500);
    add(window, 1, 4, 500);
    expect([total(window, 0, 500), total(window, 1, 500)]).toEqual([3, 4]);
  });

  test("advances by as many slots as have passed, so nothing stale stays after a gap of any length", () => {
    for (const gapMs of [10_000, 15_000, 99_000, 3_600_000]) {
      const window = rolling();
      for (let atMs = 0; atMs < windowMs; atMs += 1_000) add(window, 0, 1, atMs);
      expect(total(window, 0, 9_999 + gapMs)).toBe(0);
      add(window, 0, 1, 9_999 + gapMs);
      expect(total(window, 0, 9_999 + gapMs)).toBe(1);
    }
  });

  test("puts what happened earlier into its own slot, and leaves out what is older than the window", () => {
    const window = rolling();
    add(window, 0, 1, 20_000, 9_000);
    add(window, 0, 10, 20_000, 10_000);
    add(window, 0, 100, 5_000, 6_000);
    expect(total(window, 0, 20_000)).toBe(1);
    expect(total(window, 0, 21_000)).toBe(0);
  });

  test("counts what comes from the future as now", () => {
    const window = rolling();
    add(window, 0, 1, 20_000, -60_000);
    expect(total(window, 0, 29_999)).toBe(1);
    expect(total(window, 0, 30_000)).toBe(0);
  });

  test("bears a clock that stands still or steps back: nothing is forgotten early or counted twice", () => {
    const window = rolling();
    add(window, 0, 1, 20_000);
    add(window, 0, 1, 19_000);
    advance(window, 12_000);
    expect(total(window, 0, 12_000)).toBe(2);
    expect(total(window, 0, 29_000)).toBe(1);
    expect(total(window, 0, 30_000)).toBe(0);
  });

  test("forgets what it counts while its clock is younger than the window", () => {
    const window = rolling();
    for (const ageMs of [0, 400, 600, 3_000]) add(window, 0, 1, 500, ageMs);
    expect(total(window, 0, 500)).toBe(2);
    expect(total(window, 0, 10_000)).toBe(0);
  });

  test("is empty after clear, and counts on", () => {
    const window = rolling();
    add(window, 0, 5, 20_000);
    clear(window);
    expect(total(window, 0, 20_000)).toBe(0);
    add(window, 0, 1, 20_000);
    expect(total(window, 0, 20_000)).toBe(1);
  });

  test("agrees with a list of everything that ever happened", () => {
    const step = fc.record({ waitMs: fc.nat(25_000), amount: fc.nat(100), ageMs: fc.nat(15_000) });
    fc.assert(
      fc.property(fc.array(step), fc.constantFrom(1, 3, 10), (steps, slots) => {
        const window = newRolling(windowMs, slots, 1);
        const slotMs = windowMs / slots;
        const all: { readonly slot: number; readonly amount: number }[] = [];
        let nowMs = 100_000;
        for (const { waitMs, amount, ageMs } of steps) {
          nowMs += waitMs;
          add(window, 0, amount, nowMs, ageMs);
          all.push({ slot: Math.floor((nowMs - ageMs) / slotMs), amount });
          const oldest = Math.floor(nowMs / slotMs) - slots + 1;
          const expected = all.reduce((sum, { slot, amount }) => sum + (slot >= oldest ? amount : 0), 0);
          expect(total(window, 0, nowMs)).toBe(expected);
        }
      }),
    );
  });
});

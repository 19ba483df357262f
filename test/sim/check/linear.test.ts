import { describe, expect, test } from "vitest";
import { type Model, type Operation, unexplained } from "./linear.ts";

/** A register: a number is written, or read (null). */
type Ask = number | null;
const register: Model<number, Ask, number> = {
  first: 0,
  step: (state, ask, answer) => {
    if (ask !== null) return ask;
    return answer === undefined || answer === state ? state : null;
  },
  textOf: String,
};

const write = (value: number, fromTurn: number, toTurn: number): Operation<Ask, number> => {
  return { ask: value, answer: toTurn === Number.POSITIVE_INFINITY ? undefined : value, fromTurn, toTurn };
};
const read = (value: number, fromTurn: number, toTurn: number): Operation<Ask, number> => {
  return { ask: null, answer: value, fromTurn, toTurn };
};
const never = Number.POSITIVE_INFINITY;

describe("a history is linearizable", () => {
  test("when a read overlaps a write, whichever value it gives", () => {
    expect(unexplained([write(1, 0, 10), read(0, 1, 9)], register)).toBeNull();
    expect(unexplained([write(1, 0, 10), read(1, 1, 9)], register)).toBeNull();
  });

  test("when a write without an answer takes effect late, or never", () => {
    expect(unexplained([write(1, 0, never), read(0, 20, 21), read(1, 30, 31)], register)).toBeNull();
    expect(unexplained([write(1, 0, never), read(0, 20, 21)], register)).toBeNull();
  });
});

describe("a history is not linearizable", () => {
  test("when a read misses a write that was answered before it began", () => {
    expect(unexplained([write(1, 0, 10), read(0, 11, 12)], register)).toEqual([read(0, 11, 12)]);
  });

  test("when two reads, one after the other, see a write come and go", () => {
    expect(unexplained([write(1, 0, 50), read(1, 1, 2), read(0, 3, 4)], register)).not.toBeNull();
  });

  test("when a write without an answer takes effect twice", () => {
    const history = [write(1, 0, never), read(1, 1, 2), write(2, 3, 4), read(2, 5, 6), read(1, 7, 8)];
    expect(unexplained(history, register)).not.toBeNull();
  });
});

/** The checks can fail: each is shown a loss, an excess or a failure that was planted. */
import { expect, it } from "vitest";
import { blame, type Outcome, starvedFaults } from "./blame.ts";
import { Ledger } from "./ledger.ts";
import { excessOf, forgotten, mostIn, usedOf } from "./limits.ts";
import { judgeMemory } from "./memory.ts";
import type { Fault } from "./origins.ts";
import { isStarved } from "./starved.ts";

const written = (name: string, ...values: readonly string[]): Ledger<string> => {
  const ledger = new Ledger("thing", "none");
  for (const [index, value] of values.entries()) {
    ledger.begin(name, value);
    ledger.acknowledge(name, { value, revision: index + 1 });
  }
  return ledger;
};

it("what was acknowledged must be there: neither nothing, nor what was before it, nor an older revision", () => {
  expect(written("a", "x", "y").settle("a", { value: "y", revision: 2 })).toBeNull();
  expect(written("a", "x", "y").settle("a", { value: "none", revision: 0 })).toMatch(
    /y of revision 2 was acknowledged/,
  );
  expect(written("a", "x", "y").settle("a", { value: "x", revision: 1 })).toMatch(/x of revision 1 is there/);
  expect(written("a", "x", "y").settle("a", { value: "y", revision: 1 })).toMatch(/y of revision 1 is there/);
});

it("a write without an answer may have happened or not, until the crash that leaves it open is judged", () => {
  const ledger = written("a", "x");
  ledger.begin("a", "y");
  expect(ledger.inDoubt).toBe(1);
  expect(ledger.possible("a")).toEqual(["x", "y"]);
  expect(ledger.settle("a", { value: "y", revision: 2 })).toBeNull();
  expect(ledger.settle("a", { value: "x", revision: 1 })).not.toBeNull();
  ledger.begin("a", "z");
  ledger.refuse("a", "z");
  expect(ledger.settle("a", { value: "z", revision: 9 })).not.toBeNull();
});

it("of two writers the one with the newer revision counts, whoever is answered first", () => {
  const ledger = new Ledger("thing", 0);
  ledger.begin("a", 1);
  ledger.begin("a", 2);
  ledger.acknowledge("a", { value: 2, revision: 8 });
  ledger.acknowledge("a", { value: 1, revision: 7 });
  expect(ledger.settle("a", { value: 1, revision: 7 })).not.toBeNull();
});

it("one request too many is seen, in a window, in a bucket and in a quota", () => {
  const within = Array.from({ length: 60 }, (_, index) => index * 100);
  expect(usedOf("ten", within, 3)).toBe(1);
  expect(usedOf("ten", [...within, 6_000], 3)).toBeGreaterThan(1);
  expect(mostIn([0, 999, 1_000], 1_000)).toBe(2);
  expect(excessOf([...Array(20).fill(0), 100, 200], 10, 20)).toBe(0);
  expect(excessOf([...Array(21).fill(0)], 10, 20)).toBe(1);
  expect(usedOf("token", Array(10).fill(0), 3)).toBeLessThanOrEqual(1);
  expect(usedOf("token", Array(11).fill(0), 3)).toBeGreaterThan(1);
  expect(usedOf("month", Array(81).fill(0), 3)).toBeGreaterThan(1);
  expect(forgotten("month", "c", { charged: 5, arrived: 5, deaths: 0 })).toBeNull();
  expect(forgotten("month", "c", { charged: 4, arrived: 5, deaths: 3 })).toMatch(/5 passed, 4 are charged/);
});

const failure: Outcome = {
  ...{ sentMs: 1_000, endedMs: 1_100, path: "/x", status: 502, isWhole: true },
  ...{ code: "upstream_unreachable", origin: "p0" },
};
const fault: Fault = { kind: "kill", origins: ["p0"], fromMs: 500, toMs: 1_500 };
const echo = { origins: 4, failureRate: 0.8, breakerMs: 3_000 };

it("a failure is blamed on a fault of its origin and of its time only", () => {
  expect(blame(failure, [fault], echo)).toBe(fault);
  expect(blame({ ...failure, origin: "p1" }, [fault], echo)).toBeNull();
  expect(blame({ ...failure, origin: null }, [fault], echo)).toBeNull();
  expect(blame({ ...failure, sentMs: 1_600, endedMs: 1_700 }, [fault], echo)).toBeNull();
  expect(blame({ ...failure, sentMs: 300, endedMs: 400 }, [fault], echo)).toBeNull();
  expect(blame({ ...failure, code: "internal_error", status: 500 }, [fault], echo)).toBeNull();
  expect(blame({ ...failure, code: null, status: 0 }, [fault], echo)).toBeNull();
});

it("a breaker may refuse only after so many origins failed that it had to open, and not for long", () => {
  const refused = { ...failure, code: "circuit_open", status: 503, origin: null, sentMs: 4_000, endedMs: 4_001 };
  const all = { ...fault, origins: ["p0", "p1", "p2", "p3"] };
  expect(blame(refused, [all], echo)).toBe(all);
  expect(blame(refused, [fault], echo)).toBeNull();
  expect(blame({ ...refused, sentMs: 4_600, endedMs: 4_601 }, [all], echo)).toBeNull();
});

it("a machine that lets a process wait explains what came late, at that time only, but no answer that is wrong", () => {
  const starving = starvedFaults([{ fromMs: 500, toMs: 1_500 }], ["p0", "p1"]);
  expect(blame(failure, starving, echo)).not.toBeNull();
  expect(blame({ ...failure, sentMs: 1_600, endedMs: 1_700 }, starving, echo)).toBeNull();
  expect(blame({ ...failure, code: "internal_error", status: 500 }, starving, echo)).toBeNull();
  expect(blame({ ...failure, status: 200, code: null, isWhole: false }, starving, echo)).toBeNull();
  expect(isStarved(1_000, new Map([[1, 50]]), new Map([[1, 560]]))).toBe(true);
  expect(isStarved(1_000, new Map([[1, 50]]), new Map([[1, 540]]))).toBe(false);
  expect(isStarved(1_000, new Map([[1, 50]]), new Map([[2, 5_000]]))).toBe(false);
});

it("an answer that is cut off is blamed on an origin that cut it", () => {
  const cut = { ...failure, status: 200, code: null, isWhole: false };
  expect(blame(cut, [{ ...fault, kind: "cut" }], echo)).not.toBeNull();
  expect(blame(cut, [{ ...fault, kind: "slow" }], echo)).toBeNull();
});

it("what is kept and rises is seen in two minutes and in thirty, and resident memory is not taken for it", () => {
  const samplesOf = (seconds: number, bytesPerRequest: number) =>
    Array.from({ length: seconds / 2 }, (_, index) => {
      const requests = 60 * 2 * index;
      // A fault now and then: what is under way is kept too.
      const underWayMib = index % 8 < 3 ? 1.5 : ((index * 7) % 3) / 10;
      const keptMib = 8 + underWayMib + (bytesPerRequest * requests) / (1 << 20);
      return { atMs: index * 2_000, keptMib, residentMib: 200 + index };
    });
  for (const [seconds, bytesPerRequest] of [
    [120, 600],
    [1_800, 40],
  ] as const) {
    expect(judgeMemory(samplesOf(seconds, 0)).isFlat).toBe(true);
    expect(judgeMemory(samplesOf(seconds, bytesPerRequest)).isFlat).toBe(false);
  }
  expect(judgeMemory(samplesOf(120, 0)).resident.slopeMibPerMin).toBeCloseTo(30);
  expect(() => judgeMemory(samplesOf(30, 0))).toThrow(RangeError);
});

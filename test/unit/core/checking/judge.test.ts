import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isExpected, isHealthyAfter, nextRun } from "../../../../src/core/checking/judge.ts";
import { settings } from "./support.ts";

test.each([
  [199, false],
  [200, true],
  [299, true],
  [300, false],
  [301, false],
  [403, false],
  [404, true],
  [405, false],
  [503, false],
])("status %d passes: %s", (status, expected) => {
  expect(isExpected(settings, status)).toBe(expected);
});

test("a redirect passes where its status is listed", () => {
  expect(isExpected({ ...settings, statuses: [[302, 302]] }, 302)).toBe(true);
});

describe("whatever the results", () => {
  const thresholds = fc.record({
    healthyAfter: fc.integer({ min: 1, max: 5 }),
    unhealthyAfter: fc.integer({ min: 1, max: 5 }),
  });
  const results = fc.array(fc.boolean(), { maxLength: 40 });

  /** Health and run after the results. */
  function outcomeOf(
    given: readonly boolean[],
    limits: { healthyAfter: number; unhealthyAfter: number },
    isHealthy: boolean,
  ) {
    let run = 0;
    let health = isHealthy;
    for (const hasPassed of given) {
      run = nextRun(run, hasPassed);
      health = isHealthyAfter(health, run, { ...settings, ...limits });
    }
    return { run, health };
  }

  test("no counter freezes: the run is exactly how many last results were alike", () => {
    const property = fc.property(results, thresholds, (given, limits) => {
      const last = given.at(-1);
      const alike = given.length - 1 - given.lastIndexOf(!last);
      expect(outcomeOf(given, limits, true).run).toBe(last === undefined ? 0 : last ? alike : -alike);
    });
    fc.assert(property);
  });

  test("enough passes in a row make it healthy, enough failures unhealthy, and fewer change nothing", () => {
    const property = fc.property(results, thresholds, fc.boolean(), (given, limits, start) => {
      const before = outcomeOf(given, limits, start).health;
      const ending = (hasPassed: boolean, count: number) =>
        outcomeOf([...given, !hasPassed, ...Array<boolean>(count).fill(hasPassed)], limits, start).health;
      expect(ending(true, limits.healthyAfter)).toBe(true);
      expect(ending(false, limits.unhealthyAfter)).toBe(false);
      if (!before) expect(ending(true, limits.healthyAfter - 1)).toBe(false);
      if (before) expect(ending(false, limits.unhealthyAfter - 1)).toBe(true);
    });
    fc.assert(property);
  });

  test("a change that was lost is made up for by the next result", () => {
    expect(isHealthyAfter(true, -settings.unhealthyAfter - 1, settings)).toBe(false);
    expect(isHealthyAfter(false, settings.healthyAfter + 1, settings)).toBe(true);
  });
});

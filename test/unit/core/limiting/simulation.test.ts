/** L1 to L5 over random schedules. `LIMITING_SCHEDULES` is their number, 10,000 by default: the first of a longer run. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scenarios } from "./scenarios.ts";
import { simulate } from "./simulation.ts";

const schedules = Number(process.env.LIMITING_SCHEDULES ?? 10_000);
const share = { sliding: 0.3, fixed: 0.2, bucket: 0.2, exact: 0.15, changed: 0.15 } as const;

describe("no schedule breaks a limit", () => {
  test.each(Object.entries(scenarios))(
    "%s",
    (name, arbitrary) => {
      const numRuns = Math.ceil(schedules * share[name as keyof typeof share]);
      let admitted = 0;
      fc.assert(
        fc.property(arbitrary, (scenario) => {
          const result = simulate(scenario);
          admitted += result.log.length;
          expect(result.breaches.slice(0, 3)).toEqual([]);
        }),
        { seed: 1, numRuns },
      );
      expect(admitted).toBeGreaterThan(numRuns);
    },
    3_600_000,
  );
});

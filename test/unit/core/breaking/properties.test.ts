/** B1 to B7 over random schedules. `BREAKING_SCHEDULES` is their number, 3,000 by default: the first of a longer run. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { simulate } from "./simulation.ts";
import { scenarios } from "./simulation-scenarios.ts";

const schedules = Number(process.env.BREAKING_SCHEDULES ?? 3_000);
const share = { faulty: 0.4, ordered: 0.2, faultless: 0.3 } as const;
const timeoutMs = 3_600_000;

describe("no schedule breaks the rules of the breaker", () => {
  test.each(Object.entries(share))(
    "%s",
    (name, part) => {
      const numRuns = Math.ceil(schedules * part);
      const seen = { probes: 0, refused: 0, closed: 0 };
      fc.assert(
        fc.property(scenarios[name as keyof typeof share], (scenario) => {
          const { breaches, events, probes, refused } = simulate(scenario);
          seen.probes += probes;
          seen.refused += refused;
          seen.closed += events.filter((type) => type === "breaker_closed").length;
          expect(breaches.slice(0, 3)).toEqual([]);
        }),
        { seed: 1, numRuns },
      );
      expect(seen.probes).toBeGreaterThan(numRuns / 5);
      expect(seen.closed).toBeGreaterThan(numRuns / 10);
      expect(seen.refused).toBeGreaterThan(numRuns);
    },
    timeoutMs,
  );

  test(
    "an origin that never fails is never kept from anybody, whatever is lost (B4)",
    () => {
      fc.assert(
        fc.property(scenarios.healthy, (scenario) => {
          const { breaches, events, requests, refused } = simulate(scenario);
          expect(breaches).toEqual([]);
          expect(events).toEqual([]);
          expect(refused).toBe(0);
          expect(requests).toBeGreaterThan(0);
        }),
        { numRuns: Math.ceil(schedules * 0.1) },
      );
    },
    timeoutMs,
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { buildRouteTable } from "../../../../src/core/routing/table.ts";
import { winner } from "./support.ts";
import { asked, entryOf, oracle, written } from "./written.ts";

test("the table finds what a scan by the words of the contract finds", () => {
  let matched = 0;
  fc.assert(
    fc.property(
      fc.array(written, { minLength: 1, maxLength: 30 }),
      fc.array(asked, { minLength: 10, maxLength: 20 }),
      (document, requests) => {
        const table = buildRouteTable(document.map(entryOf));
        for (const request of requests) {
          const expected = oracle(document, request);
          if (expected !== null) matched += 1;
          expect(winner(table, request)?.entry.order ?? null).toBe(expected);
        }
      },
    ),
    { seed: 1, numRuns: 400 },
  );
  // The alphabets must keep overlapping, or the test would compare nothing with nothing.
  expect(matched).toBeGreaterThan(1_000);
});

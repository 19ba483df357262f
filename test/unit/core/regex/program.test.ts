import { expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { parseRegex } from "../../../../src/core/regex/parse.ts";
import { programOf } from "../../../../src/core/regex/program.ts";

test("a step is bounded work: alternatives that lead to the same step are one", () => {
  const source = `(?:(?:.|${"|".repeat(980)}){1000})*`;
  const { steps } = programOf(parseRegex(source), bounds.regexStepsMax);
  const edges = steps.reduce((sum, step) => sum + (step.kind === "fork" ? step.to.length : 1), 0);
  expect(edges).toBeLessThanOrEqual(2 * steps.length);
});

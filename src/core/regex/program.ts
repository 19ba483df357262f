/** An expression -> the steps of a machine that is in many states at once (Thompson's construction). */
import { type Assertion, type CharacterSet, type Expression, RegexError } from "./types.ts";

/** One state. `to`: where it goes after a character of its set, or at once. */
export type Step =
  | { readonly kind: "set"; readonly set: CharacterSet; readonly to: number }
  | { readonly kind: "assertion"; readonly holds: Assertion; readonly to: number }
  | { readonly kind: "fork"; readonly to: readonly number[] }
  | { readonly kind: "match" };

export interface Program {
  readonly steps: readonly Step[];
  readonly start: number;
  readonly hasAssertions: boolean;
}

/** Throws RegexError when it would have more than `stepsMax` steps. */
export function programOf(expression: Expression, stepsMax: number): Program {
  const steps: Step[] = [{ kind: "match" }];
  const add = (step: Step): number => {
    if (steps.length >= stepsMax) throw new RegexError("expression too large");
    return steps.push(step) - 1;
  };
  const start = addExpression(expression, 0, add);
  return { steps, start, hasAssertions: steps.some(({ kind }) => kind === "assertion") };
}

/** Adds what leads through the expression to the step `to`; its first step. Built from the end, so that `to` is known. */
function addExpression(expression: Expression, to: number, add: (step: Step) => number): number {
  switch (expression.kind) {
    case "set":
      return add({ kind: "set", set: expression.set, to });
    case "assertion":
      return add({ kind: "assertion", holds: expression.holds, to });
    case "sequence":
      return expression.parts.reduceRight((next, part) => addExpression(part, next, add), to);
    case "choice":
      // Each once: empty alternatives all lead to the same step, and only steps are counted.
      return add({ kind: "fork", to: [...new Set(expression.parts.map((part) => addExpression(part, to, add)))] });
    case "repeat":
      return addRepeat(expression, to, add);
  }
}

function addRepeat(
  { part, min, max }: Expression & { readonly kind: "repeat" },
  to: number,
  add: (step: Step) => number,
): number {
  let next = to;
  if (max === Infinity) {
    const ways = [to];
    next = add({ kind: "fork", to: ways });
    ways.push(addExpression(part, next, add));
  } else {
    for (let times = min; times < max; times++) next = add({ kind: "fork", to: [to, addExpression(part, next, add)] });
  }
  for (let times = 0; times < min; times++) next = addExpression(part, next, add);
  return next;
}

/** The project's own regular expressions, with their work counted. */
import { bounds } from "../../../src/bounds.ts";
import { matcherOf } from "../../../src/core/regex/match.ts";
import { parseRegex } from "../../../src/core/regex/parse.ts";
import { type Program, programOf, type Step } from "../../../src/core/regex/program.ts";
import type { CharacterSet } from "../../../src/core/regex/types.ts";

/** An expression whose work is counted. */
export interface CountedRegex {
  matches(text: string): boolean;
  /** Characters compared with a set, assertions looked at and ways followed so far. */
  work(): number;
  /** The most work that one character of a text may cost: each set, assertion and way of the program once. */
  readonly perCharacter: number;
}

/** Throws RegexError, as compileRegex does. */
export function countedRegex(source: string, parse: (source: string) => Program = programFrom): CountedRegex {
  let work = 0;
  const sets = new Map<CharacterSet, CharacterSet>();
  let assertions = 0;
  let ways = 0;
  const counted = (step: Step): Step => {
    if (step.kind === "set") {
      const { set } = step;
      if (!sets.has(set))
        sets.set(set, (codePoint) => {
          work++;
          return set(codePoint);
        });
      return { ...step, set: sets.get(set)! };
    }
    if (step.kind === "assertion") {
      assertions++;
      const holds: typeof step.holds = (before, after) => {
        work++;
        return step.holds(before, after);
      };
      return { ...step, holds };
    }
    if (step.kind !== "fork") return step;
    ways += step.to.length;
    const to = {
      *[Symbol.iterator]() {
        for (const way of step.to) {
          work++;
          yield way;
        }
      },
    };
    return { ...step, to: to as unknown as readonly number[] };
  };
  const program = parse(source);
  const steps = program.steps.map(counted);
  const matches = matcherOf({ ...program, steps }, bounds.regexCellsMax);
  return { matches, work: () => work, perCharacter: sets.size + assertions + ways };
}

/** As `compileRegex` makes it. */
export function programFrom(source: string): Program {
  return programOf(parseRegex(source), bounds.regexStepsMax);
}

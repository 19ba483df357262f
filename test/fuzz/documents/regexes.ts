/** Regular expressions against re2js, a port of RE2: what is accepted, what matches, and how much work a text costs. */
import fc from "fast-check";
import { RE2JS, RE2JSSyntaxException } from "re2js";
import { bounds } from "../../../src/bounds.ts";
import { RegexError } from "../../../src/core/regex/types.ts";
import type { Fuzzer } from "../fuzzer.ts";
import { type CountedRegex, countedRegex } from "./counted-regex.ts";
import { type Count, hunt, type Quarry } from "./hunt.ts";
import { patterns, texts } from "./patterns.ts";

interface Input {
  readonly source: string;
  readonly texts: readonly string[];
}

const inputs: fc.Arbitrary<Input> = fc.record({ source: patterns, texts });
/** What ours refuses and RE2 need not: `regexStepsMax`. */
const tooLarge = "expression too large";
/** re2js takes its time over large programs; ours is held to its bound there, and not compared. */
const comparedWorkMax = 300;

/** What the fuzzer plays. `compile`: what is under test. */
export function regexes(compile: (source: string) => CountedRegex = countedRegex): Quarry<Input> {
  const check = ({ source, texts: some }: Input, count: Count) => {
    const own = refusable(() => compile(source));
    if (own === tooLarge) {
      count("too large");
      return null;
    }
    const isSmall = typeof own === "string" || own.perCharacter <= comparedWorkMax;
    const oracle = isSmall ? refusable(() => RE2JS.compile(source)) : null;
    if (typeof own === "string" || typeof oracle === "string") {
      count("refused");
      if (typeof own === "string" && typeof oracle === "string") return null;
      return `${typeof own === "string" ? `refused (${own})` : "accepted"}, RE2 does not agree`;
    }
    count(oracle === null ? "too large to compare" : "accepted");
    for (const text of some) {
      const wrong = wrongWith(own, oracle, text, count);
      if (wrong) return wrong;
    }
    return null;
  };
  return { inputs, check, show: ({ source, texts: some }) => JSON.stringify([source, ...some]).slice(0, 4_000) };
}

function wrongWith(own: CountedRegex, oracle: RE2JS | null, text: string, count: Count): string | null {
  const before = own.work();
  const matched = own.matches(text);
  const work = own.work() - before;
  const workMax = own.perCharacter * (text.length + 1);
  if (work > workMax) return `${work} looks for a text of ${text.length} characters, at most ${workMax} are due`;
  if (own.perCharacter > 3 * bounds.regexStepsMax) return `${own.perCharacter} looks a character`;
  if (matched) count("matched");
  return oracle !== null && oracle.matches(text) !== matched ? `matched is ${matched}, for RE2 it is not` : null;
}

/** What the action gives, or why the expression is refused. */
function refusable<T extends object>(action: () => T): T | string {
  try {
    return action();
  } catch (error) {
    if (error instanceof RegexError || error instanceof RE2JSSyntaxException) return error.message;
    throw error;
  }
}

export const regexesFuzzer: Fuzzer = {
  name: "regexes",
  about: "regular expressions: refused or within their work, and equal to RE2",
  aims: { accepted: 0.15, refused: 0.15, matched: 0.01 },
  start: async () => ({ run: async (plan) => hunt(regexes(), plan), stop: async () => {} }),
};

import { bounds } from "../../bounds.ts";
import { matcherOf } from "./match.ts";
import { parseRegex } from "./parse.ts";
import { programOf } from "./program.ts";

/**
 * Compiles an expression in the syntax of RE2, of at most `patternLengthMax` characters, to a test of whole texts that takes
 * time linear in the text. Throws RegexError for what RE2 refuses, and for one with more than `regexStepsMax` steps.
 */
export function compileRegex(source: string): (text: string) => boolean {
  return matcherOf(programOf(parseRegex(source), bounds.regexStepsMax), bounds.regexCellsMax);
}

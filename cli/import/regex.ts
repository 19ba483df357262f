/** Regular expressions of the original. Ours are RE2's: no look-around, no backreferences. */
import { bounds } from "../../src/bounds.ts";
import { compileRegex } from "../../src/core/regex/regex.ts";

/** Can the gateway have the expression? */
export function isExpression(source: string): boolean {
  if (source === "" || source.length > bounds.patternLengthMax) return false;
  try {
    compileRegex(source);
    return true;
  } catch {
    return false;
  }
}

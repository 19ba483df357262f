/** Regular expressions of the original. Ours are RE2's: no look-around, no backreferences. */
import { RE2JS } from "re2js";
import { bounds } from "../../src/bounds.ts";

/** Can the gateway have the expression? */
export function isExpression(source: string): boolean {
  if (source === "" || source.length > bounds.patternLengthMax) return false;
  try {
    RE2JS.compile(source);
    return true;
  } catch {
    return false;
  }
}

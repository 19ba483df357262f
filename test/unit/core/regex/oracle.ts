/** re2js, a port of RE2, says what an expression means. */
import { RE2JS, RE2JSSyntaxException } from "re2js";
import { compileRegex } from "../../../../src/core/regex/regex.ts";
import { RegexError } from "../../../../src/core/regex/types.ts";

export type Matches = (text: string) => boolean;

/** Null: it is refused. */
function compiled(compile: () => Matches): Matches | null {
  try {
    return compile();
  } catch (error) {
    if (error instanceof RE2JSSyntaxException || error instanceof RegexError) return null;
    throw error;
  }
}

export function bothOf(source: string): { own: Matches | null; oracle: Matches | null } {
  const oracle = compiled(() => {
    const expression = RE2JS.compile(source);
    return (text) => expression.matches(text);
  });
  return { own: compiled(() => compileRegex(source)), oracle };
}

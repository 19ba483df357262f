import { segmentsOf } from "./path.ts";

const special = /[.^$*+?()[\]{}|\\]/;
const quantifiers = new Set(["?", "*", "+", "{"]);
/** Quoting, named classes and a class that begins with "]" are not read below: too rare to be worth getting wrong. */
const unread = /\\Q|\[:|\[\^?\]/;

/** The characters of an expression before its first special character; a leading "^" is skipped. */
export function regexLiteral(source: string): string {
  const text = source.startsWith("^") ? source.slice(1) : source;
  const end = text.search(special);
  return end === -1 ? text : text.slice(0, end);
}

/**
 * Whole segments that every path begins with which the expression fully matches, in RE2 syntax. When in doubt fewer, or
 * none: a router may then only look at the expression more often than it must.
 */
export function mandatorySegments(source: string): readonly string[] {
  if (mayAlternateAtTop(source)) return [];
  const literal = regexLiteral(source);
  const next = source.charAt(source.indexOf(literal) + literal.length);
  // What a quantifier follows may be missing. The last segment is left out in any case: more of it may come.
  const mandatory = quantifiers.has(next) ? literal.slice(0, -1) : literal;
  return segmentsOf(mandatory).slice(0, -1);
}

/** May the expression have a "|" outside every group, where it would make the beginning one choice of several? */
function mayAlternateAtTop(source: string): boolean {
  if (!source.includes("|")) return false;
  if (unread.test(source)) return true;
  let depth = 0;
  for (const character of source.replace(/\\./g, "_").replace(/\[[^\]]*\]/g, "_")) {
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
    if (character === "|" && depth === 0) return true;
  }
  return false;
}

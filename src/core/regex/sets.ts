/**
 * Sets of characters. They are read as RE2 has them and written as a class of the platform's own expressions, which knows
 * Unicode: one code point against one class cannot backtrack.
 */
import type { Cursor } from "./cursor.ts";
import { type CharacterSet, RegexError } from "./types.ts";

const perl: Readonly<Record<string, string>> = { d: "0-9", s: "\\t\\n\\f\\r\\x20", w: "\\w" };
const posix: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\0-\\x7f",
  blank: "\\t\\x20",
  cntrl: "\\0-\\x1f\\x7f",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: "\\x20-~",
  punct: "!-\\/:-@\\[-`\\{-~",
  space: "\\t-\\r\\x20",
  upper: "A-Z",
  word: "\\w",
  xdigit: "0-9A-Fa-f",
};
const controls: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

const octal = /\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/y;
const hex = /\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]+)\})/y;
const control = /\\([afnrtv])/y;
/** A character of ASCII that is neither letter nor digit stands for itself. */
const quoted = /\\([\0-/:-@[-`{-\x7f])/y;

/** One character, escaped or not. Throws RegexError. */
export function readCharacter(cursor: Cursor): number {
  if (!cursor.isBefore("\\")) return cursor.take();
  const digits = cursor.read(octal)?.[1];
  if (digits !== undefined) return Number.parseInt(digits, 8);
  const codePoint = cursor.read(hex);
  if (codePoint) return checkedCodePoint(Number.parseInt(codePoint[1] ?? codePoint[2]!, 16));
  const escaped = cursor.read(control)?.[1];
  if (escaped !== undefined) return controls[escaped]!;
  const literal = cursor.read(quoted)?.[1];
  if (literal !== undefined) return literal.charCodeAt(0);
  cursor.take();
  throw new RegexError(cursor.isAtEnd() ? "trailing backslash at end of expression" : "invalid escape sequence");
}

function checkedCodePoint(codePoint: number): number {
  if (codePoint > 0x10ffff) throw new RegexError("invalid escape sequence");
  return codePoint;
}

/** `\d`, `\pL`, `[:alpha:]` and their like, as a class; null: none comes next. Not asked where a "[" begins a class. */
export function readNamed(cursor: Cursor): string | null {
  const letter = cursor.read(/\\([dsw])/iy)?.[1];
  if (letter !== undefined) return classOf(perl[letter.toLowerCase()]!, letter < "a");
  const unicode = cursor.read(/\\([pP])(?:\{(\^?)([^}]*)\}|([^{]))/uy);
  if (unicode) {
    const [, sign, not, name, short] = unicode;
    return classOf(propertyOf(name ?? short!), (sign === "P") !== (not === "^"));
  }
  const named = cursor.read(/\[:(\^?)((?:(?!:\]).)*):\]/suy);
  if (!named) return null;
  const content = Object.hasOwn(posix, named[2]!) ? posix[named[2]!] : undefined;
  if (content === undefined) throw new RegexError("invalid character class range");
  return classOf(content, named[1] === "^");
}

/** A category (`Lu`), script (`Greek`) or binary property of Unicode, by the names that the platform knows. */
function propertyOf(name: string): string {
  if (/^\w+$/.test(name)) {
    for (const property of [`\\p{${name}}`, `\\p{Script=${name}}`]) {
      try {
        new RegExp(property, "u");
        return property;
      } catch {
        // Not a name of this kind.
      }
    }
  }
  throw new RegexError("invalid character class range");
}

/** A class in brackets, whose "[" has been passed. */
export function readClass(cursor: Cursor): string {
  const isNegated = cursor.pass("^");
  let content = "";
  // A "]" that comes first is a member.
  for (let isFirst = true; isFirst || !cursor.pass("]"); isFirst = false) {
    content += readNamed(cursor) ?? readRange(cursor);
  }
  return classOf(content, isNegated);
}

function readRange(cursor: Cursor): string {
  const first = readMember(cursor);
  if (!cursor.isBefore("-") || cursor.isBefore("-]")) return escaped(first);
  cursor.pass("-");
  const last = readMember(cursor);
  if (last < first) throw new RegexError("invalid character class range");
  return `${escaped(first)}-${escaped(last)}`;
}

function readMember(cursor: Cursor): number {
  if (cursor.isAtEnd()) throw new RegexError("missing closing ]");
  return readCharacter(cursor);
}

const classOf = (content: string, isNegated: boolean): string => `[${isNegated ? "^" : ""}${content}]`;
const escaped = (codePoint: number): string => `\\u{${codePoint.toString(16)}}`;

/** The set of a class. */
export function setOf(source: string, ignoresCase: boolean): CharacterSet {
  const pattern = new RegExp(`^${source}$`, ignoresCase ? "iv" : "v");
  return (codePoint) => pattern.test(String.fromCodePoint(codePoint));
}

/** The set of one character, and of its other cases if they count. */
export function literalSet(codePoint: number, ignoresCase: boolean): CharacterSet {
  return ignoresCase ? setOf(escaped(codePoint), true) : (other) => other === codePoint;
}

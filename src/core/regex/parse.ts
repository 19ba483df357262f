/** Reads an expression in the syntax of RE2. */
import { Cursor } from "./cursor.ts";
import { literalSet, readCharacter, readClass, readNamed, setOf } from "./sets.ts";
import { type Assertion, type Expression, RegexError } from "./types.ts";

/** Most repetitions, nested ones multiplied: those of RE2. */
const repetitionsMax = 1_000;

interface Flags {
  readonly ignoresCase: boolean;
  readonly isMultiline: boolean;
  readonly dotIsAll: boolean;
}

const textStart: Assertion = (before) => before === "edge";
const textEnd: Assertion = (_, after) => after === "edge";
const lineStart: Assertion = (before) => before === "edge" || before === "newline";
const lineEnd: Assertion = (_, after) => after === "edge" || after === "newline";
const boundary: Assertion = (before, after) => (before === "word") !== (after === "word");

const quantifier = /(?:[*+?]|\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\})\??/y;
const namedGroup = /\(\?P?<(\w+)>/y;
const flagGroup = /\(\?([imsU]*)(?:-([imsU]+))?([:)])/y;

/** Parses the text, which has at most `patternLengthMax` characters. Throws RegexError. */
export function parseRegex(source: string): Expression {
  const parser = new Parser(source);
  const expression = parser.choice();
  // Nothing but a ")" without its "(" ends a choice early.
  if (!parser.cursor.isAtEnd()) throw new RegexError("unexpected )");
  return expression;
}

class Parser {
  readonly cursor: Cursor;
  readonly #names = new Set<string>();
  #flags: Flags = { ignoresCase: false, isMultiline: false, dotIsAll: false };

  constructor(source: string) {
    this.cursor = new Cursor(source);
  }

  choice(): Expression {
    const parts = [this.#sequence()];
    while (this.cursor.pass("|")) parts.push(this.#sequence());
    return parts.length === 1 ? parts[0]! : { kind: "choice", parts };
  }

  #sequence(): Expression {
    const parts: Expression[] = [];
    let wasRepeated = false;
    while (!this.cursor.isAtEnd() && !this.cursor.isBefore("|") && !this.cursor.isBefore(")")) {
      const found = this.cursor.read(quantifier);
      if (!found) parts.push(...this.#items());
      else if (wasRepeated) throw new RegexError("invalid nested repetition operator");
      else parts.push(repeated(parts.pop(), found));
      wasRepeated = found !== null;
    }
    return { kind: "sequence", parts };
  }

  /** What a quantifier may follow; none for flags, several for quoted text, of which it takes the last. */
  #items(): Expression[] {
    const { cursor } = this;
    if (cursor.isBefore("(")) return this.#group();
    const quoted = cursor.read(/\\Q((?:(?!\\E).)*)(?:\\E)?/sy)?.[1];
    if (quoted !== undefined) return [...quoted].map((character) => this.#literal(character.codePointAt(0)!));
    const holds = this.#assertion();
    if (holds) return [{ kind: "assertion", holds }];
    const set = this.#class();
    if (set !== null) return [{ kind: "set", set: setOf(set, this.#flags.ignoresCase) }];
    return [this.#literal(readCharacter(cursor))];
  }

  #literal(codePoint: number): Expression {
    return { kind: "set", set: literalSet(codePoint, this.#flags.ignoresCase) };
  }

  #assertion(): Assertion | null {
    const { isMultiline } = this.#flags;
    if (this.cursor.pass("^")) return isMultiline ? lineStart : textStart;
    if (this.cursor.pass("$")) return isMultiline ? lineEnd : textEnd;
    if (this.cursor.pass("\\A")) return textStart;
    if (this.cursor.pass("\\z")) return textEnd;
    if (this.cursor.pass("\\b")) return boundary;
    return this.cursor.pass("\\B") ? (before, after) => !boundary(before, after) : null;
  }

  #class(): string | null {
    if (this.cursor.pass(".")) return this.#flags.dotIsAll ? "[^]" : "[^\\n]";
    return this.cursor.pass("[") ? readClass(this.cursor) : readNamed(this.cursor);
  }

  #group(): Expression[] {
    const outer = this.#flags;
    const name = this.cursor.read(namedGroup)?.[1];
    if (name !== undefined) this.#name(name);
    else {
      const flags = this.cursor.read(flagGroup);
      if (flags) this.#flags = changed(outer, flags);
      if (flags?.[3] === ")") return [];
      if (!flags) this.#open();
    }
    const content = this.choice();
    if (!this.cursor.pass(")")) throw new RegexError("missing closing )");
    this.#flags = outer;
    return [content];
  }

  #open(): void {
    if (this.cursor.isBefore("(?P<") || this.cursor.isBefore("(?<")) throw new RegexError("invalid named capture");
    if (this.cursor.isBefore("(?")) throw new RegexError("invalid or unsupported Perl syntax");
    this.cursor.pass("(");
  }

  #name(name: string): void {
    if (this.#names.has(name)) throw new RegexError("duplicate capture group name");
    this.#names.add(name);
  }
}

/** `U` changes which of several matches is found, and here only counts that there is one. */
function changed(flags: Flags, [, on, off = ""]: RegExpExecArray): Flags {
  const value = (letter: string, now: boolean) => (now || on!.includes(letter)) && !off.includes(letter);
  return {
    ignoresCase: value("i", flags.ignoresCase),
    isMultiline: value("m", flags.isMultiline),
    dotIsAll: value("s", flags.dotIsAll),
  };
}

function repeated(part: Expression | undefined, [text, least, comma, most]: RegExpExecArray): Expression {
  const [min, max] =
    least === undefined ? rangeOf(text[0]!) : [Number(least), Number(most ?? (comma ? Infinity : least))];
  const isTooMany = min > repetitionsMax || (max > repetitionsMax && max !== Infinity) || min > max;
  if (isTooMany) throw new RegexError("invalid repeat count");
  if (part === undefined) throw new RegexError("missing argument to repetition operator");
  const expression: Expression = { kind: "repeat", part, min, max };
  if (repetitions(expression) > repetitionsMax) throw new RegexError("invalid repeat count");
  return expression;
}

function rangeOf(operator: string): [min: number, max: number] {
  return [operator === "+" ? 1 : 0, operator === "?" ? 1 : Infinity];
}

/** The largest product of nested repetitions; what repeats without end counts by its least. */
function repetitions(expression: Expression): number {
  if (expression.kind === "set" || expression.kind === "assertion") return 1;
  if (expression.kind !== "repeat") return Math.max(1, ...expression.parts.map(repetitions));
  const { part, min, max } = expression;
  if (max === 0) return 1;
  return Math.max(1, max === Infinity ? min : max) * repetitions(part);
}

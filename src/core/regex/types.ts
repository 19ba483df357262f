/** An expression, parsed. */

/** Is the code point one of the set? */
export type CharacterSet = (codePoint: number) => boolean;

/** What is on one side of a place in a text, as far as an assertion asks. */
export type Side = "edge" | "newline" | "word" | "other";

/** Holds between two characters, or at an edge of the text; takes none. */
export type Assertion = (before: Side, after: Side) => boolean;

export type Expression =
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "assertion"; readonly holds: Assertion }
  /** One after another; of none: the empty text. */
  | { readonly kind: "sequence"; readonly parts: readonly Expression[] }
  | { readonly kind: "choice"; readonly parts: readonly Expression[] }
  | { readonly kind: "repeat"; readonly part: Expression; readonly min: number; readonly max: number };

/** The text is no expression. Its message says why, in the words of RE2. */
export class RegexError extends Error {}

/** A place in the text of an expression that is being read. */
export class Cursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  isBefore(token: string): boolean {
    return this.#text.startsWith(token, this.#at);
  }

  /** Passes the token if it comes next. */
  pass(token: string): boolean {
    const isNext = this.isBefore(token);
    if (isNext) this.#at += token.length;
    return isNext;
  }

  /** Passes what a sticky expression matches here, and gives its groups; null: it does not match. */
  read(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#text);
    if (found) this.#at = sticky.lastIndex;
    return found;
  }

  /** Passes one code point. Not at the end. */
  take(): number {
    const codePoint = this.#text.codePointAt(this.#at)!;
    this.#at += codePoint > 0xffff ? 2 : 1;
    return codePoint;
  }
}

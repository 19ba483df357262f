/** Answers as they come over the wire, read strictly: whatever is not HTTP/1.1 to the letter is a problem. */

export interface Answer {
  readonly status: number;
  /** The whole head, in Latin-1, without the empty line. */
  readonly head: string;
  /** In Latin-1. */
  readonly body: string;
}

/** Value of a header of an answer; null when absent. `name` in lower case. */
export function headerOf({ head }: Answer, name: string): string | null {
  for (const line of head.split("\r\n")) {
    if (line.length > name.length && line[name.length] === ":" && line.slice(0, name.length).toLowerCase() === name) {
      return line.slice(name.length + 1).trim();
    }
  }
  return null;
}

const statusLine = /^HTTP\/1\.[01] ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const headerLine = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;

/** Reads answers out of a stream; an interim one (1xx but 101) is read over. */
export class AnswerReader {
  readonly answers: Answer[] = [];
  /** What is not well formed; nothing is read after it. */
  problem: string | null = null;
  readonly #mayBeHead: boolean;
  #text = "";

  /** `mayBeHead`: some of what was asked may have been asked with HEAD, so that an answer may end with its head. */
  constructor(mayBeHead: boolean) {
    this.#mayBeHead = mayBeHead;
  }

  push(data: Buffer): void {
    this.#text += data.toString("latin1");
    while (this.problem === null && this.#take(false));
  }

  /** The connection has ended; `isWhole`: by a proper end, not by a reset. */
  end(isWhole: boolean): void {
    while (this.problem === null && this.#text !== "" && this.#take(true));
    if (isWhole && this.problem === null && this.#text !== "") this.problem = "malformed: the last answer is cut off";
  }

  #take(isEnd: boolean): boolean {
    const text = this.#text;
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return false;
    const head = text.slice(0, end);
    const [first = "", ...lines] = head.split("\r\n");
    const status = Number(statusLine.exec(first)?.[1] ?? 0);
    const bad = status === 0 ? first : lines.find((line) => !headerLine.test(line));
    if (bad !== undefined) {
      this.problem = `malformed: ${JSON.stringify(bad.slice(0, 200))}`;
      return false;
    }
    const rest = end + 4;
    const length = this.#lengthOf(status, head, rest, isEnd);
    if (length === null) return false;
    if (status >= 200 || status === 101) this.answers.push({ status, head, body: text.slice(rest, rest + length) });
    this.#text = text.slice(rest + length);
    return this.#text !== "";
  }

  /** Length of the body with its framing; null: more has to come, or there is a problem. */
  #lengthOf(status: number, head: string, from: number, isEnd: boolean): number | null {
    if (status < 200 || status === 204 || status === 304) return 0;
    const left = this.#text.length - from;
    if (this.#mayBeHead && (this.#text.startsWith("HTTP/1.", from) || (isEnd && left === 0))) return 0;
    const declared = [...head.matchAll(/\r\ncontent-length:[ \t]*([^\r]*)/gi)].map(([, value]) => value!.trim());
    const isChunked = /\r\ntransfer-encoding:[ \t]*chunked[ \t]*(\r|$)/i.test(head);
    if (declared.length > 1 || (declared.length === 1 && (isChunked || !/^\d+$/.test(declared[0]!)))) {
      this.problem = "malformed: an ambiguous length";
      return null;
    }
    if (isChunked) {
      const last = this.#text.startsWith("0\r\n\r\n", from) ? from - 2 : this.#text.indexOf("\r\n0\r\n\r\n", from);
      return last === -1 ? null : last + 7 - from;
    }
    if (declared.length === 0) return isEnd ? left : null;
    const length = Number(declared[0]);
    return left >= length ? length : null;
  }
}

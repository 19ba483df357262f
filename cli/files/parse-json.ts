/** JSON (RFC 8259), strictly, with the place of every part. JSON.parse tells no places and lets double names pass. */
import { bounds } from "../../src/bounds.ts";
import { lossOfNumber } from "../../src/core/json/number.ts";
import { addMember, checkString } from "./check.ts";
import type { Parsed } from "./parse.ts";
import type { Member, Part } from "./part.ts";
import { placeIn, type Source } from "./place.ts";
import type { Problem } from "./problems.ts";

interface Reader {
  readonly source: Source;
  readonly problems: Problem[];
  at: number;
}

/** What is no JSON; there is no reading on behind it. */
class NotJson extends Error {
  readonly start: number;

  constructor(detail: string, start: number) {
    super(detail);
    this.start = start;
  }
}

const space = /[ \t\n\r]*/y;
const literal = /true|false|null/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const characters = /[^"\\\p{Cc}]+|[\u007f-\u009f]+|\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/uy;

/** The one document of a JSON text, or what is wrong with the text: all oddities up to the first error of syntax. */
export function parseJson(source: Source): Parsed {
  const reader: Reader = { source, problems: [], at: 0 };
  try {
    const document = readValue(reader, 1);
    skipSpace(reader);
    if (reader.at < source.text.length) throw unexpected(reader, "the end of the document");
    return { documents: [document], problems: reader.problems };
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    reader.problems.push({ detail: `not JSON: ${error.message}`, at: placeIn(source, error.start, error.start + 1) });
    return { documents: [], problems: reader.problems };
  }
}

/** `depth` counts containers, this one included if it is one. */
function readValue(reader: Reader, depth: number): Part {
  skipSpace(reader);
  const start = reader.at;
  const character = reader.source.text[start];
  if ((character === "{" || character === "[") && depth > bounds.jsonDepthMax) {
    throw new NotJson(`nested more than ${bounds.jsonDepthMax} deep`, start);
  }
  if (character === "{") return readObject(reader, depth);
  if (character === "[") return readList(reader, depth);
  const value = character === '"' ? readString(reader) : readOther(reader);
  return { kind: "scalar", value, at: placeIn(reader.source, start, reader.at) };
}

function readObject(reader: Reader, depth: number): Part {
  const start = reader.at;
  const members = new Map<string, Member>();
  readItems(reader, "}", () => {
    const keyStart = reader.at;
    if (reader.source.text[keyStart] !== '"') throw unexpected(reader, "a name in double quotes");
    const name = readString(reader);
    const key = placeIn(reader.source, keyStart, reader.at);
    expect(reader, ":");
    addMember(members, name, { key, value: readValue(reader, depth + 1) }, reader.problems);
  });
  return { kind: "object", members, at: placeIn(reader.source, start, reader.at) };
}

function readList(reader: Reader, depth: number): Part {
  const start = reader.at;
  const items: Part[] = [];
  readItems(reader, "]", () => items.push(readValue(reader, depth + 1)));
  return { kind: "list", items, at: placeIn(reader.source, start, reader.at) };
}

/** Reads from an opening bracket through the closing one, with `readItem` for what stands between commas. */
function readItems(reader: Reader, closing: string, readItem: () => void): void {
  const { text } = reader.source;
  reader.at++;
  skipSpace(reader);
  if (text[reader.at] === closing) {
    reader.at++;
    return;
  }
  while (true) {
    readItem();
    skipSpace(reader);
    const comma = reader.at;
    if (text[comma] !== "," && text[comma] !== closing) throw unexpected(reader, `, or ${closing}`);
    reader.at++;
    if (text[comma] === closing) return;
    skipSpace(reader);
    if (text[reader.at] === closing) throw new NotJson(`a comma before the closing ${closing}`, comma);
  }
}

function readString(reader: Reader): string {
  const { text } = reader.source;
  const start = reader.at;
  reader.at++;
  while (skip(reader, characters)) {}
  const end = text[reader.at];
  if (end === undefined) throw new NotJson("a string that does not end", start);
  if (end === "\\") throw new NotJson("no escape of a string", reader.at);
  if (end !== '"') throw new NotJson("a control character or line break in a string; it must be escaped", reader.at);
  reader.at++;
  const value = String(JSON.parse(text.slice(start, reader.at)));
  checkString(value, placeIn(reader.source, start, reader.at), reader.problems);
  return value;
}

function readOther(reader: Reader): number | boolean | null {
  const start = reader.at;
  const isNumber = skip(reader, number);
  if (!isNumber && !skip(reader, literal)) throw unexpected(reader, "a value");
  const token = reader.source.text.slice(start, reader.at);
  const loss = isNumber ? lossOfNumber(token) : null;
  if (loss !== null) reader.problems.push({ detail: loss, at: placeIn(reader.source, start, reader.at) });
  return JSON.parse(token) as number | boolean | null;
}

function expect(reader: Reader, character: string): void {
  skipSpace(reader);
  if (reader.source.text[reader.at] !== character) throw unexpected(reader, character);
  reader.at++;
}

function skipSpace(reader: Reader): void {
  skip(reader, space);
}

/** Moves behind what the sticky expression finds here; false if that is nothing. */
function skip(reader: Reader, expression: RegExp): boolean {
  expression.lastIndex = reader.at;
  const start = reader.at;
  if (expression.test(reader.source.text)) reader.at = expression.lastIndex;
  return reader.at > start;
}

function unexpected({ source: { text }, at }: Reader, wanted: string): NotJson {
  const character = text.codePointAt(at);
  const found = character === undefined ? "the end" : String.fromCodePoint(character);
  return new NotJson(`expected ${wanted}, found ${found}`, at);
}

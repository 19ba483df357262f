/** Texts, and where something stands in them. */

/** A text with the name by which people know it. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

/** A piece of a text, in UTF-16 units from its start; `end` is not part of it. */
export interface Place {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
  /** Of what came by a YAML alias, which is then the place: where it is written. null: right here. */
  readonly written: Place | null;
}

/** A place for people and editors. Lines and columns count from 1, columns in UTF-16 units as editors do. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A piece of a source that is written right there. */
export function placeIn(source: Source, start: number, end: number): Place {
  return { source, start, end, written: null };
}

/** Where the lines of a source begin, found once: a file with many problems is asked for many places. */
const lineStarts = new WeakMap<Source, readonly number[]>();

function lineStartsOf(source: Source): readonly number[] {
  const starts = lineStarts.get(source) ?? [0, ...Array.from(source.text.matchAll(/\n/g), ({ index }) => index + 1)];
  lineStarts.set(source, starts);
  return starts;
}

/** Where a place begins. */
export function locationOf({ source, start }: Place): Location {
  const starts = lineStartsOf(source);
  let line = 0;
  let after = starts.length;
  while (after - line > 1) {
    const middle = (line + after) >> 1;
    if (starts[middle]! <= start) line = middle;
    else after = middle;
  }
  return { file: source.name, line: line + 1, column: start - starts[line]! + 1 };
}

/** `file:line:column` of where a place begins. */
export function locationText(place: Place): string {
  const { file, line, column } = locationOf(place);
  return `${file}:${line}:${column}`;
}

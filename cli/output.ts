/** What is printed: data on standard output, everything else on standard error. */
import type { Io, Writer } from "./io.ts";

const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

export type Colour = keyof typeof codes;
/** Text in a colour, or as it is where there are none. */
export type Paint = (colour: Colour, text: string) => string;

export interface Output {
  /** `--json`: standard output has nothing but JSON. */
  readonly isJson: boolean;
  readonly paint: Paint;
  /** One JSON value for programs. Over several lines, unless it is one of many. */
  json(value: unknown, isOneOfMany?: boolean): void;
  /** Text for people on standard output; with `--json` nothing. */
  text(text: string): void;
  /** Text for people on standard error. */
  note(text: string): void;
}

/** Whether a stream shows colours: on a terminal, unless NO_COLOR is set to something. */
export function hasColours({ isTTY }: Writer, env: Io["env"]): boolean {
  return isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
}

export function paintFor(writer: Writer, env: Io["env"]): Paint {
  if (!hasColours(writer, env)) return (_, text) => text;
  return (colour, text) => {
    const [on, off] = codes[colour];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  };
}

export function newOutput({ stdout, stderr, env }: Io, isJson: boolean): Output {
  return {
    isJson,
    paint: paintFor(stdout, env),
    json: (value, isOneOfMany = false) => stdout.write(`${JSON.stringify(value, null, isOneOfMany ? 0 : 2)}\n`),
    text: (text) => {
      if (!isJson) stdout.write(`${text}\n`);
    },
    note: (text) => stderr.write(`${text}\n`),
  };
}

/** Text of others that does to a terminal what it seems to: no control and no invisible characters. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");
}

/** A cell of a table: text, perhaps in a colour. */
export type Cell = string | readonly [text: string, colour: Colour];

/** Rows under their headings, in columns as wide as they must be; the last is not padded. */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[], paint: Paint): string {
  const all = [headings.map((heading): Cell => [heading, "bold"]), ...rows];
  const texts = all.map((row) => row.map((cell) => plain(typeof cell === "string" ? cell : cell[0])));
  const widths = headings.map((_, column) => Math.max(...texts.map((row) => row[column]!.length)));
  const lines = all.map((row, index) =>
    row.map((cell, column) => {
      const text = texts[index]![column]!;
      const padding = column === headings.length - 1 ? "" : " ".repeat(widths[column]! - text.length);
      return (typeof cell === "string" ? text : paint(cell[1], text)) + padding;
    }),
  );
  return lines.map((cells) => cells.join("  ").trimEnd()).join("\n");
}

/** A time span in its largest unit: `0s`, `59s`, `5m`, `2h`, `3d`; one that is over is `0s`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const units = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "m"],
  ] as const;
  const [size, unit] = units.find(([least]) => seconds >= least) ?? [1, "s"];
  return `${Math.floor(seconds / size)}${unit}`;
}

/** The command line of `npm run bench`. */
import { parseArgs } from "node:util";
import { type Case, casesNamed } from "./cases.ts";

/** Groups of figures beside the cases. */
export const figureGroups = ["objects", "counted", "cold", "compile", "bundle", "startup", "latency"] as const;
export type FigureGroup = (typeof figureGroups)[number];

export interface Options {
  readonly cases: readonly Case[];
  readonly figures: readonly FigureGroup[];
  readonly rounds: number;
  readonly seconds: number;
  /** Only writes the newest results into the README. */
  readonly isWrite: boolean;
}

/** Without `--only` and `--figures` everything; with one of them nothing else. Throws with a sentence for the user. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      figures: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      write: { type: "boolean", default: false },
    },
  });
  const isAll = values.only === undefined && values.figures === undefined;
  const only = values.only?.split(",") ?? (isAll ? null : []);
  const figures = values.figures?.split(",") ?? (isAll ? figureGroups : []);
  return {
    cases: casesNamed(only),
    figures: figures.map(figureGroup),
    rounds: positive("rounds", values.rounds, values.quick ? 3 : 7),
    seconds: positive("seconds", values.seconds, values.quick ? 2 : 5),
    isWrite: values.write,
  };
}

function figureGroup(name: string): FigureGroup {
  const group = figureGroups.find((each) => each === name);
  if (group === undefined) throw new Error(`no figures ${name}; there are ${figureGroups.join(", ")}`);
  return group;
}

/** A whole number above 0. */
export function positive(name: string, text: string | undefined, byDefault: number): number {
  const value = Number(text ?? byDefault);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} ${text} is not a whole number above 0`);
  return value;
}

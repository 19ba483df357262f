/** The command line of `npm run bench`. */
import { flag, number, optionsOf, someOf } from "../scripts/options.ts";
import { type Case, cases } from "./cases.ts";

/** Groups of figures beside the cases. */
export const figureGroups = ["objects", "counted", "cold", "compile", "bundle", "startup", "latency"] as const;
export type FigureGroup = (typeof figureGroups)[number];

export interface Options {
  readonly cases: readonly Case[];
  readonly figures: readonly FigureGroup[];
  readonly rounds: number;
  readonly seconds: number;
  /** Only writes the newest full run into the README. */
  readonly isWrite: boolean;
}

/** Without `--only` and `--figures` everything; with one of them nothing else. Ends the process if a sentence for the user is due. */
export function readOptions(args: readonly string[]): Options {
  const names = cases.map(({ name }) => name);
  const about = "Measures the gateway beside a bare fetch and its peers. bench/README.md says how to read the result.";
  const given = optionsOf(
    "npm run bench",
    about,
    {
      quick: flag("3 rounds of 2 s instead of 7 of 5 s"),
      only: someOf(names, "these cases and nothing else"),
      figures: someOf(figureGroups, "these figures and nothing else"),
      rounds: number("runs of each case (default: 7)", undefined),
      seconds: number("length of a run (default: 5)", undefined),
      write: flag("measures nothing: puts the newest full run into bench/README.md"),
    },
    args,
  );
  const { quick, only, figures, rounds = quick ? 3 : 7, seconds = quick ? 2 : 5, write: isWrite } = given;
  const isAll = only === undefined && figures === undefined;
  return {
    cases: cases.filter(({ name }) => isAll || only?.includes(name)),
    figures: figures ?? (isAll ? figureGroups : []),
    ...{ rounds, seconds, isWrite },
  };
}

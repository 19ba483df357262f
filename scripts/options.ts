/** Options of the developers' tools: `--help` shows them, and what is wrong with one is said in a sentence, with exit code 2. */
import { Command, InvalidArgumentError, Option } from "commander";
import { numberFrom } from "../cli/spec.ts";

/** An option, without its name. */
export interface Setting<T> {
  /** What it is, beginning in lower case. */
  readonly about: string;
  /** What its argument is; left out: it has none. */
  readonly takes?: string;
  /** Reads its argument. Throws an InvalidArgumentError. */
  readonly read?: (text: string) => T;
  /** What it is when it is not given. */
  readonly byDefault: T;
}

interface Range {
  /** 1 if left out. */
  readonly min?: number;
  /** The largest safe integer if left out. */
  readonly max?: number;
  /** True if left out. */
  readonly isWhole?: boolean;
}

export const flag = (about: string): Setting<boolean> => ({ about, byDefault: false });

export function number<D extends number | undefined>(
  about: string,
  byDefault: D,
  { min = 1, max = Number.MAX_SAFE_INTEGER, isWhole = true }: Range = {},
): Setting<number | D> {
  return { about, takes: "n", read: numberFrom(min, max, isWhole), byDefault };
}

/** One of some names. */
export function oneOf<N extends string>(names: readonly N[], about: string): Setting<N | undefined> {
  return { about: `${about}: ${names.join(", ")}`, takes: "name", read: named(names), byDefault: undefined };
}

/** Some of some names, with commas between them. */
export function someOf<N extends string>(names: readonly N[], about: string): Setting<readonly N[] | undefined> {
  return {
    ...oneOf(names, about),
    takes: "names",
    read: (text) => text.split(",").map(named(names)),
    byDefault: undefined,
  };
}

function named<N extends string>(names: readonly N[]): (text: string) => N {
  return (text) => {
    const found = names.find((name) => name === text);
    if (found === undefined) throw new InvalidArgumentError(`There is no ${text}, only ${names.join(", ")}.`);
    return found;
  };
}

/** What a command line says, by the names of `settings`: `soakMinutes` is `--soak-minutes`. Ends the process if it is wrong or asks for help. */
export function optionsOf<S extends Readonly<Record<string, Setting<unknown>>>>(
  tool: string,
  about: string,
  settings: S,
  args: readonly string[] = process.argv.slice(2),
): { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never } {
  const command = new Command(`${tool} --`)
    .description(about)
    .helpOption("-h, --help", "show this page")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  for (const [name, { about, takes, read, byDefault }] of Object.entries(settings)) {
    const long = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const option = new Option(takes === undefined ? long : `${long} <${takes}>`, about).default(byDefault);
    command.addOption(read === undefined ? option : option.argParser(read));
  }
  return command.parse(args, { from: "user" }).opts();
}

/** What a command is: said once, for commander, the manual page and the completion. */
import { InvalidArgumentError, Option } from "commander";
import { bounds } from "../src/bounds.ts";
import { type Api, newApi } from "./api.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { limits } from "./limits.ts";
import type { Output } from "./output.ts";

export interface Context {
  readonly io: Io;
  readonly out: Output;
  /** The gateway of --url or SLUICE_URL. Throws `Failure` when that, or SLUICE_TOKEN, is missing. */
  readonly api: () => Api;
}

/** Options that every command that calls a gateway has. */
export interface ServerOptions {
  readonly url?: string;
}

export interface Spec<O extends object = object> {
  /** The name, and the arguments as commander takes them: `rollback <revision>`. */
  readonly usage: string;
  /** One line that begins in lower case, for NAME. */
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  /** What each argument is. */
  readonly arguments?: Readonly<Record<string, string>>;
  readonly options: readonly Option[];
  /** Exit codes beside 0 and 1. */
  readonly exits?: readonly (readonly [code: number, meaning: string])[];
  /** A command line, and what it does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** Resolves to the exit code. `args`: the arguments, undefined for one that may be left out and is. */
  run(context: Context, options: O, ...args: (string | undefined)[]): Promise<number>;
}

/** Takes an option that may be given several times. */
function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Reads a number within bounds. */
export function numberFrom(min: number, max: number, isWhole = true): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const isNumber = /^\d+(?:\.\d+)?$/.test(text) && value >= min && value <= max;
    if (isNumber && (!isWhole || Number.isInteger(value))) return value;
    throw new InvalidArgumentError(`It must be a ${isWhole ? "whole " : ""}number from ${min} to ${max}.`);
  };
}

export const options = {
  /** `shape`: what is printed. */
  json: (shape: string) => new Option("--json", `print JSON, and nothing else, on standard output: ${shape}`),
  url: () => new Option("--url <url>", "base URL of the gateway; SLUICE_URL when left out"),
  file: () =>
    new Option(
      "-f, --file <path>",
      "file of the configuration, JSON or YAML; - is standard input; may be given several times",
    ).argParser(collected),
  overlay: () =>
    new Option(
      "--overlay <path>",
      "file that changes the configuration for an environment; may be given several times",
    ).argParser(collected),
  note: () => new Option("--note <text>", `why, for the history; at most ${bounds.noteLengthMax} characters`),
  show: () => new Option("--show", "print the document that is sent, with every overlay merged"),
  canary: () =>
    new Option("--canary <percent>", "try it on so many percent of the clients, and leave what is in force").argParser(
      numberFrom(limits.canaryPercentMin, limits.canaryPercentMax),
    ),
  dryRun: () => new Option("--dry-run", "let the gateway check everything and change nothing"),
};

/** The gateway that the options and the environment name. */
export function apiOf({ env }: Io, url: string | undefined): Api {
  const base = url ?? env.SLUICE_URL;
  if (!base) throw new Failure("no gateway is named: give --url, or set SLUICE_URL");
  const token = env.SLUICE_TOKEN;
  if (!token) throw new Failure("SLUICE_TOKEN is not set; a token is never taken from the command line");
  // Here, as whoever else refuses it would show it.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new Failure("SLUICE_TOKEN is no token: it has white space or other characters");
  return newApi(base, token);
}

/** The CLI as a person runs it: a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { projectDir } from "./bundle.ts";

/** How a run ended. `code` is null when a signal ended it. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** Variables beside PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Standard input; empty when left out. */
  readonly input?: string;
}

/** A run that has begun. */
export interface RunningCli {
  readonly process: ChildProcess;
  /** Standard output so far. */
  readonly stdout: () => string;
  readonly ended: Promise<Run>;
}

/** Starts `sluice <args>`. */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  return startNode([join(projectDir, "cli/bin.js"), ...args], options);
}

/** Runs `node <args>` to its end. */
export function runNode(args: readonly string[], options: CliOptions = {}): Promise<Run> {
  return startNode(args, options).ended;
}

function startNode(args: readonly string[], { env = {}, cwd, input = "" }: CliOptions): RunningCli {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, args, {
    env: { PATH, HOME, ...env },
    ...(cwd !== undefined && { cwd }),
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  // A run that does not read its input has closed it.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { process: child, stdout: () => stdout, ended };
}

/** Runs `sluice <args>` to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<Run> {
  return startCli(args, options).ended;
}

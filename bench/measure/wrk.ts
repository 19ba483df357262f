/** Load by wrk, from the core that the gateway does not use. */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cores, tempDir } from "../servers/process.ts";

const script = join(import.meta.dirname, "../load/load.lua");

export interface LoadRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** 0: no body. */
  readonly bodyBytes: number;
}

/** Requests that are made in turn, over all connections. */
export interface Load {
  readonly requests: readonly LoadRequest[];
}

export interface Pace {
  readonly seconds: number;
  /** Default 48. */
  readonly connections?: number;
  /** Mean pause of a connection before each request, in whole ms. Default 0: as fast as answers come. */
  readonly delayMs?: number;
}

/** What wrk has seen. Latencies do not contain pauses. */
export interface Outcome {
  readonly requests: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Connections that failed, and requests without an answer within 10 s. */
  readonly socketErrors: number;
  /** Answers with a status of 400 or more. */
  readonly refused: number;
}

/** Puts load on `url`. Throws when wrk fails. */
export async function runWrk(url: string, load: Load, pace: Pace): Promise<Outcome> {
  const { seconds, connections = 48, delayMs = 0 } = pace;
  const options = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "-s", script];
  const args = ["-c", `${cores.load}`, "wrk", ...options, url, "--", fileOf(load), `${delayMs}`];
  const { stdout } = await promisify(execFile)("taskset", args, { timeout: (seconds + 60) * 1_000 });
  return parseOutcome(stdout);
}

/** Pause with which so many connections make `perSecond` requests if answers take `latencyMs`; whole ms, at least 1. */
export function delayFor(perSecond: number, connections: number, latencyMs = 1): number {
  return Math.max(1, Math.round((connections * 1_000) / perSecond - latencyMs));
}

/** Reads the line that load.lua writes at the end. Throws when it is not there. */
export function parseOutcome(stdout: string): Outcome {
  const line = stdout
    .trimEnd()
    .split("\n")
    .findLast((text) => text.startsWith('{"requests"'));
  if (line === undefined) throw new Error(`wrk has no result:\n${stdout}`);
  return JSON.parse(line) as Outcome;
}

/** A request as a line of the file that load.lua reads. */
export function lineOf({ method, path, headers, bodyBytes }: LoadRequest): string {
  return [method, path, bodyBytes, ...Object.entries(headers).flat()].join("\t");
}

const files = new WeakMap<Load, string>();

function fileOf(load: Load): string {
  const known = files.get(load);
  if (known !== undefined) return known;
  const file = join(tempDir(), "requests.tsv");
  writeFileSync(file, `${load.requests.map(lineOf).join("\n")}\n`);
  files.set(load, file);
  return file;
}

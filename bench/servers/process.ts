/** Processes, each held to one core: the gateway's alone on its own, everything else on the other. */
import { type ChildProcess, execFileSync, type StdioOptions, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const cores = { gateway: 0, load: 1 } as const;

/** Time that a process is given to end after SIGTERM. */
const stopMsMax = 5_000;

export interface Pinned {
  readonly pid: number;
  readonly child: ChildProcess;
  /** What it has written so far. */
  log(): string;
  /** Ends it, by force after 5 s. */
  stop(): Promise<void>;
}

const running = new Set<Pinned>();

/** Holds this process, and what it will start, to the core that is not the gateway's. */
export function leaveGatewayAlone(): void {
  execFileSync("taskset", ["-apc", `${cores.load}`, `${process.pid}`], { stdio: "ignore" });
}

/** Starts a program on a core; with `controlFd` it may write to descriptor 3, read here as `child.stdio[3]`. */
export function startPinned(core: number, program: string, args: readonly string[], controlFd = false): Pinned {
  const logFile = join(tempDir(), "log");
  const log = openSync(logFile, "w");
  const stdio: StdioOptions = ["ignore", log, log, ...(controlFd ? ["pipe" as const] : [])];
  // taskset replaces itself by the program, so the process id is the program's.
  const child = spawn("taskset", ["-c", `${core}`, program, ...args], { stdio });
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const stop = async () => {
    running.delete(pinned);
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), stopMsMax);
    await ended;
    clearTimeout(timer);
  };
  const pinned: Pinned = { pid: child.pid ?? 0, child, log: () => readFileSync(logFile, "utf8"), stop };
  running.add(pinned);
  return pinned;
}

/** Ends whatever still runs, the newest first. */
export async function stopAll(): Promise<void> {
  for (const pinned of [...running].reverse()) await pinned.stop();
}

// For an end that nobody foresaw.
process.once("exit", () => {
  for (const { child } of running) child.kill("SIGKILL");
});

const base = mkdtempSync(join(tmpdir(), "sluice-bench-"));
process.once("exit", () => rmSync(base, { recursive: true, force: true }));

/** A new directory, which is gone when this process ends. */
export function tempDir(): string {
  return mkdtempSync(join(base, "part-"));
}

/**
 * Child processes. Each leads a process group of its own, so that Ctrl-C in a terminal reaches only this process, which
 * then decides in which order the others end.
 */
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** Time that a child is given to end after SIGTERM; origins finish their requests in it. */
const stopMsMax = 15_000;
/** Pause between two looks at something that is waited for. */
const pollMs = 200;

export interface Child {
  readonly name: string;
  /** Resolves when it has ended, with how it ended: `exit code 1`. Never rejects. */
  readonly ended: Promise<string>;
  /** Ends it, by force after 15 s, and whatever it has left behind in its group. Never rejects. */
  stop(): Promise<void>;
}

/** Starts `node <args>`; the child writes where this process writes and reads nothing. */
export function startNode(name: string, args: readonly string[], cwd: string, env: Record<string, string>): Child {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", "inherit"],
    detached: true,
  });
  const { pid } = child;
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const killGroup = () => {
    try {
      if (pid !== undefined) process.kill(-pid, "SIGKILL");
    } catch {
      // Nothing of the group is left.
    }
  };
  // For an end that nobody foresaw: an exception, a closed standard output.
  process.once("exit", killGroup);
  const stop = async () => {
    child.kill("SIGTERM");
    const timeout = setTimeout(killGroup, stopMsMax);
    await ended;
    clearTimeout(timeout);
    killGroup();
    process.off("exit", killGroup);
  };
  return { name, ended, stop };
}

/**
 * Waits until `check` answers true; a check that throws has not succeeded yet. Throws the signal's reason when that is
 * aborted, and after `msMax` a sentence with `what` and the last reason.
 */
export async function until(
  what: string,
  msMax: number,
  signal: AbortSignal,
  check: (signal: AbortSignal) => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + msMax;
  let last = "";
  while (performance.now() < deadline) {
    try {
      if (await check(AbortSignal.any([signal, AbortSignal.timeout(2_000)]))) return;
    } catch (error) {
      last = `: ${error instanceof Error ? error.message : error}`;
    }
    await sleep(pollMs, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
  throw new Error(`${what} within ${msMax / 1_000} s${last}`);
}

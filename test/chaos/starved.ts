/** When the machine, not the gateway, kept requests waiting: processes that could run and were not let (Linux only). */
import { readFileSync } from "node:fs";

const sampleMs = 250;
/** Waited for a processor through so much of a window, a process is starved in it. */
const starvedShare = 0.5;
/** Samples of a window: what is short is no reason for a request to fail. */
const windowSamples = 4;

/** From begin to end, in ms of `performance.now()`. */
export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Witness {
  /** When any of the processes was starved, oldest first. */
  readonly starved: readonly Interval[];
  stop(): void;
}

/** Watches the main threads of processes; those that end meanwhile, and those that `pids` no longer names, are left out. */
export function watchStarving(pids: () => readonly number[]): Witness {
  const starved: Interval[] = [];
  const samples: { readonly atMs: number; readonly waited: ReadonlyMap<number, number> }[] = [];
  const timer = setInterval(() => {
    const now = { atMs: performance.now(), waited: waitedOf(pids()) };
    samples.push(now);
    if (samples.length <= windowSamples) return;
    const before = samples.shift()!;
    if (!isStarved(now.atMs - before.atMs, before.waited, now.waited)) return;
    const last = starved.at(-1);
    const joins = last !== undefined && last.toMs >= before.atMs;
    if (joins) starved.pop();
    starved.push({ fromMs: joins ? last.fromMs : before.atMs, toMs: now.atMs });
  }, sampleMs);
  return { starved, stop: () => clearInterval(timer) };
}

/** Whether a process waited through most of a window of `ms`; times waited are by process, in ms from its start. */
export function isStarved(
  ms: number,
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
): boolean {
  return [...after].some(([pid, waitedMs]) => waitedMs - (before.get(pid) ?? waitedMs) > ms * starvedShare);
}

function waitedOf(pids: readonly number[]): Map<number, number> {
  const waited = new Map<number, number>();
  for (const pid of pids) {
    try {
      // Time on a processor, time waiting for one, both in ns, and the number of turns.
      waited.set(pid, Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ")[1]) / 1e6);
    } catch {
      // It has ended.
    }
  }
  return waited;
}

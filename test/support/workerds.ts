/** The processes of workerd, as the system sees them (Linux only). */
import { readdirSync, readFileSync } from "node:fs";

/** Process ids of the workerds that this process has started and that are still there. */
export function startedWorkerds(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isStartedWorkerd(name))
    .map(Number);
}

/** The one that `start` has started, and what else it came to. Throws when it is not one: no other may be started meanwhile. */
export async function withWorkerd<T>(start: () => Promise<T>): Promise<{ readonly pid: number; readonly started: T }> {
  const before = new Set(startedWorkerds());
  const started = await start();
  const [pid, ...others] = startedWorkerds().filter((found) => !before.has(found));
  if (pid === undefined || others.length > 0) throw new Error("it is not known which workerd was started");
  return { pid, started };
}

function isStartedWorkerd(pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const end = stat.lastIndexOf(")");
    return stat.slice(0, end).endsWith("(workerd") && Number(stat.slice(end + 2).split(" ")[1]) === process.pid;
  } catch {
    // It has ended meanwhile.
    return false;
  }
}

/** What a process has used, by /proc (Linux only). */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** CPU time of a process with all its threads, ended ones too, from its start; in µs, in steps of a tick (10 ms). */
export function cpuUsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the name in brackets and may have spaces in it; utime and stime are the 14th and the 15th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond;
}

/** The same of the threads that are alive, in µs without steps: for what takes less than some seconds. */
export function exactCpuUsOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nsOf = (thread: string) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  return threads.reduce((sum, thread) => sum + nsOf(thread), 0) / 1e3;
}

/** Resident memory of a process, in MiB. */
export function rssMibOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kib === undefined) throw new Error(`process ${pid} has ended`);
  return Number(kib) / 1024;
}

/** The runtime that runs the gateway, as the system sees it (Linux only). */
import { readdirSync, readFileSync } from "node:fs";
import { exactCpuUsOf } from "../../../bench/measure/cpu.ts";

/** CPU that a process has used so far, in seconds. */
export function cpuSecondsOf(pid: number): number {
  return exactCpuUsOf(pid) / 1e6;
}

/** The runtime that this process has started. */
export function workerdPid(): number {
  const children = readdirSync("/proc/self/task").flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number),
  );
  const found = children.filter((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "workerd");
  if (found.length !== 1) throw new Error(`${found.length} processes of workerd`);
  return found[0]!;
}

/** The runtime that runs the gateway, as the system sees it (Linux only). */
import { exactCpuUsOf } from "../../../bench/measure/cpu.ts";
import { startedWorkerds } from "../../support/workerds.ts";

/** CPU that a process has used so far, in seconds. */
export function cpuSecondsOf(pid: number): number {
  return exactCpuUsOf(pid) / 1e6;
}

/** The runtime that this process has started. Throws when there is not just one. */
export function workerdPid(): number {
  const found = startedWorkerds();
  if (found.length !== 1) throw new Error(`${found.length} processes of workerd`);
  return found[0]!;
}

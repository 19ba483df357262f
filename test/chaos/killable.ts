/** A gateway of several isolates whose workerd can be killed, and started again on the same state. */
import { readdirSync, readFileSync } from "node:fs";
import { type Gateway, type GatewayOptions, startGateway } from "../support/gateway.ts";

export interface Killable extends Gateway {
  /** workerd's process. */
  readonly pid: number;
  /** Ends workerd with SIGKILL: no chance to store anything. Requests under way get no answer. */
  kill(): Promise<void>;
}

/** Starts a gateway. No other may be started by this process meanwhile, or their processes could not be told apart. */
export async function startKillable(options: GatewayOptions): Promise<Killable> {
  const before = new Set(workerdsOf(process.pid));
  const gateway = await startGateway(options);
  const [pid, ...others] = workerdsOf(process.pid).filter((pid) => !before.has(pid));
  if (pid === undefined || others.length > 0) throw new Error("it is not known which workerd was started");
  const kill = async () => {
    process.kill(pid, "SIGKILL");
    await gateway.dispose();
  };
  return Object.assign(Object.create(gateway) as Gateway, { pid, kill });
}

/** Processes named workerd whose parent is `parent` (Linux only). */
function workerdsOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isWorkerdOf(name, parent))
    .map(Number);
}

function isWorkerdOf(pid: string, parent: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const end = stat.lastIndexOf(")");
    return stat.slice(0, end).endsWith("(workerd") && Number(stat.slice(end + 2).split(" ")[1]) === parent;
  } catch {
    // It has ended meanwhile.
    return false;
  }
}

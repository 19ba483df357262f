/** Starts what a case measures: the gateway with a setup, or a peer. */
import { type Case, setups } from "../cases.ts";
import type { Target } from "../rounds.ts";
import { startGateway } from "./gateway.ts";
import { startPeer } from "./peers.ts";
import type { Emulator } from "./workerd.ts";

export async function startTarget({ target }: Case, origin: string, under: Emulator = []): Promise<Target> {
  if ("peer" in target) return startPeer(target.peer, origin, under);
  const { url, workerd } = await startGateway(setups[target.setup](origin), { under });
  const { process, stop } = workerd;
  return { url, pid: process.pid, degraded: () => degradedIn(process.log()), stop };
}

/** Decisions on limits that were made without the limiter, as the gateway's log tells. */
function degradedIn(log: string): number {
  const told = log.matchAll(/"mark":"degraded".*"decisions":(\d+)/g);
  return [...told].reduce((sum, [, decisions]) => sum + Number(decisions), 0);
}

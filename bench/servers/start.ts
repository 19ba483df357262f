/** Starts what a case measures: the gateway with a setup, or a peer. */
import { type Case, setups } from "../cases.ts";
import type { Target } from "../rounds.ts";
import { startGateway } from "./gateway.ts";
import { startPeer } from "./peers.ts";
import type { Emulator } from "./workerd.ts";

export async function startTarget(target: Case["target"], origin: string, under: Emulator = []): Promise<Target> {
  if ("peer" in target) return startPeer(target.peer, origin, under);
  const { url, workerd } = await startGateway(setups[target.setup](origin), { under });
  return { url, pid: workerd.process.pid, stop: () => workerd.stop() };
}

/** Starts what a case measures: the gateway with a setup, or a peer. */
import { type Case, type Setup, setups } from "../cases.ts";
import { minimalConfig } from "../configs.ts";
import type { Target } from "../rounds.ts";
import { startGateway } from "./gateway.ts";
import { startPeer } from "./peers.ts";
import { cores } from "./process.ts";
import type { Emulator } from "./workerd.ts";

export async function startTarget({ target, apart }: Case, origin: string, under: Emulator = []): Promise<Target> {
  if ("peer" in target) return startPeer(target.peer, origin, under);
  if (apart !== null) return startApart(target.setup, origin);
  const { url, workerd } = await startGateway(setups[target.setup](origin), { under });
  return { url, pid: workerd.process.pid, stop: () => workerd.stop() };
}

/** The gateway with the limiters' objects in a process on the other core: on Cloudflare they are on other machines. */
async function startApart(setup: Setup, origin: string): Promise<Target> {
  const objects = await startGateway(minimalConfig(origin), { driver: true, core: cores.load });
  const { url, workerd } = await startGateway(setups[setup](origin), { limiters: objects.workerd.url("driver") });
  const stop = async () => {
    await workerd.stop();
    await objects.workerd.stop();
  };
  return { url, pid: workerd.process.pid, stop };
}

/** A gateway of several isolates whose workerd can be killed, and started again on the same state. */
import { type Gateway, type GatewayOptions, startGateway } from "../support/gateway.ts";
import { withWorkerd } from "../support/workerds.ts";

export interface Killable extends Gateway {
  /** workerd's process. */
  readonly pid: number;
  /** Ends workerd with SIGKILL: no chance to store anything. Requests under way get no answer. */
  kill(): Promise<void>;
}

/** Starts a gateway. No other may be started by this process meanwhile, or their processes could not be told apart. */
export async function startKillable(options: GatewayOptions): Promise<Killable> {
  const { pid, started: gateway } = await withWorkerd(() => startGateway(options));
  const kill = async () => {
    process.kill(pid, "SIGKILL");
    await gateway.dispose();
  };
  return Object.assign(Object.create(gateway) as Gateway, { pid, kill });
}

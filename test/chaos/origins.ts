/** Origins as processes that are killed, paused, slowed and made to cut their answers, and the record of it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Manner } from "./origin-process.ts";

export const kinds = ["kill", "pause", "slow", "cut"] as const;
export type Kind = (typeof kinds)[number];

/** What was done to some origins, or to all by a starved machine, from just before to just after, in ms of `performance.now()`. */
export interface Fault {
  readonly kind: Kind | "starved";
  readonly origins: readonly string[];
  readonly fromMs: number;
  /** Infinite while it lasts. */
  readonly toMs: number;
}

export interface Origins {
  readonly list: readonly { readonly id: string; readonly url: string }[];
  /** Everything that was done, oldest first. */
  readonly faults: readonly Fault[];
  /** Processes that run. */
  pids(): readonly number[];
  /** Does `kind` to some origins for `ms`; resolves when all of them are as before. */
  harm(kind: Kind, origins: readonly string[], ms: number): Promise<void>;
  dispose(): Promise<void>;
}

const children = new Set<ChildProcess>();
// One that is paused does not notice that its parent has ended.
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

const path = join(import.meta.dirname, "origin-process.ts");
const well: Manner = { delayMs: 0, isCut: false };
/** Longer than a try may take. */
const slowMs = 3_000;

/** Starts `count` of them: `p0`, `p1`, ... */
export async function startOrigins(count: number): Promise<Origins> {
  const ids = Array.from({ length: count }, (_, index) => `p${index}`);
  const running = new Map(await Promise.all(ids.map(async (id) => [id, await start(0)] as const)));
  const list = ids.map((id) => ({ id, url: `http://127.0.0.1:${running.get(id)!.port}` }));
  const faults: Fault[] = [];
  const begin = async (kind: Kind, id: string) => {
    const { child } = running.get(id)!;
    if (kind === "kill") await end(child);
    else if (kind === "pause") child.kill("SIGSTOP");
    else await tell(child, kind === "slow" ? { ...well, delayMs: slowMs } : { ...well, isCut: true });
  };
  const heal = async (kind: Kind, id: string) => {
    const { child, port } = running.get(id)!;
    if (kind === "kill") running.set(id, await start(port));
    else if (kind === "pause") child.kill("SIGCONT");
    else await tell(child, well);
  };
  return {
    list,
    faults,
    pids: () => [...running.values()].map(({ child }) => child.pid!),
    async harm(kind, origins, ms) {
      const at = faults.length;
      const fault = { kind, origins, fromMs: performance.now(), toMs: Number.POSITIVE_INFINITY };
      faults.push(fault);
      await Promise.all(origins.map((id) => begin(kind, id)));
      await new Promise((resolve) => setTimeout(resolve, ms));
      await Promise.all(origins.map((id) => heal(kind, id)));
      faults[at] = { ...fault, toMs: performance.now() };
    },
    async dispose() {
      await Promise.all([...running.values()].map(({ child }) => end(child)));
    },
  };
}

async function start(port: number): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = fork(path, [String(port)], { execArgv: [] });
  children.add(child);
  child.once("exit", () => children.delete(child));
  const [listening] = (await Promise.race([once(child, "message"), once(child, "exit")])) as [unknown];
  if (typeof listening !== "number" || child.exitCode !== null) throw new Error(`an origin did not start on ${port}`);
  return { child, port: listening };
}

async function tell(child: ChildProcess, manner: Manner): Promise<void> {
  const taken = once(child, "message");
  child.send(manner);
  await taken;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** BARE and what the gateway is compared with, each in a process of its own. */
import type { Peer } from "../cases.ts";
import type { Target } from "../rounds.ts";
import { buildWorker } from "./build.ts";
import { objectsOf, textValue } from "./capnp.ts";
import { startProxy } from "./nginx.ts";
import { type Emulator, prepareWorkerd, type Workerd } from "./workerd.ts";

export async function startPeer(peer: Peer, origin: string, under: Emulator = []): Promise<Target> {
  if (peer === "nginx" || peer === "nginx-limit") {
    const { process, url } = await startProxy(origin, peer === "nginx-limit");
    return { url, pid: process.pid, degraded: () => 0, stop: () => process.stop() };
  }
  return targetOf(await (await prepareWorker(peer, origin, under))(), peer);
}

export async function startBare(origin: string, under: Emulator = []): Promise<Target> {
  return targetOf(await (await prepareBare(origin, under))(), "bare");
}

export function prepareBare(origin: string, under: Emulator = []): Promise<() => Promise<Workerd>> {
  return prepareWorker("bare", origin, under);
}

async function prepareWorker(name: string, origin: string, under: Emulator): Promise<() => Promise<Workerd>> {
  const { path } = await buildWorker(name);
  const limiter = name === "naive" && { LIMITER: objectsOf("NaiveLimiter", name) };
  const bindings = { ORIGIN: textValue(origin), ...limiter };
  return prepareWorkerd([{ name, path, bindings, classes: limiter ? ["NaiveLimiter"] : [], listens: true }], under);
}

function targetOf(workerd: Workerd, part: string): Target {
  return { url: workerd.url(part), pid: workerd.process.pid, degraded: () => 0, stop: () => workerd.stop() };
}

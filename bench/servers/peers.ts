/** BARE and what the gateway is compared with, each in a process of its own. */
import type { Peer } from "../cases.ts";
import type { Target } from "../rounds.ts";
import { buildWorker } from "./build.ts";
import { objectsOf, textValue } from "./capnp.ts";
import { startProxy } from "./nginx.ts";
import { prepareWorkerd, type Workerd } from "./workerd.ts";

export async function startPeer(peer: Peer, origin: string): Promise<Target> {
  if (peer === "nginx" || peer === "nginx-limit") {
    const { process, url } = await startProxy(origin, peer === "nginx-limit");
    return { url, pid: process.pid };
  }
  return targetOf(await (await prepareWorker(peer, origin))(), peer);
}

export async function startBare(origin: string): Promise<Target> {
  return targetOf(await (await prepareBare(origin))(), "bare");
}

export function prepareBare(origin: string): Promise<() => Promise<Workerd>> {
  return prepareWorker("bare", origin);
}

async function prepareWorker(name: string, origin: string): Promise<() => Promise<Workerd>> {
  const { path } = await buildWorker(name);
  const limiter = name === "naive" && { LIMITER: objectsOf("NaiveLimiter", name) };
  const bindings = { ORIGIN: textValue(origin), ...limiter };
  return prepareWorkerd([{ name, path, bindings, classes: limiter ? ["NaiveLimiter"] : [], listens: true }]);
}

function targetOf(workerd: Workerd, part: string): Target {
  return { url: workerd.url(part), pid: workerd.process.pid };
}

/** How long a new isolate takes to its first answer; the configuration is stored, nothing is in memory. */

import { fullConfig, routesConfig } from "../configs.ts";
import { exactCpuUsOf } from "../measure/cpu.ts";
import { median } from "../measure/stats.ts";
import { apply, launch, prepareGateway } from "../servers/gateway.ts";
import { prepareBare } from "../servers/peers.ts";
import type { Workerd } from "../servers/workerd.ts";
import type { Figure } from "./figure.ts";

const runs = 5;

interface Cold {
  /** From the first request, when workerd listens, to its answer. */
  readonly firstMs: number;
  /** Of the whole process until then. */
  readonly cpuMs: number;
}

export async function coldFigures(origin: string): Promise<Figure[]> {
  const bare = await coldOf(await prepareBare(origin), "bare", "/");
  const figures: Figure[] = [];
  for (const [id, what, config, path] of [
    ["cold", "cold isolate", fullConfig(origin), "/plain"],
    ["cold-1000-routes", "cold isolate, 1,000 routes", routesConfig(1_000, origin), "/team-0/service-0/item"],
  ] as const) {
    const start = await prepareGateway();
    const gateway = await launch(start);
    await apply(gateway, config);
    await gateway.workerd.stop();
    const cold = await coldOf(start, "gateway", path);
    const note = `median of ${runs}; BARE ${bare.firstMs.toFixed(1)} ms`;
    figures.push({ id, what: `${what}: first answer`, value: cold.firstMs, unit: "ms", note });
    const cpuNote = "workerd until then, beyond that of BARE";
    figures.push({
      id: `${id}-cpu`,
      what: `${what}: CPU to first answer`,
      value: cold.cpuMs - bare.cpuMs,
      unit: "ms",
      note: cpuNote,
    });
  }
  return figures;
}

async function coldOf(start: () => Promise<Workerd>, part: string, path: string): Promise<Cold> {
  const all: Cold[] = [];
  for (let run = 0; run < runs; run++) {
    const workerd = await start();
    const startMs = performance.now();
    const response = await fetch(workerd.url(part) + path);
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`the first answer is a ${response.status}`);
    all.push({ firstMs: performance.now() - startMs, cpuMs: exactCpuUsOf(workerd.process.pid) / 1_000 });
    await workerd.stop();
  }
  return { firstMs: median(all.map(({ firstMs }) => firstMs)), cpuMs: median(all.map(({ cpuMs }) => cpuMs)) };
}

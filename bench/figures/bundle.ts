/** Size of what is uploaded, and CPU of its evaluation, both by wrangler. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { median } from "../measure/stats.ts";
import { buildGateway, root, wrangler } from "../servers/build.ts";
import { tempDir } from "../servers/process.ts";
import type { Figure } from "./figure.ts";

const profiles = 5;

export async function bundleFigures(): Promise<Figure[]> {
  const { output } = await buildGateway();
  const { raw, gzip } = sizesIn(output);
  return [
    { id: "bundle-raw", what: "bundle", value: raw, unit: "KiB", note: "wrangler deploy --dry-run" },
    { id: "bundle-gzip", what: "bundle, gzip", value: gzip, unit: "KiB", note: "wrangler deploy --dry-run" },
  ];
}

/** Sizes that `wrangler deploy` tells, in KiB. Throws when it tells none. */
export function sizesIn(output: string): { readonly raw: number; readonly gzip: number } {
  const found = /Total Upload: ([\d.]+) KiB \/ gzip: ([\d.]+) KiB/.exec(output);
  if (found === null) throw new Error(`wrangler tells no size:\n${output}`);
  return { raw: Number(found[1]), gzip: Number(found[2]) };
}

export async function startupFigures(): Promise<Figure[]> {
  const activeMs: number[] = [];
  for (let run = 0; run < profiles; run++) {
    const outfile = join(tempDir(), "startup.cpuprofile");
    await wrangler(["check", "startup", "--config", join(root, "wrangler.toml"), "--outfile", outfile]);
    activeMs.push(activeMsOf(JSON.parse(readFileSync(outfile, "utf8")) as Profile));
  }
  const note = `wrangler check startup, all that is not idle, median of ${profiles}`;
  return [{ id: "startup-cpu", what: "start-up CPU", value: median(activeMs), unit: "ms", note }];
}

/** The parts of a `.cpuprofile` that matter here; times in µs. */
interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string } }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Time in which the profiled isolate was not idle. */
export function activeMsOf({ nodes, samples, timeDeltas }: Profile): number {
  const idle = new Set(nodes.filter(({ callFrame }) => callFrame.functionName === "(idle)").map(({ id }) => id));
  const activeUs = samples.reduce((sum, id, index) => sum + (idle.has(id) ? 0 : (timeDeltas[index] ?? 0)), 0);
  return activeUs / 1_000;
}

/** Time and memory of compiling, by the size of the configuration; the real compiler, in Node. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { median } from "../measure/stats.ts";
import type { Figure } from "./figure.ts";

const child = join(import.meta.dirname, "compile-child.ts");
const processes = 5;
const sizes = [
  { id: "1000-routes", what: "1,000 routes", args: ["1000", "0"] },
  { id: "10000-routes", what: "10,000 routes", args: ["10000", "0"] },
  { id: "1000-origins", what: "1,000 origins", args: ["0", "1000"] },
  { id: "1000-routes-1000-origins", what: "1,000 routes + 1,000 origins", args: ["1000", "1000"] },
];

interface Took {
  readonly first: number;
  readonly again: number;
  readonly mib: number;
}

export async function compileFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { id, what, args } of sizes) {
    const all: Took[] = [];
    for (let run = 0; run < processes; run++) all.push(await measure(args));
    const of = (member: keyof Took) => median(all.map((took) => took[member]));
    const note = `first in a process, median of ${processes}; ${of("again").toFixed(1)} ms when warm`;
    figures.push({ id: `compile-${id}`, what: `compile ${what}`, value: of("first"), unit: "ms", note });
    figures.push({
      id: `memory-${id}`,
      what: `memory of ${what}`,
      value: of("mib"),
      unit: "MiB",
      note: "heap after gc",
    });
  }
  return figures;
}

async function measure(args: readonly string[]): Promise<Took> {
  const options = ["--no-warnings", "--expose-gc", child, ...args];
  const { stdout } = await promisify(execFile)(process.execPath, options);
  return JSON.parse(stdout) as Took;
}

/** The mutants of some files, judged by the tests that reach them. */

import type { Mutant } from "./instrument.ts";
import { type Justification, sparing } from "./justification.ts";
import { justified as listed } from "./justified/index.ts";
import { planOf } from "./plan.ts";
import { type Job, record, tryAll } from "./pool.ts";
import type { Recorded, Trial } from "./worker.ts";

export type Status = "killed" | "endless" | "survived" | "uncovered" | "justified";

export interface Result {
  readonly mutant: Mutant;
  readonly status: Status;
}

export interface Options {
  readonly root: string;
  readonly files: readonly string[];
  /** Files of tests, of which those that import none of `files` are left out. */
  readonly tests: readonly string[];
  /** Processes at a time. */
  readonly jobs: number;
  /** See `Plan`. */
  readonly slowMs: number;
  readonly justified?: readonly Justification[];
  readonly onJudged?: (done: number, all: number) => void;
}

/** @throws when a test fails although no mutant is on. */
export async function judge(options: Options): Promise<Result[]> {
  const { plan, mutants } = planOf(options.root, options.files, options.tests, options.slowMs);
  const recorded = await record({ plan, isRecording: true });
  const failed = recorded.tests.filter(({ isPassed }) => !isPassed);
  if (failed.length > 0) throw new Error(`fails without a mutant: ${failed.map(({ name }) => name).join(", ")}`);
  const { jobs, reached } = jobsOf(recorded, options.slowMs);
  const statuses = new Map<number, Status>();
  await tryAll({ plan, isRecording: false }, jobs, options.jobs, ({ id, status }) => {
    statuses.set(id, status);
    options.onJudged?.(statuses.size, jobs.length);
  });
  const { isSpared } = sparing(options.justified ?? listed);
  return mutants.map((mutant) => {
    const status = statuses.get(mutant.id) ?? (reached.has(mutant.id) ? "survived" : "uncovered");
    const isJustified = status !== "killed" && status !== "endless" && isSpared(mutant);
    return { mutant, status: isJustified ? "justified" : status };
  });
}

/** Turns that a test may take with a mutant on, of those that it takes without. */
const ticksFactor = 10;
const ticksMin = 100_000;

/** One trial for each mutant that a quick test passes. `reached`: those that any test passes. */
function jobsOf({ tests, imported }: Recorded, slowMs: number): { jobs: Job[]; reached: Set<number> } {
  const quick = tests.filter(({ cpuMs }) => cpuMs <= slowMs).sort((a, b) => a.cpuMs - b.cpuMs);
  const limited = (test: Recorded["tests"][number]) => ({ ...test, ticksMax: ticksMin + test.ticks * ticksFactor });
  const warm = new Map<number, typeof quick>();
  for (const test of quick) for (const id of test.hits) warm.set(id, [...(warm.get(id) ?? []), test]);
  const anew = new Map<number, number[]>();
  for (const [file, ids] of imported.entries()) for (const id of ids) anew.set(id, [...(anew.get(id) ?? []), file]);
  const byFile = Map.groupBy(quick, ({ file }) => file);
  const cost = (file: number) => (byFile.get(file) ?? []).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  const jobs = [...new Set([...warm.keys(), ...anew.keys()])]
    .sort((a, b) => a - b)
    .map((id): Job => {
      const files = (anew.get(id) ?? []).sort((a, b) => cost(a) - cost(b));
      const trial: Trial = {
        id,
        tests: (warm.get(id) ?? []).map(limited).map(({ file, index, ticksMax }) => ({ file, index, ticksMax })),
        files: files.map((file) => ({
          file,
          tests: (byFile.get(file) ?? []).map(limited).map(({ index, ticksMax }) => ({ index, ticksMax })),
        })),
      };
      const cpuMs =
        (warm.get(id) ?? []).reduce((sum, test) => sum + test.cpuMs, 0) +
        files.reduce((sum, file) => sum + cost(file), 0);
      return { trial, timeoutMs: 30_000 + 20 * cpuMs };
    });
  return { jobs, reached: new Set([...tests.flatMap(({ hits }) => hits), ...imported.flat()]) };
}

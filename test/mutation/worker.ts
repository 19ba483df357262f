/** One process that knows one room: records what each test passes, or tries mutants one after the other. */

import type { Plan } from "./plan.ts";
import type { Declared } from "./vitest.ts";
import { hook, load, mutation, type Outcome, runTest, takeHits } from "./world.ts";

/** What the worker is started with, as JSON: `record` gives one `Recorded` and ends; `try` waits for `Trial`s. */
export interface Start {
  readonly plan: Plan;
  readonly isRecording: boolean;
}

/** Tests by the place of their file in the plan and their own in the file. Passed: in that order, and then in the other. */
export interface Recorded {
  readonly tests: readonly (Outcome & { readonly file: number; readonly index: number; readonly name: string })[];
  /** By file of the plan: mutants passed while it was imported. */
  readonly imported: readonly (readonly number[])[];
}

/** Tests that may kill a mutant, the likeliest first, each with the turns it may take. */
export interface Trial {
  readonly id: number;
  readonly tests: readonly { readonly file: number; readonly index: number; readonly ticksMax: number }[];
  /** Files to import anew with the mutant on, for what runs while a module is imported. */
  readonly files: readonly {
    readonly file: number;
    readonly tests: readonly { readonly index: number; readonly ticksMax: number }[];
  }[];
}

export type Verdict =
  | { readonly id: number; readonly status: "killed" | "endless" | "survived" }
  /** A mutant has left something behind in this process: it must be tried again in a new one. */
  | { readonly id: number; readonly status: "spoilt" };

/** Turns a file may take while it is imported: far more than any does. */
const importTicksMax = 50_000_000;

const { plan, isRecording } = JSON.parse(process.argv[2]!) as Start;
hook(plan, isRecording);

async function record(): Promise<Recorded> {
  const tests: Recorded["tests"][number][] = [];
  const imported: number[][] = [];
  for (const [file, path] of plan.tests.entries()) {
    takeHits();
    const declared = await load(plan.root, path, 1 + file, importTicksMax);
    imported.push(takeHits());
    const first: Outcome[] = [];
    for (const test of declared) first.push(await runTest(test));
    for (const [index, test] of [...declared.entries()].reverse()) {
      const again = first[index]!.cpuMs > plan.slowMs ? first[index]! : await runTest(test);
      tests.push({ ...again, isPassed: first[index]!.isPassed && again.isPassed, file, index, name: test.name });
    }
  }
  return { tests, imported };
}

const loaded = new Map<number, readonly Declared[]>();
let isFresh = true;
let copies = 0;

async function testsOf(file: number): Promise<readonly Declared[]> {
  const ready = loaded.get(file) ?? (await load(plan.root, plan.tests[file]!, 0, importTicksMax));
  loaded.set(file, ready);
  return ready;
}

/** A mutant in modules that are loaded already. What fails with it has to pass without it. */
async function tryWarm({ id, tests }: Trial): Promise<Verdict> {
  for (const { file, index, ticksMax } of tests) {
    const test = (await testsOf(file))[index]!;
    mutation.active = id;
    const { isPassed, isEndless } = await runTest(test, ticksMax);
    mutation.active = 0;
    if (isPassed) continue;
    const isSpoilt = !(await runTest(test, ticksMax)).isPassed;
    if (isSpoilt && !isFresh) return { id, status: "spoilt" };
    return { id, status: isEndless ? "endless" : "killed" };
  }
  return { id, status: "survived" };
}

/** A mutant that is on while its modules are imported. */
async function tryAnew({ id, files }: Trial): Promise<Verdict> {
  for (const { file, tests } of files) {
    mutation.active = id;
    try {
      const declared = await load(plan.root, plan.tests[file]!, ++copies, importTicksMax);
      for (const { index, ticksMax } of tests) {
        const test = declared[index];
        if (test === undefined) return { id, status: "killed" };
        const { isPassed, isEndless } = await runTest(test, ticksMax);
        if (!isPassed) return { id, status: isEndless ? "endless" : "killed" };
      }
    } catch {
      return { id, status: "killed" };
    } finally {
      mutation.active = 0;
    }
  }
  return { id, status: "survived" };
}

async function tryOne(trial: Trial): Promise<Verdict> {
  const warm = await tryWarm(trial);
  const verdict = warm.status === "survived" ? await tryAnew(trial) : warm;
  isFresh = false;
  return verdict;
}

if (isRecording) process.send!(await record(), () => process.disconnect());
else {
  process.on("message", async (trial: Trial) => process.send!(await tryOne(trial)));
  process.send!("ready");
}

/** Plays many inputs against a check, in this process, and makes the ones that fail smaller. */
import fc from "fast-check";
import type { Finding, FuzzPlan, FuzzReport } from "../fuzzer.ts";

/** Adds one to a count by its name. */
export type Count = (name: string) => void;

/** What is hunted. */
export interface Quarry<T> {
  readonly inputs: fc.Arbitrary<T>;
  /** What is wrong; null: nothing. What it throws is wrong too. */
  check(input: T, count: Count): string | null;
  /** The input on one line. */
  show(input: T): string;
}

/** CPU that one input may cost, in seconds. */
export const cpuSecondsMax = 1;
/** After so many findings it is time to look at them. */
export const findingsMax = 5;
/** fast-check draws larger values as it goes on: each batch begins with small ones again. */
const batchInputs = 1_000;

/** The seed of a batch: far from those of other plans. */
export function seedOf({ seed }: FuzzPlan, batch: number): number {
  return (Math.imul(seed, 0x9e3779b1) + batch) | 0;
}

/** Tallies by name. */
export function newTally(): { readonly counts: Record<string, number>; readonly count: Count } {
  const counts: Record<string, number> = {};
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  return { counts, count };
}

/** Plays the plan. */
export function hunt<T>({ inputs, check, show }: Quarry<T>, plan: FuzzPlan): FuzzReport {
  const beganMs = performance.now();
  const { counts, count } = newTally();
  const findings: Finding[] = [];
  const property = fc.property(inputs, (input) => {
    const what = withinCpu(() => check(input, count)) ?? pollution();
    if (what !== null) throw new Error(what);
  });
  let played = 0;
  for (let batch = 0; played < plan.inputs && findings.length < findingsMax; batch++) {
    const first = batch * batchInputs;
    const numRuns = Math.min(batchInputs, plan.inputs - first);
    if (numRuns <= 0) break;
    const result = fc.check(property, { seed: seedOf(plan, batch), numRuns });
    played += result.numRuns;
    if (!result.failed) continue;
    const [input] = result.counterexample ?? [];
    findings.push({
      seed: plan.seed,
      input: first + result.numRuns - 1,
      what: messageOf(result.errorInstance),
      shown: input === undefined ? "" : show(input),
    });
  }
  return { inputs: played, seconds: (performance.now() - beganMs) / 1_000, findings, counts };
}

/** The message of an error, with the place of one that nobody meant. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.constructor === Error ? error.message : String(error.stack).split("\n").slice(0, 3).join(" ");
}

function withinCpu(check: () => string | null): string | null {
  const before = process.threadCpuUsage();
  const what = check();
  const { user, system } = process.threadCpuUsage(before);
  const seconds = (user + system) / 1e6;
  return what ?? (seconds > cpuSecondsMax ? `costs ${seconds.toFixed(1)} s of CPU` : null);
}

const ownNames = Object.getOwnPropertyNames(Object.prototype).length;

/** Has an input left something on the prototype of all objects? It is taken away again, for the inputs that follow. */
export function pollution(): string | null {
  if (Object.getOwnPropertyNames(Object.prototype).length === ownNames) return null;
  const added = Object.keys(Object.prototype);
  for (const name of added) Reflect.deleteProperty(Object.prototype, name);
  return `Object.prototype has got ${added.join(", ")}`;
}

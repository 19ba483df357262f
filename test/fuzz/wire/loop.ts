/** Plays a plan in batches: what a batch breaks is traced to one input, which is then made small. */
import { setTimeout as wait } from "node:timers/promises";
import { type Random, seeded } from "../../support/random.ts";
import type { Finding, FuzzPlan, FuzzReport } from "../fuzzer.ts";
import { shown, shrunk } from "./shrink.ts";

/** Something that must not be. `input`: which of the batch; null: not known, so each will be played alone. */
export interface Breach {
  readonly input: number | null;
  /** A rule, a colon, the particulars. */
  readonly what: string;
}

/** Counts one thing by its name. */
export type Tally = (name: string) => void;

/** What is fuzzed, as the loop sees it. */
export interface Subject {
  make(random: Random): Buffer;
  /** Plays a batch and says what it broke. Throws when the gateway is gone. */
  play(inputs: readonly Buffer[], tally: Tally): Promise<Breach[]>;
  /** What is not as it was when this was last asked, or at the start. */
  changes(): Promise<string[]>;
  /** CPU time that the gateway has used, in µs. */
  cpuUs(): number;
}

const batchSize = 512;
/** So often it is asked what has changed: a change is one of these many batches' doing. */
const checkedBatches = 4;
/** One input may cost this much CPU. */
export const cpuUsMax = 1_000_000;
/** After so many the run ends: the rest is likely the same. */
const findingsMax = 10;
/** What workerd logs arrives a little after its answer. */
const logMs = 30;

/** The generator of one input: that of the next has nothing to do with it. */
export const randomOf = (seed: number, input: number): Random =>
  seeded(Math.imul(seed, 0x9e3779b1) ^ Math.imul(input + 1, 0x85ebca6b));

export async function runPlan(subject: Subject, { inputs, seed }: FuzzPlan): Promise<FuzzReport> {
  const beganMs = performance.now();
  const counts: Record<string, number> = {};
  const tally: Tally = (name) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  const findings: Finding[] = [];
  let [played, checked] = [0, 0];
  while (played < inputs && findings.length < findingsMax) {
    const size = Math.min(batchSize, inputs - played);
    const batch = Array.from({ length: size }, (_, at) => subject.make(randomOf(seed, played + at)));
    for (const found of await playBatch(subject, batch, tally)) {
      findings.push({ seed, input: played + found.input, what: found.what, shown: found.shown });
    }
    played += size;
    if (played < inputs && played - checked < checkedBatches * batchSize) continue;
    const by = `${checked} to ${played - 1}`;
    for (const what of await subject.changes())
      findings.push({ seed, input: checked, what: `${what} (by ${by})`, shown: "" });
    checked = played;
  }
  return { inputs: played, seconds: (performance.now() - beganMs) / 1_000, findings, counts };
}

interface Found {
  readonly input: number;
  readonly what: string;
  readonly shown: string;
}

async function playBatch(subject: Subject, batch: readonly Buffer[], tally: Tally): Promise<Found[]> {
  const first = await playOnce(subject, batch, tally);
  const known = first.filter(({ input }) => input !== null) as { input: number; what: string }[];
  const lost = first.filter(({ input }) => input === null);
  if (first.length === 0) return [];
  if (lost.length > 0) {
    for (let input = 0; input < batch.length; input++) {
      for (const { what } of await alone(subject, batch[input]!)) known.push({ input, what });
    }
  }
  if (known.length === 0) {
    // A batch may cost more than one input may; the sum is no finding.
    return lost
      .filter(({ what }) => ruleOf(what) !== "cpu")
      .map(({ what }) => ({ input: 0, what: `${what} (by a batch from here on, by no input alone)`, shown: "" }));
  }
  const rules = new Map(known.map((breach) => [ruleOf(breach.what), breach]));
  const found: Found[] = [];
  for (const [rule, { input, what }] of rules) {
    const isSame = async (candidate: Buffer) =>
      (await alone(subject, candidate)).some((breach) => ruleOf(breach.what) === rule);
    found.push({ input, what, shown: shown(await shrunk(batch[input]!, isSame)) });
  }
  return found;
}

/** First word of a breach: what it is told apart by. */
const ruleOf = (what: string): string => what.split(":")[0]!;

async function playOnce(subject: Subject, batch: readonly Buffer[], tally: Tally): Promise<Breach[]> {
  const beforeUs = subject.cpuUs();
  const breaches = await subject.play(batch, tally);
  const usedUs = subject.cpuUs() - beforeUs;
  if (usedUs <= cpuUsMax) return breaches;
  return [...breaches, { input: batch.length === 1 ? 0 : null, what: `cpu: ${Math.round(usedUs / 1_000)} ms` }];
}

async function alone(subject: Subject, input: Buffer): Promise<Breach[]> {
  const breaches = await playOnce(subject, [input], () => {});
  await wait(logMs);
  return [...breaches, ...(await subject.play([], () => {}))];
}

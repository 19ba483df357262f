/** The protocol: A B A B, each run of a case between two of BARE in the same minute. */
import { type Case, warmUpSeconds } from "./cases.ts";
import { cpuUsOf } from "./measure/cpu.ts";
import { median, movement, type Spread, spreadOf } from "./measure/stats.ts";
import { type Load, type Pace, runWrk } from "./measure/wrk.ts";

/** A round in which the two BAREs differ by more gives no ratio. */
export const movementMax = 0.15;

export interface Target {
  readonly url: string;
  /** Process whose CPU time is counted. */
  readonly pid: number;
  /** Limits decided without their objects so far: answers look the same, but something else was measured. */
  degraded(): number;
  /** Ends it. */
  stop(): Promise<void>;
}

/** One run. */
export interface Sample {
  readonly cpuUs: number;
  readonly rps: number;
  /** Errors of connections, answers that were not as expected, and limits decided without their objects. */
  readonly failed: number;
}

export interface Round {
  readonly before: Sample;
  readonly sample: Sample;
  readonly after: Sample;
}

/** What is known of a case; null: BARE moved too much for a ratio. */
export interface Measured {
  readonly cpuUs: Spread;
  readonly bareCpuUs: Spread;
  readonly rps: Spread;
  readonly cpuRatio: Spread | null;
  readonly rpsRatio: Spread | null;
  /** Rounds that gave a ratio of CPU. */
  readonly kept: number;
  readonly failed: number;
  readonly rounds: readonly Round[];
}

/** Runs the rounds of all cases, round by round, and tells `report` of each run. `seconds`: length of a run. */
export async function runRounds(
  cases: readonly Case[],
  targetOf: (each: Case) => Target,
  bare: Target,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
  report: (line: string) => void,
): Promise<ReadonlyMap<string, readonly Round[]>> {
  for (const load of new Set(cases.map(({ bareLoad }) => bareLoad))) await run(bare, load, { seconds: warmUpSeconds });
  for (const each of cases) await run(targetOf(each), each.load, { seconds: each.warmUpSeconds });
  const byCase = new Map<string, Round[]>(cases.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    let last: { readonly load: Load; readonly sample: Sample } | null = null;
    for (const each of cases) {
      const before: Sample = last?.load === each.bareLoad ? last.sample : await run(bare, each.bareLoad, { seconds });
      const pace = { seconds: each.apartSeconds ?? seconds };
      const sample = await run(targetOf(each), each.load, pace, each.isRefused);
      const after = await run(bare, each.bareLoad, { seconds });
      last = { load: each.bareLoad, sample: after };
      byCase.get(each.name)?.push({ before, sample, after });
      const ratio = (sample.cpuUs / meanOf(before.cpuUs, after.cpuUs)).toFixed(2);
      report(
        `${round}/${rounds} ${each.name}: ${sample.cpuUs.toFixed(1)} us, ${ratio} of BARE, ${sample.rps.toFixed(0)} rps`,
      );
    }
  }
  return byCase;
}

async function run({ url, pid, degraded }: Target, load: Load, pace: Pace, isRefused = false): Promise<Sample> {
  const degradedBefore = degraded();
  const startUs = cpuUsOf(pid);
  const { requests, seconds, socketErrors, refused } = await runWrk(url, load, pace);
  if (requests === 0) throw new Error(`${url} answered nothing`);
  const cpuUs = (cpuUsOf(pid) - startUs) / requests;
  const failed = socketErrors + (isRefused ? requests - refused : refused) + degraded() - degradedBefore;
  return { cpuUs, rps: requests / seconds, failed };
}

const meanOf = (a: number, b: number) => (a + b) / 2;

/** Medians over rounds. */
export function summarize(rounds: readonly Round[]): Measured {
  const cpu = ratios(rounds, "cpuUs");
  const rps = ratios(rounds, "rps");
  return {
    cpuUs: spreadOf(rounds.map(({ sample }) => sample.cpuUs)),
    bareCpuUs: spreadOf(rounds.map(({ before, after }) => meanOf(before.cpuUs, after.cpuUs))),
    rps: spreadOf(rounds.map(({ sample }) => sample.rps)),
    cpuRatio: spreadOfEnough(cpu, rounds.length),
    rpsRatio: spreadOfEnough(rps, rounds.length),
    kept: cpu.length,
    failed: rounds.reduce((sum, { sample }) => sum + sample.failed, 0),
    rounds,
  };
}

function ratios(rounds: readonly Round[], member: "cpuUs" | "rps"): number[] {
  return rounds
    .filter(({ before, after }) => movement(before[member], after[member]) <= movementMax)
    .map(({ before, sample, after }) => sample[member] / meanOf(before[member], after[member]));
}

/** null: there are values of fewer than half of the rounds, or of fewer than two. */
function spreadOfEnough(values: readonly number[], rounds: number): Spread | null {
  return values.length >= Math.max(2, Math.ceil(rounds / 2)) ? spreadOf(values) : null;
}

/** CPU of one case beside that of another. */
export interface Compared {
  /** One by the other, in the same round. */
  readonly ratio: Spread;
  /** The other by BARE. */
  readonly fewToBare: number;
}

/**
 * Compares two cases of the same rounds, round by round. Those count in which BARE beside one differs from BARE beside the other by
 * `movementMax` at most; null when they are too few.
 */
export function compare(many: readonly Round[], few: readonly Round[]): Compared | null {
  const bareOf = ({ before, after }: Round) => meanOf(before.cpuUs, after.cpuUs);
  const pairs = many
    .map((round, index) => [round, few[index]!] as const)
    .filter(([a, b]) => movement(bareOf(a), bareOf(b)) <= movementMax);
  const ratio = spreadOfEnough(
    pairs.map(([a, b]) => a.sample.cpuUs / b.sample.cpuUs),
    many.length,
  );
  if (ratio === null) return null;
  return { ratio, fewToBare: median(pairs.map(([a, b]) => b.sample.cpuUs / meanOf(bareOf(a), bareOf(b)))) };
}

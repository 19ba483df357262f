/** What every fuzzer is: started once, then played by plans. */

export interface FuzzPlan {
  /** How many inputs. */
  inputs: number;
  /** The same plan gives the same inputs. */
  seed: number;
}

export interface Finding {
  seed: number;
  /** Which input of the plan, counted from 0. */
  input: number;
  /** What is wrong: a rule, a colon, the particulars. */
  what: string;
  /** The input made smaller and printable. */
  shown: string;
}

export interface FuzzReport {
  inputs: number;
  seconds: number;
  findings: Finding[];
  /** What became of the inputs, for example answers by status: the proof that they reach what they aim at. */
  counts: Record<string, number>;
}

export interface Fuzzer {
  name: string;
  /** One line for `npm run fuzz` without a name. */
  about: string;
  /** Least share of the inputs, from 0 to 1, for which each of these must be counted: what they have to reach. */
  aims: Readonly<Record<string, number>>;
  start(): Promise<{ run(plan: FuzzPlan): Promise<FuzzReport>; stop(): Promise<void> }>;
}

/** What inputs did not reach, or not often enough. */
export function missedAims({ aims }: Pick<Fuzzer, "aims">, { inputs, counts }: FuzzReport): string[] {
  const missed = Object.entries(aims).filter(([what, share]) => (counts[what] ?? 0) < share * inputs);
  return missed.map(([what, share]) => `${what}: ${counts[what] ?? 0}, not ${Math.ceil(share * inputs)}`);
}

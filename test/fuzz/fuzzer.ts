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
  start(): Promise<{ run(plan: FuzzPlan): Promise<FuzzReport>; stop(): Promise<void> }>;
}

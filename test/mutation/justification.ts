import type { Mutant } from "./instrument.ts";

/** Mutants of one function that no test can kill, or none should. */
export interface Justification {
  readonly file: string;
  /** The function; "": outside of any. */
  readonly in: string;
  /** As the report has them: `a < b → (a) <= (b)`. */
  readonly changes: readonly string[];
  readonly reason: string;
}

export function isJustifiedBy(mutant: Mutant, entry: Justification): boolean {
  return mutant.file === entry.file && mutant.in === entry.in && entry.changes.includes(changeOf(mutant));
}

export function changeOf({ from, to }: Mutant): string {
  return `${from} → ${to}`;
}

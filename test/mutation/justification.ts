import type { Mutant } from "./instrument.ts";

/** Mutants of one function that no test can kill, or none should. */
export interface Justification {
  readonly file: string;
  /** The function; "": outside of any. */
  readonly in: string;
  /** As the report has them: `a < b → (a) <= (b)`. Each spares one mutant; of two with the same text both are listed. */
  readonly changes: readonly string[];
  readonly reason: string;
}

export function isJustifiedBy(mutant: Mutant, entry: Justification): boolean {
  return mutant.file === entry.file && mutant.in === entry.in && entry.changes.includes(changeOf(mutant));
}

/** Tells of each mutant, once, whether it is justified. `left`: changes that none has needed so far. */
export function sparing(justified: readonly Justification[]): {
  readonly isSpared: (mutant: Mutant) => boolean;
  readonly left: Justification[];
} {
  const left = justified.flatMap((entry) => entry.changes.map((change) => ({ ...entry, changes: [change] })));
  const isSpared = (mutant: Mutant) => {
    const at = left.findIndex((entry) => isJustifiedBy(mutant, entry));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  };
  return { isSpared, left };
}

export function changeOf({ from, to }: Mutant): string {
  return `${from} → ${to}`;
}

/** The mutants of `src/core` that stay alive, and why. An entry that no mutant answers to, or only killed ones, is an error. */
import type { Justification } from "./justification.ts";

export const justified: readonly Justification[] = [];

/** Faults planted in the product's text, to see whether the checkers bite. */
import { config } from "./mutants/config.ts";
import { health } from "./mutants/health.ts";
import { limits } from "./mutants/limits.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { registry } from "./mutants/registry.ts";

export const mutants: readonly Mutant[] = [...limits, ...health, ...registry, ...config];

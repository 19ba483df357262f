/**
 * Seed -> schedule. Swarm testing (Groce et al., "Swarm Testing", ISSTA 2012): each seed has only some of the faults and
 * operations, so that what only shows where others are absent is found too.
 */
import type { Plan } from "./plan.ts";
import { allPlan, configPlan } from "./swarm/config.ts";
import { Draw } from "./swarm/draw.ts";
import { healthPlan } from "./swarm/health.ts";
import { limitsPlan } from "./swarm/limits.ts";
import { leasesPlan, registryPlan } from "./swarm/registry.ts";

const makers = {
  limits: limitsPlan,
  health: healthPlan,
  registry: registryPlan,
  leases: leasesPlan,
  config: configPlan,
  all: allPlan,
} satisfies Readonly<Record<string, (seed: number, draw: Draw) => Plan>>;

export type PartName = keyof typeof makers;
export const partNames = Object.keys(makers) as PartName[];

/** Of a hundred seeds so many are about it: more of those that are soon over. */
const shares = { limits: 30, registry: 25, config: 20, health: 12, leases: 10, all: 3 } satisfies Record<
  PartName,
  number
>;

const turns = partNames.flatMap((part) => new Array<PartName>(shares[part]).fill(part));

export const partOf = (seed: number): PartName => turns[(seed * 37) % turns.length]!;

/** Makes the schedule of a seed. */
export function planOf(seed: number, part: PartName = partOf(seed)): Plan {
  return makers[part](seed, new Draw(seed));
}

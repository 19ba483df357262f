/** Drawing from a seed. */
import { type Random, seeded } from "../../support/random.ts";
import { calmMs, type Faults, noFaults } from "../faults.ts";
import type { ObjectName, Step } from "../plan.ts";

export class Draw {
  readonly random: Random;

  constructor(seed: number) {
    this.random = seeded(seed * 2 + 1);
  }

  of<T>(...choices: readonly T[]): T {
    return choices[this.random.int(0, choices.length - 1)]!;
  }

  int(low: number, high: number): number {
    return this.random.int(low, high);
  }

  /** The value in half of the seeds, else nothing. */
  maybe(...values: readonly number[]): number {
    return this.random.chance(0.5) ? this.of(...values) : 0;
  }

  times<T>(count: number, make: (at: number) => T): T[] {
    return Array.from({ length: count }, (_, at) => make(at));
  }
}

/** Some of the faults; in one of seven seeds none. */
export function faultsOf(draw: Draw): Faults {
  if (draw.random.chance(0.15)) return noFaults;
  return {
    loss: draw.maybe(0.02, 0.2),
    duplicate: draw.maybe(0.05, 0.3),
    late: draw.maybe(0.05, 0.3),
    alarmLateMs: draw.maybe(1_000, 60_000),
    storageMs: draw.maybe(20, 200),
    standsStillMs: draw.maybe(10, 24),
    objectSkewMs: draw.maybe(200, 1_500),
    cacheLoss: draw.maybe(0.1, 0.5),
  };
}

/** Up to a few accidents of each kind that this seed has; `isCalm`: it has none. */
export function accidents(
  draw: Draw,
  objects: readonly ObjectName[],
  isolates: number,
  untilMs: number,
  isCalm: boolean,
): Step[] {
  if (isCalm) return [];
  const steps: Step[] = [];
  const add = (most: number, make: (atMs: number) => Step) => {
    for (let left = draw.maybe(1, most); left > 0; left--) steps.push(make(draw.int(calmMs, untilMs)));
  };
  add(3, (atMs) => ({ atMs, kind: "crash", object: draw.of(...objects), when: draw.of("before", "after") }));
  add(2, (atMs) => ({ atMs, kind: "evict", object: draw.of(...objects) }));
  add(2, (atMs) => ({
    atMs,
    kind: "replace",
    object: draw.of(...objects),
    livesMs: draw.of(500, 3_000),
    throws: draw.of(true, false),
  }));
  add(1, (atMs) => ({ atMs, kind: "away", object: draw.of(...objects), forMs: draw.of(300, 3_000) }));
  add(2, (atMs) => ({ atMs, kind: "kill", place: draw.int(0, isolates - 1) }));
  return steps;
}

/** By time; those of one moment stay in their order. */
export const inOrder = (steps: Step[]): Step[] => steps.sort((a, b) => a.atMs - b.atMs);

/** Faults that are planted in one module of `src/core`, to see whether a simulation finds them. */
import fc, { type Arbitrary } from "fast-check";
import { vi } from "vitest";

/** What runs one schedule and says what it breached: `<invariant>: ...`. */
export interface Simulation {
  simulate(scenario: never): { readonly breaches: readonly string[] };
}

/** First words of the breaches that the first of `schedules` shows in which there are any, with one module replaced. */
export type BreachesWith<Family extends string> = (
  family: Family,
  module: string,
  mutate: (real: never) => object,
) => Promise<string[]>;

/**
 * The search for one room of `src/core`. `load` imports the simulation, which is done anew for each fault, so that it sees the
 * module as replaced. Afterwards everything is as it was.
 */
export function searchIn<Family extends string>(
  room: string,
  schedules: Readonly<Record<Family, Arbitrary<unknown>>>,
  numRuns: number,
  load: () => Promise<Simulation>,
): BreachesWith<Family> {
  return async (family, module, mutate) => {
    const mocked = new URL(`../../src/core/${room}/${module}`, import.meta.url).pathname;
    vi.resetModules();
    vi.doMock(mocked, async (original) => {
      const real = (await original()) as never;
      return { ...(real as object), ...mutate(real) };
    });
    try {
      const { simulate } = await load();
      for (const scenario of fc.sample(schedules[family], { numRuns, seed: 1 })) {
        const { breaches } = simulate(scenario as never);
        if (breaches.length > 0) return [...new Set(breaches.map((breach) => breach.split(":")[0]!))];
      }
      return [];
    } finally {
      vi.doUnmock(mocked);
      vi.resetModules();
    }
  };
}

/**
 * What a check says. Every check that ends has passed or failed, never neither: a kind of result that counts as nothing
 * would leave the counters where they are, and an origin unhealthy for ever.
 */
import type { CheckSettings } from "./types.ts";

/** Is the status one that passes? A redirect is not followed and passes only if its own status is listed. */
export function isExpected({ statuses }: CheckSettings, status: number): boolean {
  return statuses.some(([first, last]) => first <= status && status <= last);
}

/** The run after one more result; see `CheckRecord`. */
export function nextRun(run: number, hasPassed: boolean): number {
  return hasPassed ? Math.max(run, 0) + 1 : Math.min(run, 0) - 1;
}

/**
 * Is the origin healthy after a run? It changes sides when the other side's threshold is reached, and also when the run is
 * past it, so that a change which could not be stored is made up for by the next check.
 */
export function isHealthyAfter(isHealthy: boolean, run: number, settings: CheckSettings): boolean {
  return isHealthy ? run > -settings.unhealthyAfter : run >= settings.healthyAfter;
}

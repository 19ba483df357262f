/** Pauses of what goes on until it is told to stop. */
import { setTimeout as sleep } from "node:timers/promises";
import { limits } from "./limits.ts";

/**
 * Pause before the next try: uniform between the shortest pause and a ceiling that doubles with each failure in a row up
 * to the longest ("full jitter"), so that many clients do not come back at once.
 *
 * @param failures failures in a row before this one: 0, 1, ...
 * @param random in [0, 1).
 */
export function backoffMs(failures: number, random: number): number {
  const ceilingMs = Math.min(limits.backoffMsMax, 2 * limits.backoffMsMin * 2 ** failures);
  return limits.backoffMsMin + random * (ceilingMs - limits.backoffMsMin);
}

/** Waits; false, at once, when it is time to stop. */
export async function pause(ms: number, stopping: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal: stopping }).catch(() => {});
  return !stopping.aborted;
}

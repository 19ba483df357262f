/** Whether the memory of a process stays as it is. */
import { slope } from "../../bench/measure/stats.ts";

/** Resident memory at a time of the run. */
export interface Sample {
  readonly atMs: number;
  readonly mib: number;
}

export interface Memory {
  readonly firstMib: number;
  readonly lastMib: number;
  readonly slopeMibPerMin: number;
  /** null: the run was too short to tell. */
  readonly isFlat: boolean | null;
}

/**
 * A shorter rest of the run than this says nothing: at a moderate rate V8 lets garbage grow for minutes before it collects
 * its old generation, and that cannot be told from a leak.
 */
const tellingMinutes = 5;
/** Share of the run in which code is compiled, tables grow to their sizes and memory may rise. */
const warmUp = 0.4;
/** Garbage is collected at least once in so many parts of what is left; the least of each part is what is kept. */
const parts = 12;
/**
 * Rise over the rest of the run that is no leak: what is kept varies by as much from part to part, as collections come late.
 * A leak of 1 KiB a request shows after 400 s at 60 requests a second.
 */
export const riseMibMax = 24;

/** Judges samples in order of time. Throws a RangeError when there are too few. */
export function judgeMemory(samples: readonly Sample[]): Memory {
  const late = samples.slice(Math.ceil(samples.length * warmUp));
  if (late.length < 2 * parts) throw new RangeError("too few samples of memory");
  const floors = Array.from({ length: parts }, (_, part) => {
    const slice = late.slice(Math.floor((part * late.length) / parts), Math.floor(((part + 1) * late.length) / parts));
    return [slice[0]!.atMs / 60_000, Math.min(...slice.map(({ mib }) => mib))] as const;
  });
  const slopeMibPerMin = slope(floors);
  const minutes = (late.at(-1)!.atMs - late[0]!.atMs) / 60_000;
  return {
    firstMib: floors[0]![1],
    lastMib: floors.at(-1)![1],
    slopeMibPerMin,
    isFlat: minutes < tellingMinutes ? null : slopeMibPerMin * minutes <= riseMibMax,
  };
}

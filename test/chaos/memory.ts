/** Whether a gateway keeps more and more. */
import { slope } from "../../bench/measure/stats.ts";

/** Memory at a time of the run. */
export interface Sample {
  readonly atMs: number;
  /** What the gateway's JavaScript keeps, without garbage; see `heap.ts`. */
  readonly keptMib: number;
  /** Resident memory of workerd's process, which is more than the gateway. */
  readonly residentMib: number;
}

/** From the end of the warm-up to the end of the run. */
export interface Trend {
  readonly firstMib: number;
  readonly lastMib: number;
  readonly slopeMibPerMin: number;
}

export interface Memory {
  readonly kept: Trend;
  readonly resident: Trend;
  /** What is kept does not rise by more than `riseMibMax`. */
  readonly isFlat: boolean;
}

/** Share of the run in which code is compiled, tables grow to their sizes and memory may rise. */
const warmUp = 0.4;
/** What requests under way keep is no leak: the least of each part of the rest has the fewest of them. */
const parts = 6;
/**
 * Rise over the rest of the run that is no leak: what is kept varies by a part of it, as windows, caches and compiled code do.
 * At 60 requests a second two minutes of a run show what keeps 500 bytes of each request, thirty what keeps 35.
 */
export const riseMibMax = 2;

/** Judges samples in order of time. Throws a RangeError when there are too few. */
export function judgeMemory(samples: readonly Sample[]): Memory {
  const late = samples.slice(Math.ceil(samples.length * warmUp));
  if (late.length < 2 * parts) throw new RangeError("too few samples of memory");
  const kept = trendOf(late, "keptMib");
  const minutes = (late.at(-1)!.atMs - late[0]!.atMs) / 60_000;
  return { kept, resident: trendOf(late, "residentMib"), isFlat: kept.slopeMibPerMin * minutes <= riseMibMax };
}

function trendOf(late: readonly Sample[], what: "keptMib" | "residentMib"): Trend {
  const floors = Array.from({ length: parts }, (_, part) => {
    const slice = late.slice(Math.floor((part * late.length) / parts), Math.floor(((part + 1) * late.length) / parts));
    return [slice[0]!.atMs / 60_000, Math.min(...slice.map((sample) => sample[what]))] as const;
  });
  return { firstMib: floors[0]![1], lastMib: floors.at(-1)![1], slopeMibPerMin: slope(floors) };
}

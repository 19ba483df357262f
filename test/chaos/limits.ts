/** The limits of the cycles, what the origin's log must show of each, and what is to be charged after a crash. */
import { setTimeout as wait } from "node:timers/promises";
import { limits } from "../../src/core/limiting/limits.ts";

const key = ["header:x-client"];
/** A limiter that is away must not let pass what nobody counts. */
const strict = { key, onUnavailable: "deny" };
const monthly = { algorithm: "fixed-window", windows: [{ limit: 80, per: "month" }] };

/** Every way of counting; quotas whose window outlives the run, and limits that are full again and again. */
export const rateLimits = {
  month: { ...monthly, ...strict },
  exact: { ...monthly, ...strict, consistency: "exact" },
  hour: { algorithm: "sliding-window", windows: [{ limit: 80, seconds: 3_600 }], ...strict },
  ten: { algorithm: "sliding-window", windows: [{ limit: 60, seconds: 10 }], ...strict },
  // Slow: what is asked must be more, however slow the machine is.
  token: { algorithm: "token-bucket", rate: 1, burst: 10, ...strict },
  // Small: what isolates that were killed may have let pass untold grows with it, and must stay below what is asked.
  near: {
    algorithm: "sliding-window",
    windows: [{ limit: 20, seconds: 3_600 }],
    consistency: "approximate",
    ...strict,
  },
  leaky: { algorithm: "leaky-bucket", rate: 1, burst: 10, ...strict },
} as const;

export type LimitName = keyof typeof rateLimits;
export const limitNames = Object.keys(rateLimits) as LimitName[];

/** Quotas: whatever passed is still charged after a crash, but for what was not told of `near`. */
export const quotas = ["month", "exact", "hour", "near"] as const satisfies LimitName[];

/** Most that one request is longer on its way from the gateway's decision to the origin's log than another, on a busy machine. */
const transitMs = 500;

/**
 * Most that `deaths` of isolates may have let pass without the object knowing: of an approximate limit the share of what was
 * free, each time; of any other limit nothing.
 */
export function untoldMax(name: LimitName, deaths: number): number {
  return name === "near" ? deaths * Math.ceil(rateLimits.near.windows[0].limit / limits.isolatesAssumed) : 0;
}

/** Most of the times in any interval shorter than `spanMs`; `timesMs` in order. */
export function mostIn(timesMs: readonly number[], spanMs: number): number {
  let most = 0;
  for (let first = 0, last = 0; last < timesMs.length; last++) {
    while (timesMs[last]! - timesMs[first]! >= spanMs) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** Most above `burst + rate * T` in any interval of length T, in permits; `timesMs` in order. */
export function excessOf(timesMs: readonly number[], rate: number, burst: number): number {
  // As a bucket that is never refused: how far below zero it goes.
  let [level, mostUsed, beforeMs] = [0, 0, timesMs[0] ?? 0];
  for (const timeMs of timesMs) {
    level = Math.max(0, level - (rate * (timeMs - beforeMs)) / 1_000) + 1;
    mostUsed = Math.max(mostUsed, level);
    beforeMs = timeMs;
  }
  return mostUsed - burst;
}

/**
 * How much of a limit one key has used at most, as a share of what it may; above 1 it is exceeded. `isolates`: how many have
 * let it pass, those that were killed included.
 */
export function usedOf(name: LimitName, arrivalsMs: readonly number[], isolates: number): number {
  const timesMs = arrivalsMs.toSorted((a, b) => a - b);
  const limit = rateLimits[name];
  if ("rate" in limit) {
    const excess = excessOf(timesMs, limit.rate, limit.burst) - (limit.rate * transitMs) / 1_000;
    return (limit.burst + excess) / limit.burst;
  }
  const [window] = limit.windows;
  // A month outlives the run; `awaitMonth` sees to it that none begins meanwhile.
  if ("per" in window) return timesMs.length / window.limit;
  return mostIn(timesMs, window.seconds * 1_000 - transitMs) / (window.limit + untoldMax(name, isolates));
}

/** Waits for the next month (UTC) if it begins within `ms`, which is to be the run's time: it brings a new quota. */
export async function awaitMonth(ms: number): Promise<void> {
  const now = new Date();
  const leftMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1) - now.getTime();
  if (leftMs < ms) await wait(leftMs + transitMs);
}

/** What is charged for a key is less than what the origin got; null: it is not, but for what `deaths` of isolates explain. */
export function forgotten(
  name: LimitName,
  client: string,
  { charged, arrived, deaths }: { readonly charged: number; readonly arrived: number; readonly deaths: number },
): string | null {
  return charged >= arrived - untoldMax(name, deaths)
    ? null
    : `quota ${name} of ${client}: ${arrived} passed, ${charged} are charged after the crash`;
}

/** What a run must have done: one that asked for little has broken nothing, which says nothing. */
import type { Cycle, Share } from "./cycles.ts";
import { originCount } from "./harmed.ts";
import { limitNames } from "./limits.ts";
import { perSecond, type Soaked } from "./soak.ts";
import type { Struck } from "./storm.ts";

/** Of the limit that was used most, and of each: what is hardly used cannot be exceeded. At a kill what was leased is gone. */
const usedMin = { most: 0.8, each: 0.3 };
/** Requests a second of a soak: a busy machine does not come to all that are due. */
const perSecondMin = perSecond / 2;

/** Writes that were acknowledged and limits that were used, as far as there were too few; empty: enough. */
export function idleCycles(cycles: readonly Cycle[]): string[] {
  const sum = (kind: keyof Cycle["acknowledged"]) =>
    cycles.reduce((total, { acknowledged }) => total + acknowledged[kind], 0);
  const { shares } = cycles.at(-1)!;
  const mostUsed = (some: readonly Share[]) => Math.max(0, ...some.map(({ used }) => used));
  return [
    ...(sum("config") > 0 ? [] : ["no configuration was acknowledged"]),
    ...(["origins", "orders"] as const)
      .filter((kind) => sum(kind) <= cycles.length)
      .map((kind) => `only ${sum(kind)} ${kind} were acknowledged`),
    ...(mostUsed(shares) > usedMin.most ? [] : [`no limit was used to more than ${mostUsed(shares)}`]),
    ...limitNames
      .map((limit) => ({ limit, used: mostUsed(shares.filter(({ name }) => name === limit)) }))
      .filter(({ used }) => used <= usedMin.each)
      .map(({ limit, used }) => `the limit ${limit} was used to ${used}`),
  ];
}

/** What was done to the origins must be felt; unless all are harmed, only by requests that are not tried again. */
export function idleStorm(struck: readonly Struck[]): string[] {
  return struck.flatMap(({ kind, origins, bare, retried }) => [
    ...(bare > 0 ? [] : [`${kind} of ${origins} was not felt`]),
    // What was cut off after its head went to the client cannot be sent again.
    ...(origins < originCount && kind !== "cut" && retried > 0
      ? [`${kind} of ${origins}: ${retried} with retries failed`]
      : []),
  ]);
}

/** Too few faults or requests; empty: enough. */
export function idleSoak({ faults, sent, minutes }: Soaked): string[] {
  return [
    ...(faults > 0 ? [] : ["there was no fault"]),
    ...(sent >= minutes * 60 * perSecondMin ? [] : [`only ${sent} requests were sent`]),
  ];
}

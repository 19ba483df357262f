/** Origins of a simulated service that are well and ill by turns. */
import type { Random } from "../../../support/random.ts";

/** `flaky`: every other request fails; `hanging`: fails after so long that a probe's permit ends before. */
export type Illness = "failing" | "flaky" | "slow" | "hanging";

interface Phase {
  readonly untilMs: number;
  readonly kind: Illness | "well";
}

export interface Origins {
  readonly idsOf: ReadonlyMap<string, readonly string[]>;
  readonly phases: ReadonlyMap<string, readonly Phase[]>;
}

/** The histories of all origins from `startMs` on; after the last phase an origin is well. */
export function originsOf(
  scenario: { versions: number; origins: number; illnesses: readonly Illness[]; faultyMs: number },
  startMs: number,
  random: Random,
): Origins {
  const idsOf = new Map<string, readonly string[]>();
  const phases = new Map<string, readonly Phase[]>();
  for (let version = 0; version < scenario.versions; version++) {
    const ids = Array.from({ length: scenario.origins }, (_, at) => `o${version}${at}`);
    idsOf.set(version === 0 ? "" : `v${version}`, ids);
    for (const id of ids) phases.set(id, historyOf(scenario, startMs, random));
  }
  return { idsOf, phases };
}

function historyOf(
  { illnesses, faultyMs }: { illnesses: readonly Illness[]; faultyMs: number },
  startMs: number,
  random: Random,
): Phase[] {
  const history: Phase[] = [];
  for (let untilMs = startMs; illnesses.length > 0 && untilMs < startMs + faultyMs; ) {
    untilMs = Math.min(startMs + faultyMs, untilMs + random.int(300, 4_000));
    const kind = random.chance(0.4) ? "well" : illnesses[random.int(0, illnesses.length - 1)]!;
    history.push({ untilMs, kind });
  }
  return history;
}

/** Longest time that an origin takes. */
export const tookMsMax = 13_000;

/** What a request that reaches the origin now will come to. */
export function resultOf(
  { phases }: Origins,
  origin: string,
  atMs: number,
  random: Random,
): { readonly outcome: "ok" | "fail"; readonly tookMs: number } {
  const kind = phases.get(origin)!.find(({ untilMs }) => atMs < untilMs)?.kind ?? "well";
  if (kind === "hanging") return { outcome: "fail", tookMs: random.int(12_200, tookMsMax) };
  if (kind === "slow") return { outcome: "ok", tookMs: random.int(210, 600) };
  const isFailure = kind === "failing" || (kind === "flaky" && random.chance(0.5));
  return { outcome: isFailure ? "fail" : "ok", tookMs: random.int(1, 40) };
}

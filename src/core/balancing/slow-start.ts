/** Slow start: a new origin, with cold caches and few connections, gets its share little by little. */
import { limits } from "./limits.ts";
import { retain } from "./load.ts";
import { type Pool, poolOf } from "./pool.ts";
import type { Candidate, LoadState } from "./types.ts";

/** Weight at an age >= 0: rises in a straight line from 10 to 100 % of `weight` in `slowStartMs`; 0 = all of it at once. */
export function slowStartWeight(weight: number, ageMs: number, slowStartMs: number): number {
  if (ageMs >= slowStartMs) return weight;
  const share = limits.slowStartShareMin;
  return weight * (share + ((1 - share) * ageMs) / slowStartMs);
}

/**
 * Call it when the state is made and whenever the service's origins (`ids`) change: forgets those that left, as `retain`
 * does, and notes which are new. When none was there before, all are old: there is nobody to take their share meanwhile,
 * and to an isolate that has just started every origin is a new one.
 */
export function noteOrigins(state: LoadState, ids: ReadonlySet<string>, nowMs: number): void {
  retain(state, ids);
  const sinceMs = state.sinceMs.size === 0 ? Number.NEGATIVE_INFINITY : nowMs;
  for (const id of ids) if (!state.sinceMs.has(id)) note(state, id, sinceMs);
}

/** An origin that was ejected or unhealthy is used again: it starts anew. Unknown ids are ignored. */
export function noteReturn(state: LoadState, id: string, nowMs: number): void {
  if (state.sinceMs.has(id)) note(state, id, nowMs);
}

/** Candidates with the weights that they had at `fromMs`, for one service in one isolate. */
export interface Ramp<C extends Candidate> {
  readonly state: LoadState;
  readonly newestMs: number;
  readonly slowStartMs: number;
  readonly fromMs: number;
  readonly pool: Pool<Candidate & { readonly origin: C }>;
}

/** The pool with the weights of now; remade in steps, as that is O(n). */
export function rampedPool<C extends Candidate>(
  pool: Pool<C>,
  state: LoadState,
  slowStartMs: number,
  nowMs: number,
): Ramp<C>["pool"] {
  const { ramp } = pool;
  const isSame = ramp?.state === state && ramp.newestMs === state.newestMs && ramp.slowStartMs === slowStartMs;
  const stepMs = slowStartMs / limits.slowStartSteps;
  if (isSame && nowMs >= ramp.fromMs && nowMs - ramp.fromMs < stepMs) return ramp.pool;
  const ramped = pool.candidates.map((origin) => ({
    id: origin.id,
    weight: slowStartWeight(origin.weight, ageMsOf(state, origin.id, nowMs), slowStartMs),
    origin,
  }));
  pool.ramp = { state, newestMs: state.newestMs, slowStartMs, fromMs: nowMs, pool: poolOf(ramped) };
  return pool.ramp.pool;
}

/** Is any origin, of those still there or gone, younger than `slowStartMs`? */
export function isAnyYoung(state: LoadState, slowStartMs: number, nowMs: number): boolean {
  return Math.max(0, nowMs - state.newestMs) < slowStartMs;
}

/** How long ago an origin came; Infinity for an old one or one that was never noted, 0 after the clock stepped back. */
export function ageMsOf(state: LoadState, id: string, nowMs: number): number {
  return Math.max(0, nowMs - (state.sinceMs.get(id) ?? Number.NEGATIVE_INFINITY));
}

function note(state: LoadState, id: string, sinceMs: number): void {
  state.sinceMs.set(id, sinceMs);
  state.newestMs = Math.max(state.newestMs, sinceMs);
}

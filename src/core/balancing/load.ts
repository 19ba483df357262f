/** Book-keeping of a service's load in one isolate. */
import type { LoadState } from "./types.ts";

/** The state of a service that was never called. */
export function newLoadState(): LoadState {
  return {
    inFlight: new Map(),
    older: new Map(),
    turn: 0,
    inFlightTotal: 0,
    olderTotal: 0,
    turnedAtMs: 0,
    rotation: null,
    costs: new Map(),
    sinceMs: new Map(),
    newestMs: Number.NEGATIVE_INFINITY,
  };
}

/**
 * Call it now and then. A runtime may cut a request off without a word, so that nobody calls `ended` for it. Therefore one
 * counts for a turn of `turnMs` and the turn after, then no longer.
 */
export function turn(state: LoadState, turnMs: number, nowMs: number): void {
  const turns = Math.floor((nowMs - state.turnedAtMs) / turnMs);
  if (turns < 1) return;
  state.turn += turns;
  state.older = turns === 1 ? state.inFlight : new Map();
  state.inFlight = new Map();
  state.olderTotal = turns === 1 ? state.inFlightTotal : 0;
  state.inFlightTotal = 0;
  state.turnedAtMs = nowMs;
}

/** A request to the origin begins. Returns the number of the turn, which goes to `ended` if somebody sees its end. */
export function started(state: LoadState, id: string): number {
  state.inFlight.set(id, (state.inFlight.get(id) ?? 0) + 1);
  state.inFlightTotal += 1;
  return state.turn;
}

/** A request that began in `turn` is over. Does nothing for one that is forgotten, or whose origin has left meanwhile. */
export function ended(state: LoadState, id: string, turn: number): void {
  if (turn < state.turn - 1) return;
  const isOlder = turn !== state.turn;
  const counts = isOlder ? state.older : state.inFlight;
  const count = counts.get(id);
  if (count === undefined) return;
  if (isOlder) state.olderTotal -= 1;
  else state.inFlightTotal -= 1;
  if (count > 1) counts.set(id, count - 1);
  else counts.delete(id);
}

/** Requests under way to the origin. */
export function inFlightOf(state: LoadState, id: string): number {
  return (state.inFlight.get(id) ?? 0) + (state.older.get(id) ?? 0);
}

/** Requests under way to all origins together. */
export function totalInFlight({ inFlightTotal, olderTotal }: LoadState): number {
  return inFlightTotal + olderTotal;
}

/**
 * Forgets every origin that is not in `ids`; call it when the service's origins change. When one left, the round-robin
 * begins anew: what the others owed it can no longer be paid back.
 */
export function retain(state: LoadState, ids: ReadonlySet<string>): void {
  for (const entries of [state.inFlight, state.older, state.costs, state.sinceMs]) {
    for (const id of entries.keys()) if (!ids.has(id)) entries.delete(id);
  }
  state.inFlightTotal = sumOf(state.inFlight);
  state.olderTotal = sumOf(state.older);
  if (state.rotation?.candidates.some(({ id }) => !ids.has(id))) state.rotation = null;
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}

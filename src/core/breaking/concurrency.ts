/**
 * The isolate's half of `maxConcurrentRequests` (the object's: `bulkhead.ts`): counts the requests of one service that are
 * under way here, and admits as many as were granted. Each report asks anew, for the recent peak and some more, so that in
 * steady traffic no request waits for an answer; without traffic the peak fades and what was held goes back. Who gets less
 * than it wants asks only for what it has a use for at once.
 */
import { bounds } from "../../bounds.ts";
import type { ConcurrencyAsk, HealthReply } from "./types.ts";

/** Of one service in one isolate, by the isolate's clock. Make it with `newConcurrency`. */
export interface Concurrency {
  /** Number of the turn of `bounds.inFlightTurnMs`, and requests under way that began in it and in the one before. */
  turn: number;
  inFlight: number;
  older: number;
  /** The last grant. */
  held: number;
  heldUntilMs: number;
  /** The last ask had no answer: requests do not wait for another, the next report finds out. */
  isAway: boolean;
  /** As last heard; 0 = never. */
  isolates: number;
  /** The last ask. */
  asked: { readonly seq: number; readonly wanted: number; readonly atMs: number };
  /** It got less than it wanted; requests do not ask for more before `refusedUntilMs`. */
  isScarce: boolean;
  refusedUntilMs: number;
  /** Requests that did not get in since the last ask or answer, and the most under way or refused at once since the last ask. */
  unmet: number;
  recent: number;
  /** The most in former times, as it was at the last ask. */
  peak: number;
}

export function newConcurrency(): Concurrency {
  return {
    turn: 0,
    inFlight: 0,
    older: 0,
    held: 0,
    heldUntilMs: 0,
    isAway: false,
    isolates: 0,
    asked: { seq: -1, wanted: 0, atMs: 0 },
    isScarce: false,
    refusedUntilMs: 0,
    unmet: 0,
    recent: 0,
    peak: 0,
  };
}

/** Requests that one of `isolates` (0: not known) has under way on its own account while the object is away; >= 1. */
export function shareOfConcurrency(max: number, isolates: number): number {
  return Math.max(1, Math.floor(max / (isolates || bounds.concurrencyIsolatesAssumed)));
}

/**
 * A request begins. `entered`: it counts as under way, pair it with one `leave`. `ask`: a report at once may help; wait for
 * its answer (or for that of one under way) and try again. `full`: refuse it; asking has just not helped, or cannot.
 *
 * @param max of the configuration, >= 1. A lowered one is in effect at once here.
 */
export function enter(state: Concurrency, max: number, nowMs: number): "entered" | "ask" | "full" {
  turn(state, nowMs);
  const inFlight = state.inFlight + state.older;
  const granted = grantedAt(state, max, nowMs);
  const isEntered = inFlight < (granted ?? (state.isAway ? shareOfConcurrency(max, state.isolates) : 0));
  if (isEntered) state.inFlight += 1;
  else state.unmet += 1;
  state.recent = Math.max(state.recent, inFlight + (isEntered ? 1 : state.unmet));
  if (isEntered) return "entered";
  return state.isAway || nowMs < state.refusedUntilMs ? "full" : "ask";
}

/** A request that entered at `enteredAtMs` is over. Does nothing for one that is forgotten (see `turn`). */
export function leave(state: Concurrency, enteredAtMs: number, nowMs: number): void {
  turn(state, nowMs);
  const began = turnOf(enteredAtMs);
  if (began === state.turn) state.inFlight = Math.max(0, state.inFlight - 1);
  else if (began === state.turn - 1) state.older = Math.max(0, state.older - 1);
}

/** What the report `seq` asks for. Lowers what is held here to that, as the object will give the rest to others. */
export function askOf(state: Concurrency, max: number, seq: number, nowMs: number): ConcurrencyAsk {
  turn(state, nowMs);
  const inFlight = state.inFlight + state.older;
  const faded = state.peak * Math.exp(Math.min(0, state.asked.atMs - nowMs) / bounds.concurrencyPeakMs);
  state.peak = Math.max(state.recent, inFlight, faded);
  // Below a half nobody has come for a while.
  const ahead = state.peak < 0.5 ? 0 : Math.ceil(state.peak * bounds.concurrencyHeadroom);
  const wanted = Math.min(max, state.isScarce ? Math.max(state.recent, inFlight) : ahead);
  state.held = Math.min(grantedAt(state, max, nowMs) ?? 0, Math.max(inFlight, wanted));
  state.asked = { seq, wanted, atMs: nowMs };
  state.unmet = 0;
  state.recent = inFlight;
  return { inFlight, held: state.held, wanted };
}

/**
 * The answer to the report `seq`; null: it failed, or is not there in time (it may still come). Does nothing unless it was
 * the last: a later report has told the object that less is held. The grant counts from when it was asked for, so that it
 * ends here before it ends in the object.
 */
export function settle(
  state: Concurrency,
  seq: number,
  reply: Pick<HealthReply, "concurrency" | "isolates"> | null,
  nowMs: number,
): void {
  const grant = reply?.concurrency ?? null;
  if (seq !== state.asked.seq) return;
  state.unmet = 0;
  state.isAway = grant === null;
  if (reply === null || grant === null) return;
  state.held = grant.granted;
  state.heldUntilMs = state.asked.atMs + grant.ttlMs - bounds.concurrencyGuardMs;
  state.isolates = reply.isolates;
  state.isScarce = grant.granted < state.asked.wanted;
  state.refusedUntilMs = state.isScarce ? nowMs + bounds.concurrencyAskPauseMs : 0;
}

/** What the grant allows, or null when there is none in force. */
function grantedAt(state: Concurrency, max: number, nowMs: number): number | null {
  return nowMs < state.heldUntilMs ? Math.min(state.held, max) : null;
}

/**
 * A runtime may cut a request off without a word, so that nobody calls `leave` for it. Therefore one counts for the turn in
 * which it began and the turn after, then no longer.
 */
function turn(state: Concurrency, nowMs: number): void {
  const passed = turnOf(nowMs) - state.turn;
  if (passed < 1) return;
  state.older = passed === 1 ? state.inFlight : 0;
  state.inFlight = 0;
  state.turn += passed;
}

function turnOf(atMs: number): number {
  return Math.floor(atMs / bounds.inFlightTurnMs);
}

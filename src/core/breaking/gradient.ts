/**
 * Adaptive concurrency of one service in one isolate, after Gradient2 of Netflix' concurrency-limits: the limit follows the
 * ratio of the usual latency to the present one, with room for a queue of sqrt(limit).
 *
 * Unlike there the usual latency is no average over all: under an overload that lasts it would rise to what the queue
 * makes of it, and the limit without end after it. Here it falls with any window, but rises only with one in which the limit
 * was not in use, or was lowered for that one window to find out (a dip, as BBR does for the round trip time). Isolates dip
 * at the same times of the clock, as one alone would not empty the queue of an origin.
 */
import type { GradientSettings } from "./types.ts";

/** Limit of an isolate that starts. */
const initialLimit = 20;
/** A window lasts at least so long and has at least so many samples. */
const windowMs = 250;
const windowSamples = 20;
/** Latency that is not yet counted as queueing, as a multiple of the usual one. */
const tolerance = 1.5;
/** The limit moves by this part of the way in each window; at worst towards half of what it is. */
const smoothing = 0.2;
const gradientMin = 0.5;
/** The usual latency moves by these parts of the way. */
const falling = 0.5;
const rising = 0.2;
/** Time between two dips, while the latency is above tolerance, and the part of the limit that is left in one. */
const dipEveryMs = 10_000;
const dipShare = 0.25;

/** Make it with `newGradient`. */
export interface Gradient {
  limit: number;
  /** Latency without a queue; 0 = not known yet. */
  usualMs: number;
  /** Number of the `dipEveryMs` of the clock in which the last dip was. */
  lastDip: number;
  isDipping: boolean;
  /** The last window was above tolerance, with the limit in use. */
  isSlow: boolean;
  window: { sinceMs: number; samples: number; sumMs: number; dropped: number; inFlightMax: number };
}

export function newGradient(nowMs: number): Gradient {
  return { limit: initialLimit, usualMs: 0, lastDip: 0, isDipping: false, isSlow: false, window: windowAt(nowMs) };
}

/** Whether one more request may be sent while `inFlight` are under way. */
export function gradientAdmits(state: Gradient, settings: GradientSettings, inFlight: number): boolean {
  return inFlight < within(settings, state.isDipping ? state.limit * dipShare : state.limit);
}

/**
 * A request is over.
 *
 * @param latencyMs to the response's headers, >= 0.
 * @param inFlight under way just before it ended, itself included.
 * @param isDropped it timed out or failed: its latency says nothing, but that it was too much for the origin.
 */
export function noteSample(
  state: Gradient,
  settings: GradientSettings,
  latencyMs: number,
  inFlight: number,
  isDropped: boolean,
  nowMs: number,
): void {
  const dip = Math.floor(nowMs / dipEveryMs);
  if (state.isSlow && !state.isDipping && dip > state.lastDip) {
    state.isDipping = true;
    state.lastDip = dip;
    state.window = windowAt(nowMs);
  }
  const { window } = state;
  window.inFlightMax = Math.max(window.inFlightMax, inFlight);
  if (isDropped) window.dropped += 1;
  // What began earlier was admitted by another limit: it would make the limit swing.
  else if (nowMs - latencyMs >= window.sinceMs) {
    window.samples += 1;
    window.sumMs += Math.max(1, latencyMs);
  }
  if (window.samples + window.dropped < windowSamples || nowMs - window.sinceMs < windowMs) return;
  judge(state, settings);
  state.window = windowAt(nowMs);
}

/** The window is over: draws the conclusions. */
function judge(state: Gradient, settings: GradientSettings): void {
  const { samples, sumMs, dropped, inFlightMax } = state.window;
  const { isDipping } = state;
  state.isDipping = false;
  const limit = within(settings, state.limit);
  const isInUse = inFlightMax > limit / 2;
  let speed = 1;
  if (samples > 0) {
    const meanMs = sumMs / samples;
    const usualMs = state.usualMs || meanMs;
    const isTrue = isDipping || !isInUse;
    state.usualMs = usualMs + (meanMs - usualMs) * (meanMs < usualMs ? falling : isTrue ? rising : 0);
    speed = Math.min(1, (tolerance * state.usualMs) / meanMs);
  }
  state.isSlow = isInUse && speed < 1;
  // The limit itself was not tried.
  if (isDipping) return;
  const gradient = Math.max(gradientMin, speed * (samples / (samples + dropped)));
  const target = limit * gradient + Math.sqrt(limit);
  if (target < limit || isInUse) state.limit = within(settings, limit + smoothing * (target - limit));
}

function within({ minConcurrency, maxConcurrency }: GradientSettings, limit: number): number {
  return Math.min(maxConcurrency, Math.max(minConcurrency, limit));
}

function windowAt(sinceMs: number): Gradient["window"] {
  return { sinceMs, samples: 0, sumMs: 0, dropped: 0, inFlightMax: 0 };
}

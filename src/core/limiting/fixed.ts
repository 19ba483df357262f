/** Windows that follow one another, aligned to the epoch or to a calendar: at most `limit` in each. */
import type { Meter } from "./types.ts";

/** The window that is now, and what is charged to it and to the one after it. */
export interface FixedState {
  readonly startMs: number;
  readonly endMs: number;
  readonly charged: number;
  readonly next: number;
}

export interface WindowBounds {
  readonly startMs: number;
  readonly endMs: number;
}

/** Bounds of the window of `windowMs` that `nowMs` is in. */
export function epochWindow(windowMs: number, nowMs: number): WindowBounds {
  const startMs = Math.floor(nowMs / windowMs) * windowMs;
  return { startMs, endMs: startMs + windowMs };
}

/**
 * A hold that may be spent in two windows is charged to both. `boundsOf` gives the window that a moment is in; it is
 * asked once a window, and may be costly.
 */
export function fixedWindow(limit: number, boundsOf: (nowMs: number) => WindowBounds): Meter<FixedState> {
  const resetMs = ({ endMs }: FixedState, nowMs: number) => endMs - nowMs;
  return {
    empty: (nowMs) => ({ ...boundsOf(nowMs), charged: 0, next: 0 }),
    expire: (state, nowMs) => {
      if (nowMs < state.endMs) return state;
      const { startMs, endMs } = boundsOf(nowMs);
      const follows = startMs <= state.endMs;
      return { startMs: follows ? state.endMs : startMs, endMs, charged: follows ? state.next : 0, next: 0 };
    },
    charge: (state, { amount, untilMs }) => ({
      ...state,
      charged: state.charged + amount,
      next: state.next + (untilMs > state.endMs ? amount : 0),
    }),
    settle: (state, hold, used) => {
      if (hold.untilMs <= state.startMs && hold.fromMs < state.startMs) return state;
      const next = hold.fromMs >= state.startMs && hold.untilMs > state.endMs ? hold.amount : 0;
      return { ...state, charged: state.charged - (hold.amount - used), next: state.next - next };
    },
    charged: ({ charged }) => charged,
    free: (state, nowMs, ttlMs) =>
      limit - (nowMs + ttlMs > state.endMs ? Math.max(state.charged, state.next) : state.charged),
    waitMs: (state, need, nowMs, ttlMs) => {
      const crosses = nowMs + ttlMs > state.endMs;
      if (limit - state.charged >= need && !(crosses && limit - state.next < need)) return 0;
      return (limit - state.next >= need ? state.endMs : boundsOf(state.endMs).endMs) - nowMs;
    },
    resetMs,
    delayMs: () => 0,
    emptyAtMs: (state) => {
      if (state.next > 0) return boundsOf(state.endMs).endMs;
      return state.charged > 0 ? state.endMs : 0;
    },
  };
}

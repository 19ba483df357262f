/** What an operator sees of a key. */
import { advance, type Book } from "./book.ts";
import type { WindowSpec } from "./types.ts";

export interface Peek {
  /** -1: nobody has asked for the key yet. */
  readonly policyVersion: number;
  readonly windows: readonly {
    readonly spec: WindowSpec;
    /** Permits in use, those of leases that are out included; of a bucket with a fraction. */
    readonly charged: number;
    /** Permits that could be spent at once, never negative. */
    readonly free: number;
    /** Time until more is free; 0 when nothing is charged. */
    readonly resetMs: number;
  }[];
  /** Leases that can still be spent from. */
  readonly leases: readonly { readonly isolate: string; readonly amount: number; readonly untilMs: number }[];
}

/** Reads a key without spending anything; nothing is to be stored. */
export function peek(book: Book, clockMs: number): Peek {
  const nowMs = advance(book, clockMs);
  return {
    policyVersion: book.policyVersion,
    windows: book.windows.map(({ spec, meter, state }) => ({
      spec,
      charged: meter.charged(state),
      free: Math.max(0, meter.free(state, nowMs, 0)),
      resetMs: meter.resetMs(state, nowMs),
    })),
    leases: book.leases
      .filter(({ untilMs }) => untilMs > nowMs)
      .map(({ isolate, amount, untilMs }) => ({ isolate, amount, untilMs })),
  };
}

/** The windows as the admin API shows them, each in the words of the configuration. */
export function shownWindows({ windows }: Pick<Peek, "windows">) {
  return windows.map(({ spec, charged, free, resetMs }) => ({
    ...written(spec),
    charged,
    free,
    resetSeconds: resetMs / 1_000,
  }));
}

function written(spec: WindowSpec) {
  switch (spec.kind) {
    case "sliding-window":
    case "fixed-window":
      return { kind: spec.kind, limit: spec.limit, windowSeconds: spec.windowMs / 1_000 };
    case "calendar-window":
      return { kind: spec.kind, limit: spec.limit, per: spec.unit, timeZone: spec.timeZone };
    default:
      return spec;
  }
}

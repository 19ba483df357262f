/** Changes of a limit's windows, and the reset by an operator. */
import type { Book, Window } from "./book.ts";
import { meterOf, shapeOf } from "./meters.ts";
import type { WindowSpec } from "./types.ts";

/**
 * Takes over the windows of a higher policy version; returns whether it did. A window of a known shape keeps its charges,
 * so a lowered limit counts at once; one of a new shape begins with the leases that are out.
 */
export function adopt(book: Book, windows: readonly WindowSpec[], policyVersion: number, nowMs: number): boolean {
  if (policyVersion <= book.policyVersion) return false;
  const known = new Map(book.windows.map((window) => [shapeOf(window.spec), window.state]));
  book.policyVersion = policyVersion;
  const isNew = windows.some((spec) => !known.has(shapeOf(spec)));
  // A hold that is over is not charged to a new window, so it cannot be settled there.
  if (isNew) dropEnded(book, nowMs);
  book.windows = windows.map((spec) => {
    const meter = meterOf(spec);
    const state = known.get(shapeOf(spec));
    return state === undefined ? begin(book, spec, nowMs) : { spec, meter, state: meter.expire(state, nowMs) };
  });
  return true;
}

/** Forgets what was spent. Leases that are out stay charged, for they may still be spent. */
export function resetBook(book: Book, nowMs: number): void {
  dropEnded(book, nowMs);
  book.windows = book.windows.map(({ spec }) => begin(book, spec, nowMs));
  book.chunk = { amount: 0, untilMs: 0 };
}

function dropEnded(book: Book, nowMs: number): void {
  book.leases = book.leases.filter(({ untilMs }) => untilMs > nowMs);
}

function begin(book: Book, spec: WindowSpec, nowMs: number): Window {
  const meter = meterOf(spec);
  let state = meter.empty(nowMs);
  for (const { amount, untilMs } of book.leases) state = meter.charge(state, { amount, fromMs: nowMs, untilMs });
  return { spec, meter, state };
}

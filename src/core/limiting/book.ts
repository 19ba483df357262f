/**
 * The lease book of one key: what the object knows. In memory it is exact; the row that is stored has a chunk charged on
 * top, and grants within the chunk need no new row: after a crash the chunk's rest is lost, nothing is granted twice.
 */
import { limits } from "./limits.ts";
import { type MeterState, meterOf } from "./meters.ts";
import type { Hold, Meter, WindowSpec } from "./types.ts";

/** A window with its meter and state. */
export interface Window {
  readonly spec: WindowSpec;
  readonly meter: Meter<MeterState>;
  state: MeterState;
}

/** A lease that can still be settled; `seq` names it within its isolate. */
export interface Lease extends Hold {
  readonly isolate: string;
  readonly seq: number;
  readonly delayMs: number;
}

export interface IsolateRecord {
  seenMs: number;
  /** Queries up to this are answered with a refusal: a lease of the same isolate this young is already settled. */
  closedSeq: number;
}

/** Altered in place by `lease` and `reset`. If storing its row fails, throw it away. */
export interface Book {
  policyVersion: number;
  windows: Window[];
  isolates: Map<string, IsolateRecord>;
  leases: Lease[];
  /** No moment before this is believed. */
  lastNowMs: number;
  /** What the stored row has charged beyond this book: grants within it are durable already. Never stored itself. */
  chunk: { amount: number; untilMs: number };
  /** Settlements that the stored row does not have. */
  dirty: boolean;
  storedMs: number;
  /** Calls and grants a second, smoothed. */
  flow: { calls: number; grants: number; atMs: number };
}

/** The one row of a book: JSON. `v` is the version of the shape. */
export interface BookRow {
  readonly v: 1;
  readonly policyVersion: number;
  readonly windows: readonly { readonly spec: WindowSpec; readonly state: MeterState }[];
  readonly isolates: readonly (readonly [id: string, seenMs: number, closedSeq: number])[];
  readonly leases: readonly Lease[];
  readonly lastNowMs: number;
}

/** The book of a key that nobody has asked for. */
export function emptyBook(): Book {
  return bookOf({ v: 1, policyVersion: -1, windows: [], isolates: [], leases: [], lastNowMs: 0 });
}

/** The book of a stored row. */
export function bookOf(row: BookRow): Book {
  return {
    policyVersion: row.policyVersion,
    windows: row.windows.map(({ spec, state }) => ({ spec, meter: meterOf(spec), state })),
    isolates: new Map(row.isolates.map(([id, seenMs, closedSeq]) => [id, { seenMs, closedSeq }])),
    leases: [...row.leases],
    lastNowMs: row.lastNowMs,
    chunk: { amount: 0, untilMs: 0 },
    dirty: false,
    storedMs: row.lastNowMs,
    flow: { calls: 0, grants: 0, atMs: row.lastNowMs },
  };
}

/** What is to be stored, as it stands after a call that said `changed`; shares nothing that is altered later. */
export function rowOf(book: Book): BookRow {
  const { amount, untilMs } = book.chunk;
  const hold = { amount, fromMs: book.lastNowMs, untilMs };
  return {
    v: 1,
    policyVersion: book.policyVersion,
    windows: book.windows.map(({ spec, meter, state }) => ({
      spec,
      state: amount > 0 ? meter.charge(state, hold) : state,
    })),
    isolates: [...book.isolates].map(([id, { seenMs, closedSeq }]) => [id, seenMs, closedSeq]),
    leases: [...book.leases],
    lastNowMs: book.lastNowMs,
  };
}

/** Brings the book to now, which is never before any earlier now, and returns that. */
export function advance(book: Book, clockMs: number): number {
  const nowMs = Math.max(clockMs, book.lastNowMs);
  book.lastNowMs = nowMs;
  for (const window of book.windows) window.state = window.meter.expire(window.state, nowMs);
  return nowMs;
}

/**
 * When the whole state may be deleted, as far as is known now: nothing charged and no lease out, with a margin for clocks.
 * Ask again then; delete if it is not later than the clock.
 */
export function deletableAtMs(book: Book): number {
  const ends = book.windows.map(({ meter, state }) => meter.emptyAtMs(state));
  return Math.max(0, ...ends, ...book.leases.map(({ untilMs }) => untilMs), book.chunk.untilMs) + limits.idleMarginMs;
}

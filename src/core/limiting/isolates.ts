/** Isolates of a key and the leases they hold: who is active, what was answered, what can be settled. All bounded. */
import type { Book, IsolateRecord, Lease } from "./book.ts";
import { limits } from "./limits.ts";
import { windowMsOf } from "./policy.ts";
import type { Report } from "./types.ts";

/** Notes that an isolate called; forgets those that have not for long. */
export function seen(book: Book, id: string, nowMs: number): IsolateRecord {
  const record = book.isolates.get(id) ?? { seenMs: nowMs, closedSeq: -1 };
  record.seenMs = nowMs;
  // Moved to the end: the order of the map is that of the last calls.
  book.isolates.delete(id);
  book.isolates.set(id, record);
  for (const [other, { seenMs }] of book.isolates) {
    if (book.isolates.size <= limits.isolatesMax && nowMs - seenMs <= limits.isolateKeptMs) break;
    book.isolates.delete(other);
    book.leases = book.leases.filter(({ isolate }) => isolate !== other);
  }
  return record;
}

/** Forgets leases of which no window counts anything any more. */
export function forgetLeases(book: Book, nowMs: number): void {
  const longestMs = Math.max(...book.windows.map(({ spec }) => windowMsOf(spec)));
  const isOver = ({ untilMs }: Lease) => untilMs + longestMs < nowMs;
  if (book.leases.some(isOver)) book.leases = book.leases.filter((lease) => !isOver(lease));
}

/** Isolates that called lately, with leases of `leaseMs`; at least 1. */
export function activeIsolates(book: Book, leaseMs: number, nowMs: number): number {
  const leasesMs = Math.min(limits.activeMsMax, Math.max(limits.activeMsMin, limits.activeLeases * leaseMs));
  const activeMs = Math.max(leasesMs, leaseMs);
  let count = 0;
  for (const { seenMs } of book.isolates.values()) if (nowMs - seenMs <= activeMs) count++;
  return Math.max(1, count);
}

/** The lease that this very query got before, if it is remembered. */
export function leaseOf(book: Book, isolate: string, seq: number): Lease | undefined {
  return book.leases.find((lease) => lease.seq === seq && lease.isolate === isolate);
}

/** Remembers a lease for settlement; of one isolate only the youngest few. */
export function remember(book: Book, lease: Lease): void {
  const own = book.leases.filter(({ isolate }) => isolate === lease.isolate);
  const drop = own.length >= limits.leasesPerIsolateMax ? own[0] : undefined;
  book.leases = [...book.leases.filter((other) => other !== drop), lease];
}

/** Settles reported leases, each once: what is not known (any more) stays charged. Returns whether any was. */
export function settle(book: Book, isolate: string, record: IsolateRecord, reports: readonly Report[], nowMs: number) {
  let any = false;
  for (const { seq, used } of reports) {
    const lease = leaseOf(book, isolate, seq);
    record.closedSeq = Math.max(record.closedSeq, seq);
    if (lease === undefined) continue;
    const spent = Math.min(Math.max(0, used), lease.amount);
    for (const window of book.windows) window.state = window.meter.settle(window.state, lease, spent, nowMs);
    book.leases = book.leases.filter((other) => other !== lease);
    any = true;
  }
  return any;
}

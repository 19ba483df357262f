/** Which isolates report, and which of their reports is the last. */
import { bounds } from "../../bounds.ts";
import type { Book } from "./book.ts";

/** Notes a report. False: it, or a later one of the isolate, was here before, so it counts nothing (B3). */
export function isFirst(book: Book, isolate: string, seq: number, nowMs: number): boolean {
  const last = book.isolates.get(isolate);
  const first = Number.isSafeInteger(seq) && seq > (last?.seq ?? Number.NEGATIVE_INFINITY);
  // Moved to the end: the order of the map is that of the last reports.
  book.isolates.delete(isolate);
  book.isolates.set(isolate, { seq: first ? seq : (last?.seq ?? Number.NEGATIVE_INFINITY), atMs: nowMs });
  for (const [other, { atMs }] of book.isolates) {
    if (book.isolates.size <= bounds.healthIsolatesMax && nowMs - atMs <= bounds.healthIsolateKeptMs) break;
    book.isolates.delete(other);
  }
  return first;
}

/** Pause until the next report: so many isolates do not report more often than `bounds.healthReportsPerSecond`. */
export function nextReportMs(isolates: number): number {
  return Math.max(bounds.healthReportMsMin, Math.ceil((isolates * 1_000) / bounds.healthReportsPerSecond));
}

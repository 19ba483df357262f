/** What isolates and checks tell a registry of its origins' health. Each operation first does what is due (`tick`). */
import { isHealthyAfter } from "../checking/judge.ts";
import { supersedes } from "../checking/order.ts";
import type { CheckOrder } from "../checking/types.ts";
import { tick } from "./expiry.ts";
import { mark, setOrder, targetsOf } from "./marks.ts";
import type { Book, Outcome } from "./types.ts";

/** Takes an order of checks if it counts (`supersedes`); the one in force is confirmed by being sent again. */
export function order(book: Book, given: CheckOrder, nowMs: number): Outcome<{ readonly accepted: boolean }> {
  const change = tick(book, nowMs);
  const accepted = supersedes(given, book.checkOrder, nowMs);
  if (accepted) setOrder(book, change, { ...given, sinceMs: nowMs, confirmedMs: nowMs });
  else if (book.checkOrder?.digest === given.digest) book.checkOrder = { ...book.checkOrder, confirmedMs: nowMs };
  return { result: { accepted }, change };
}

/** An origin's results in a row, above 0 passed and below 0 failed, after one more check of that URL. */
export interface Finding {
  readonly origin: string;
  readonly url: string;
  readonly run: number;
}

/** Draws the conclusion from a check; the result says whether the origin is healthy now, null when it is not checked any more. */
export function conclude(book: Book, { origin, url, run }: Finding, nowMs: number): Outcome<boolean | null> {
  const change = tick(book, nowMs);
  const settings = book.checkOrder?.settings ?? null;
  if (settings === null || targetsOf(book).get(origin) !== url) return { result: null, change };
  const isHealthy = isHealthyAfter(!book.unhealthy.has(origin), run, settings);
  mark(book, change, origin, isHealthy);
  return { result: isHealthy, change };
}

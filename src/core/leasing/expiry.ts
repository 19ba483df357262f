/**
 * Makes due what is due: the end of graces, of leases and of an order of checks, and the guard against mass expiry (R5).
 *
 * Renewals that stop all at once more likely mean that the way to the registry is broken than that every origin died.
 * So a service of `freezeLeasesMin` leases or more of which fewer than `freezeRenewedShareMin` were renewed in time is
 * frozen: leases past their deadline stay, listed as `suspect`. It thaws when the share is back, and what is still due
 * then (a small rest, by the rule's own arithmetic) expires at once. When the share is not back after `freezeMsMax` the
 * leases past their deadline expire in passes; the service stays frozen and the ones still waiting stay flagged until
 * the last pass. So "listed past its deadline" always means "frozen and flagged" (R2), without a third kind of origin.
 *
 * - Draining origins are outside of this: they take no new traffic, so their leases always end exactly, and origins that
 *   are drained and switched off in numbers raise no suspicion.
 * - The smallest service that can freeze is a condition of entry only. A frozen service that shrinks below it would
 *   otherwise lose all its suspects at once.
 */
import { bounds } from "../../bounds.ts";
import { append, noChange, remove, store } from "./book.ts";
import { lapsesAtMs, setOrder } from "./marks.ts";
import type { Book, Change, Origin } from "./types.ts";

/** Has the lease or the grace of a draining origin ended? */
function isDrained(origin: Origin, nowMs: number): boolean {
  return origin.drainUntilMs !== null && Math.min(origin.drainUntilMs, origin.deadlineMs) <= nowMs;
}

/**
 * A client renews every third of a ttl +-20 %, which the pause it is told has already and a client may add again: a
 * healthy lease was renewed at most 0.48 ttl ago. A restart's extension is no renewal.
 */
function isRenewedInTime(origin: Origin, nowMs: number): boolean {
  const renewedMs = origin.deadlineMs - origin.ttlMs;
  return origin.extensions === 0 && nowMs - renewedMs <= origin.ttlMs / 2;
}

function shareRenewed(leases: readonly Origin[], nowMs: number): number {
  return leases.length === 0 ? 1 : leases.filter((origin) => isRenewedInTime(origin, nowMs)).length / leases.length;
}

function removeDrained(book: Book, change: Change, nowMs: number): void {
  for (const origin of book.origins.values()) {
    if (isDrained(origin, nowMs)) remove(book, change, origin.id, origin.deadlineMs <= nowMs ? "expire" : "drained");
  }
}

function expire(book: Book, change: Change, origins: readonly Origin[]): void {
  for (const origin of origins) remove(book, change, origin.id, "expire");
}

function flag(book: Book, change: Change, origins: readonly Origin[]): void {
  for (const origin of origins) {
    if (origin.state === "suspect") continue;
    store(book, change, { ...origin, state: "suspect" });
    append(book, change, { type: "suspect", origin: origin.id, body: null });
  }
}

/** `due`: past their deadline, the longest overdue first; `leases`: how many there are in all. */
function expireOnePass(book: Book, change: Change, due: readonly Origin[], leases: number): void {
  const passed = Math.max(1, Math.floor(leases * bounds.expireShareMax));
  expire(book, change, due.slice(0, passed));
  flag(book, change, due.slice(passed));
}

/** Does what is due at `nowMs`. Every operation on a book begins with it, so none sees a lease that is over. */
export function tick(book: Book, nowMs: number): Change {
  const change = noChange();
  if (nowMs >= lapsesAtMs(book)) setOrder(book, change, null);
  removeDrained(book, change, nowMs);
  const leases = [...book.origins.values()].filter((origin) => origin.state !== "draining");
  // A clock that was set back makes nobody less overdue.
  const due = leases
    .filter((origin) => origin.deadlineMs <= nowMs || origin.state === "suspect")
    .sort((a, b) => a.deadlineMs - b.deadlineMs || (a.id < b.id ? -1 : 1));
  const suspected = shareRenewed(leases, nowMs) < bounds.freezeRenewedShareMin;
  if (book.freeze === null) {
    if (due.length > 0 && suspected && leases.length >= bounds.freezeLeasesMin) {
      book.freeze = { sinceMs: nowMs, nextPassMs: nowMs + bounds.freezeMsMax };
      append(book, change, { type: "freeze", origin: null, body: { sinceMs: nowMs } });
      flag(book, change, due);
    } else expire(book, change, due);
  } else if (!suspected || (due.length === 0 && nowMs >= book.freeze.nextPassMs)) {
    expire(book, change, due);
    book.freeze = null;
    append(book, change, { type: "thaw", origin: null, body: null });
  } else if (nowMs >= book.freeze.nextPassMs) {
    book.freeze = { ...book.freeze, nextPassMs: nowMs + bounds.expirePassMs };
    expireOnePass(book, change, due, leases.length);
  } else flag(book, change, due);
  return change;
}

/** When `tick` must run next, never before `nowMs`; null when nothing will come due by itself. */
export function nextDueMs(book: Book, nowMs: number): number | null {
  let dueMs = Math.min(book.freeze?.nextPassMs ?? Number.POSITIVE_INFINITY, lapsesAtMs(book));
  for (const origin of book.origins.values()) {
    if (origin.state === "suspect") continue;
    dueMs = Math.min(dueMs, origin.deadlineMs, origin.drainUntilMs ?? Number.POSITIVE_INFINITY);
  }
  return dueMs === Number.POSITIVE_INFINITY ? null : Math.max(nowMs, dueMs);
}

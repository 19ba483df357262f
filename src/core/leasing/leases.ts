/** What registrants and operators ask of a registry. Each operation first does what is due (`tick`). */
import { bounds } from "../../bounds.ts";
import { append, remove, store } from "./book.ts";
import { tick } from "./expiry.ts";
import type { Book, Change, Origin, Outcome, Registration } from "./types.ts";

/** Heartbeats asked for in one ttl, and how far each may be off: the fleet spreads itself. */
const heartbeatsPerTtl = 3;
const heartbeatJitter = 0.2;

/** Pause that a client is told to make before its next heartbeat: a third of the ttl +-20 %. `random` is in [0, 1). */
export function heartbeatMs(ttlMs: number, random: () => number): number {
  return Math.round((ttlMs / heartbeatsPerTtl) * (1 + heartbeatJitter * (2 * random() - 1)));
}

export type RegisterResult =
  | { readonly ok: true; readonly created: boolean; readonly origin: Origin }
  /** `revision`: the origin's `modRevision`, 0 when there is no such origin. */
  | { readonly ok: false; readonly code: "revision_conflict"; readonly revision: number }
  | { readonly ok: false; readonly code: "registry_full" };

/**
 * Registers an origin or replaces the one of the same id: one row, a new lease, the old lease void (R7), ready again if
 * it was draining. An identical registration still makes a new lease and a new revision. An origin that fails its checks
 * goes on failing them, unless it has moved to another URL.
 *
 * @param leaseId a value never used before.
 * @param ifRevision the `modRevision` that the origin must have; 0: it must not exist; null: whatever there is.
 */
export function register(
  book: Book,
  registration: Registration,
  nowMs: number,
  leaseId: string,
  ifRevision: number | null = null,
): Outcome<RegisterResult> {
  const change = tick(book, nowMs);
  const { id, ...body } = registration;
  const old = book.origins.get(id);
  const oldRevision = old?.modRevision ?? 0;
  if (ifRevision !== null && ifRevision !== oldRevision) {
    return { result: { ok: false, code: "revision_conflict", revision: oldRevision }, change };
  }
  if (old === undefined && book.origins.size >= bounds.originsPerServiceMax) {
    return { result: { ok: false, code: "registry_full" }, change };
  }
  if (old?.url !== registration.url) book.unhealthy.delete(id);
  const revision = book.revision + 1;
  const deadlineMs = nowMs + registration.ttlMs;
  const origin: Origin = {
    ...registration,
    state: "ready",
    drainUntilMs: null,
    createRevision: old?.createRevision ?? revision,
    modRevision: revision,
    leaseId,
    deadlineMs,
    storedDeadlineMs: deadlineMs,
    extensions: 0,
  };
  store(book, change, origin);
  append(book, change, { type: "put", origin: id, body });
  return { result: { ok: true, created: old === undefined, origin }, change };
}

/** A lease as its holder names it. */
export interface LeaseRef {
  readonly origin: string;
  readonly leaseId: string;
}

export interface HeartbeatResult {
  /** The rows after renewal. */
  readonly renewed: readonly Origin[];
  /** Unknown, replaced or expired: never to be renewed again (R6), the origin registers anew. */
  readonly lost: readonly LeaseRef[];
}

/**
 * Renews leases in memory. Only those rows are to be stored whose stored deadline would lag by a ttl or more, that a
 * restart had extended, or that were suspect (which is the only renewal that makes an event).
 */
export function heartbeat(book: Book, leases: readonly LeaseRef[], nowMs: number): Outcome<HeartbeatResult> {
  const change = tick(book, nowMs);
  const renewed: Origin[] = [];
  const lost: LeaseRef[] = [];
  for (const lease of leases) {
    const origin = book.origins.get(lease.origin);
    if (origin?.leaseId === lease.leaseId) renewed.push(renew(book, change, origin, nowMs));
    else lost.push(lease);
  }
  return { result: { renewed, lost }, change };
}

function renew(book: Book, change: Change, origin: Origin, nowMs: number): Origin {
  // A clock that steps back must not shorten a lease.
  const deadlineMs = Math.max(origin.deadlineMs, nowMs + origin.ttlMs);
  const wasSuspect = origin.state === "suspect";
  const renewed: Origin = { ...origin, deadlineMs, extensions: 0, state: wasSuspect ? "ready" : origin.state };
  const lagMs = deadlineMs - origin.storedDeadlineMs;
  if (wasSuspect || origin.extensions > 0 || lagMs >= origin.ttlMs) store(book, change, renewed);
  else book.origins.set(origin.id, renewed);
  if (wasSuspect) append(book, change, { type: "ready", origin: origin.id, body: null });
  return renewed;
}

export type DrainResult =
  /** `drainUntilMs`: when the origin will be removed at the latest; it goes earlier if its lease ends. */
  { readonly ok: true; readonly drainUntilMs: number } | { readonly ok: false; readonly code: "origin_unknown" };

/** Ends new traffic to an origin and removes it after the grace; 0 removes it at once. Again: the new grace counts. */
export function drain(book: Book, id: string, graceMs: number, nowMs: number): Outcome<DrainResult> {
  const change = tick(book, nowMs);
  const origin = book.origins.get(id);
  if (origin === undefined) return { result: { ok: false, code: "origin_unknown" }, change };
  const drainUntilMs = nowMs + graceMs;
  if (graceMs === 0) remove(book, change, id, "drained");
  else {
    store(book, change, { ...origin, state: "draining", drainUntilMs, modRevision: book.revision + 1 });
    append(book, change, { type: "drain", origin: id, body: { drainUntilMs } });
  }
  return { result: { ok: true, drainUntilMs }, change };
}

/** Removes an origin and voids its lease; without an event when there is no such origin. */
export function deregister(book: Book, id: string, nowMs: number): Outcome<{ readonly removed: boolean }> {
  const change = tick(book, nowMs);
  const removed = book.origins.has(id);
  if (removed) remove(book, change, id, "deregister");
  return { result: { removed }, change };
}

/** One call of an isolate to the object of a key: settle, expire, size, charge, answer. */
import { adopt, resetBook } from "./adopt.ts";
import { advance, type Book, type Lease } from "./book.ts";
import { activeIsolates, forgetLeases, leaseOf, remember, seen, settle } from "./isolates.ts";
import { limits } from "./limits.ts";
import { leaseMsOf, windowMsOf } from "./policy.ts";
import { freeOf, leaseEndMs, type Size, sizeOf } from "./size.ts";
import type { Hold, LeaseQuery, LeaseReply, WindowSpec } from "./types.ts";

export interface Outcome {
  readonly reply: LeaseReply;
  /** The row (`rowOf`) must be stored, and durable before the reply leaves. False: the reply may go as it is. */
  readonly changed: boolean;
}

/**
 * Answers a query. Idempotent by `seq`: a query that has its lease gets the same grant again; one whose lease is settled is
 * refused, as its isolate has given it up.
 */
export function lease(book: Book, query: LeaseQuery, clockMs: number): Outcome {
  const nowMs = advance(book, clockMs);
  const adopted = adopt(book, query.windows, query.policyVersion, nowMs);
  forgetLeases(book, nowMs);
  const record = seen(book, query.isolate, nowMs);
  const before = leaseOf(book, query.isolate, query.seq);
  const isClosed = query.seq <= record.closedSeq;
  if (settle(book, query.isolate, record, query.reports, nowMs)) book.dirty = true;
  if (before !== undefined || isClosed)
    return { reply: replyOf(book, query, before, nowMs), changed: store(book, adopted, nowMs) };
  const spent = spend(book, query, nowMs);
  const isolates = activeIsolates(book, leaseMsOf(specsOf(book)), nowMs);
  const grant = query.need > 0 ? charge(book, query, sizeOf(book, query, isolates, nowMs), nowMs) : undefined;
  measure(book, grant?.amount ?? 0, nowMs);
  const covered = grant === undefined || takeFromChunk(book, grant);
  const reply = replyOf(book, query, grant, nowMs);
  return { reply, changed: store(book, adopted || spent || !covered, nowMs) };
}

/** Forgets what was spent of a key, not the leases that are out. The row must be stored. */
export function reset(book: Book, clockMs: number): void {
  resetBook(book, advance(book, clockMs));
}

/** Counts what an approximate limit has spent, free or not. Remembered as a lease: the same query again counts once. */
function spend(book: Book, query: LeaseQuery, nowMs: number): boolean {
  if (query.spent <= 0) return false;
  const hold = { amount: query.spent, fromMs: nowMs, untilMs: nowMs };
  chargeAll(book, hold);
  remember(book, { ...hold, isolate: query.isolate, seq: query.seq, delayMs: 0 });
  return true;
}

function charge(book: Book, query: LeaseQuery, { amount, untilMs }: Size, nowMs: number): Lease | undefined {
  if (amount === 0) return undefined;
  const delayMs = Math.max(...book.windows.map(({ meter, state }) => meter.delayMs(state, amount)));
  const lease = { amount, fromMs: nowMs, untilMs, isolate: query.isolate, seq: query.seq, delayMs };
  chargeAll(book, lease);
  remember(book, lease);
  return lease;
}

function chargeAll(book: Book, hold: Hold): void {
  for (const window of book.windows) window.state = window.meter.charge(window.state, hold);
}

/** Is the grant covered by what the stored row has charged in advance? */
function takeFromChunk(book: Book, { amount, untilMs }: Hold): boolean {
  if (amount > book.chunk.amount || untilMs > book.chunk.untilMs) return false;
  book.chunk.amount -= amount;
  return true;
}

/** Decides whether a row is to be stored, and the chunk that it will have. */
function store(book: Book, must: boolean, nowMs: number): boolean {
  const isLate = book.dirty && nowMs - book.storedMs >= limits.chunkMs;
  if (!must && !isLate) return false;
  book.dirty = false;
  book.storedMs = nowMs;
  book.chunk = nextChunk(book, nowMs);
  return true;
}

/** What a hot key will grant in the next half second; nothing for others, where each grant is stored by itself. */
function nextChunk(book: Book, nowMs: number): { amount: number; untilMs: number } {
  const leaseMs = leaseMsOf(specsOf(book));
  const untilMs = leaseEndMs(book, nowMs, leaseMs + limits.chunkMs);
  if (book.flow.calls < limits.hotCallsPerSecond) return { amount: 0, untilMs };
  const free = freeOf(book, nowMs, untilMs - nowMs);
  const amount = Math.min(
    Math.floor(free / limits.chunkDivisor),
    Math.ceil((book.flow.grants * limits.chunkMs) / 1_000),
  );
  return { amount: Math.max(0, amount), untilMs };
}

function measure(book: Book, amount: number, nowMs: number): void {
  const { calls, grants, atMs } = book.flow;
  const kept = Math.exp(-(nowMs - atMs) / limits.flowMs);
  const perSecond = 1_000 / limits.flowMs;
  book.flow = { calls: calls * kept + perSecond, grants: grants * kept + amount * perSecond, atMs: nowMs };
}

function replyOf(book: Book, query: LeaseQuery, grant: Lease | undefined, nowMs: number): LeaseReply {
  const isolates = activeIsolates(book, leaseMsOf(specsOf(book)), nowMs);
  const amount = query.need > 0 ? (grant?.amount ?? 0) : 0;
  const ttlMs = grant === undefined ? 0 : grant.untilMs - grant.fromMs;
  const isDenied = amount < query.need;
  const frees = book.windows.map(({ meter, state }) => meter.free(state, nowMs, 0));
  const window = frees.indexOf(Math.min(...frees));
  const { meter, state } = book.windows[window]!;
  const retryAfterMs = isDenied ? waitMsOf(book, query, nowMs) : 0;
  return {
    seq: query.seq,
    granted: amount,
    // Without leases the permits are charged as spent; an isolate that does not know yet may still use them.
    ttlMs: amount > 0 && !query.exact ? Math.max(ttlMs, limits.leaseMsMin) : ttlMs,
    delayMs: grant === undefined ? 0 : Math.max(0, grant.fromMs + grant.delayMs - nowMs),
    retryAfterMs,
    denyMs: isDenied ? Math.min(limits.denyMsMax, Math.max(retryAfterMs, pauseMsOf(book, isolates))) : 0,
    window,
    free: Math.max(0, frees[window]!),
    resetMs: meter.resetMs(state, nowMs),
    isolates,
  };
}

function waitMsOf(book: Book, { need, exact }: LeaseQuery, nowMs: number): number {
  const isExact = exact || leaseMsOf(specsOf(book)) === 0;
  const ttlMs = isExact ? 0 : leaseEndMs(book, nowMs, limits.leaseMsMin) - nowMs;
  return Math.max(...book.windows.map(({ meter, state }) => meter.waitMs(state, need, nowMs, ttlMs)));
}

/** Pause after a denial: the isolates take turns, more often in a short window. */
function pauseMsOf(book: Book, isolates: number): number {
  return Math.ceil(Math.min(isolates * limits.denyMsPerIsolate, ...specsOf(book).map(turnMsMax)));
}

/** A window loses what is free and not asked for; a bucket only once it is full. */
function turnMsMax(spec: WindowSpec): number {
  return windowMsOf(spec) / ("rate" in spec ? limits.denyBucketDivisor : limits.denyWindowDivisor);
}

const specsOf = (book: Book) => book.windows.map(({ spec }) => spec);

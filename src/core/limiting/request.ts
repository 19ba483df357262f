/** Calls to the object: how they are made up, and what their answers mean for the isolate. */
import type { Ask } from "./decision.ts";
import { limits } from "./limits.ts";
import type { Policy } from "./policy.ts";
import {
  awaitTicket,
  close,
  type Entry,
  expectedRate,
  findEntry,
  type LeaseRequest,
  report,
  type Table,
} from "./table.ts";
import type { LeaseQuery, LeaseReply } from "./types.ts";

/**
 * The call for permits that is under way, or a new one for `need`. With `giveUp` what is in hand does not suffice and is
 * reported; without, it is spent on while the call runs.
 */
export function askLease(
  table: Table,
  entry: Entry,
  ask: Ask,
  nowMs: number,
  need: number,
  giveUp: boolean,
): LeaseRequest {
  if (entry.pending !== null && nowMs - entry.pending.sentAtMs < limits.flightMsMax) return entry.pending;
  if (entry.pending !== null) failed(table, entry.pending);
  close(entry, nowMs, giveUp);
  entry.pending = newRequest(table, entry, ask, nowMs, { need });
  return entry.pending;
}

/**
 * A newer policy with other windows ends what was granted for the older ones, and the call that is under way: a lowered limit
 * counts from here on.
 */
export function follow(table: Table, entry: Entry, policy: Policy, nowMs: number): void {
  const before = entry.policy;
  if (before !== null && policy.version <= before.version) return;
  entry.policy = policy;
  // Each version makes its windows anew, and most versions change something else.
  if (before === null || JSON.stringify(policy.windows) === JSON.stringify(before.windows)) return;
  close(entry, nowMs, true);
  if (entry.pending !== null) failed(table, entry.pending);
}

/** A call for exactly the cost of one request, which waits for it. */
export function askExactly(table: Table, entry: Entry, ask: Ask, nowMs: number): LeaseRequest {
  const request = newRequest(table, entry, ask, nowMs, { need: ask.cost, exact: true });
  awaitTicket(entry, request.query.seq);
  return request;
}

/** Tells the object what an approximate limit has spent, or the exchange that is under way. */
export function askToExchange(table: Table, entry: Entry, ask: Ask, nowMs: number): LeaseRequest {
  if (entry.pending !== null && nowMs - entry.pending.sentAtMs < limits.flightMsMax) return entry.pending;
  if (entry.pending !== null) failed(table, entry.pending);
  entry.pending = newRequest(table, entry, ask, nowMs, { spent: entry.unsent });
  entry.unsent = 0;
  entry.exchangeAtMs = nowMs + limits.exchangeMs;
  return entry.pending;
}

function newRequest(
  table: Table,
  entry: Entry,
  { key, policy, cost }: Ask,
  nowMs: number,
  part: Partial<LeaseQuery>,
): LeaseRequest {
  table.seq += 1;
  // Of a request that is still decided by an older policy the object need not hear.
  const { windows, version } = entry.policy ?? policy;
  return {
    key,
    sentAtMs: nowMs,
    query: {
      isolate: table.isolate,
      seq: table.seq,
      need: 0,
      rate: expectedRate(entry, cost, nowMs),
      exact: false,
      spent: 0,
      reports: entry.unreported,
      windows,
      policyVersion: version,
      ...part,
    },
  };
}

/**
 * Takes an answer; one to a call that was given up, or a second one to the same call, changes nothing. `random` is in
 * [0, 1): a denial is remembered a little longer by some.
 */
export function granted(
  table: Table,
  request: LeaseRequest,
  reply: LeaseReply,
  nowMs: number,
  random: () => number,
): void {
  const entry = findEntry(table, request.key);
  const { query } = request;
  if (entry === undefined || !(entry.pending === request || entry.tickets.get(query.seq) === null)) return;
  const told = new Set(query.reports.map(({ seq }) => seq));
  entry.unreported = entry.unreported.filter(({ seq }) => !told.has(seq));
  entry.isolates = reply.isolates;
  entry.window = reply.window;
  entry.free = reply.free;
  entry.resetAtMs = nowMs + reply.resetMs;
  entry.shared = { debt: 0, atMs: nowMs };
  if (entry.pending === request) entry.pending = null;
  if (query.exact) entry.tickets.set(query.seq, { granted: reply.granted, delayMs: reply.delayMs });
  else if (reply.granted > 0) hold(entry, request, reply, nowMs);
  if (reply.granted < query.need) deny(entry, request, reply, nowMs, random);
}

function hold(entry: Entry, { query, sentAtMs }: LeaseRequest, reply: LeaseReply, nowMs: number): void {
  close(entry, nowMs, false);
  const { granted } = reply;
  entry.leases = [...entry.leases, { seq: query.seq, granted, permits: granted, expiresMs: sentAtMs + reply.ttlMs }];
}

function deny(
  entry: Entry,
  { query, sentAtMs }: LeaseRequest,
  reply: LeaseReply,
  nowMs: number,
  random: () => number,
): void {
  // However late the answer: who waited for it is denied by it.
  const untilMs = Math.max(sentAtMs + Math.ceil(reply.denyMs * (1 + limits.denyJitter * random())), nowMs + 1);
  // The object's time begins no later than the answer arrives: from there on the wait is certainly over.
  const retryAtMs = Math.max(nowMs + reply.retryAfterMs, untilMs);
  entry.denial = { untilMs, cost: Math.min(reply.free + 1, query.need), retryAtMs, policyVersion: query.policyVersion };
}

/** Gives up a call: no answer in time. What it may have been granted is reported as unused; what it told is told again. */
export function failed(table: Table, request: LeaseRequest): void {
  const entry = findEntry(table, request.key);
  if (entry === undefined) return;
  const { seq, spent } = request.query;
  if (entry.pending === request) entry.pending = null;
  else if (!entry.tickets.delete(seq)) return;
  if (spent > 0) entry.unsent += spent;
  else report(entry, seq, 0);
}

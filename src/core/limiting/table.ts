/** The isolate's memory of its keys: permits in hand, denials, what is yet to be reported. Bounded, the oldest go. */
import { limits } from "./limits.ts";
import type { Policy } from "./policy.ts";
import type { LeaseQuery, Report } from "./types.ts";

/** Permits in hand. */
export interface HeldLease {
  readonly seq: number;
  readonly granted: number;
  permits: number;
  /** Nothing is spent from here on, less the guard. */
  readonly expiresMs: number;
}

/** A call that is to be made, or under way: the same object for all who wait for it. */
export interface LeaseRequest {
  /** The key of the table, and of the object. */
  readonly key: string;
  readonly query: LeaseQuery;
  /** The lease counts from here: the decision to ask, not the answer, so that clocks need not agree. */
  readonly sentAtMs: number;
}

export interface Denial {
  /** Until then the object is not asked for `cost` or more. */
  readonly untilMs: number;
  readonly cost: number;
  /** When a client that waits is admitted; not before `untilMs`. */
  readonly retryAtMs: number;
  readonly policyVersion: number;
}

/** What the isolate knows of one key. */
export interface Entry {
  /** At most the one that is spent and the one that was fetched meanwhile; the older first. */
  leases: HeldLease[];
  /** The one call for permits that is under way. */
  pending: LeaseRequest | null;
  /** Exact calls that somebody waits for, and what they brought: null until answered. */
  tickets: Map<number, Ticket | null>;
  unreported: Report[];
  denial: Denial | null;
  /** The newest that asked; null: none did. */
  policy: Policy | null;
  /** Demand in permits a second before the last request, and its moment. */
  demand: { perSecond: number; atMs: number };
  /** Isolates active on the key when the object last answered; 0: it never did. */
  isolates: number;
  /** The tightest window when the object last answered, the permits that it had left, and when more would be. */
  window: number;
  free: number;
  resetAtMs: number;
  /** Local bucket while the object is away: what it lacks, and when that was so. */
  shared: { debt: number; atMs: number };
  /** Of an approximate limit: spent since the last exchange, and when the next is due. */
  unsent: number;
  exchangeAtMs: number;
}

/** An exact grant in the hands of the request that asked for it. */
export interface Ticket {
  readonly granted: number;
  readonly delayMs: number;
}

export interface Table {
  readonly isolate: string;
  seq: number;
  /** By key, those used since the last turn; at half of `entriesMax` they become the older ones, and those are forgotten. */
  entries: Map<string, Entry>;
  older: Map<string, Entry>;
}

/** Always empty: of the keys that have never made an exact call, which are most. */
const noTickets: Entry["tickets"] = new Map();

/** Notes that somebody waits for an exact call. */
export function awaitTicket(entry: Entry, seq: number): void {
  if (entry.tickets === noTickets) entry.tickets = new Map();
  entry.tickets.set(seq, null);
}

/** An isolate's table. `isolate`: a random name that no other isolate has or ever had. */
export function newTable(isolate: string): Table {
  return { isolate, seq: 0, entries: new Map(), older: new Map() };
}

/** The entry of a key, made if there is none. One that is forgotten strands its permits. */
export function entryOf(table: Table, key: string, nowMs: number): Entry {
  const recent = table.entries.get(key);
  if (recent !== undefined) return recent;
  const entry = table.older.get(key) ?? newEntry(nowMs);
  // Two generations instead of an exact order: a map that deletes and adds at every request is slow once it is large.
  if (table.entries.size >= limits.entriesMax / 2) {
    table.older = table.entries;
    table.entries = new Map();
  }
  table.entries.set(key, entry);
  return entry;
}

/** The entry of a key if it is remembered. */
export function findEntry(table: Table, key: string): Entry | undefined {
  return table.entries.get(key) ?? table.older.get(key);
}

function newEntry(nowMs: number): Entry {
  return {
    leases: [],
    pending: null,
    tickets: noTickets,
    unreported: [],
    denial: null,
    policy: null,
    demand: { perSecond: 0, atMs: nowMs },
    isolates: 0,
    window: 0,
    free: 0,
    resetAtMs: 0,
    shared: { debt: 0, atMs: nowMs },
    unsent: 0,
    exchangeAtMs: 0,
  };
}

/** May the lease be spent from? */
export function isLive(lease: HeldLease, nowMs: number): boolean {
  return nowMs < lease.expiresMs - limits.guardMs;
}

/** Permits in hand. */
export function inHand(entry: Entry, nowMs: number): number {
  let permits = 0;
  for (const lease of entry.leases) if (isLive(lease, nowMs)) permits += lease.permits;
  return permits;
}

/** Gives up leases, live ones included if `all`, and notes what was used: reported, then forgotten. */
export function close(entry: Entry, nowMs: number, all: boolean): void {
  const isOver = (lease: HeldLease) => all || lease.permits === 0 || !isLive(lease, nowMs);
  for (const lease of entry.leases) if (isOver(lease)) report(entry, lease.seq, lease.granted - lease.permits);
  entry.leases = entry.leases.filter((lease) => !isOver(lease));
}

/** Notes what was used of a lease that will not be spent from any more. */
export function report(entry: Entry, seq: number, used: number): void {
  if (entry.unreported.some((known) => known.seq === seq)) return;
  entry.unreported = [...entry.unreported, { seq, used }].slice(-limits.reportsMax);
}

/** Demand of now in permits a second; the request that is being decided does not count yet. */
export function demandOf({ demand }: Entry, nowMs: number): number {
  return demand.perSecond * Math.exp(-Math.max(0, nowMs - demand.atMs) / limits.demandMs);
}

/** Counts a request's cost as demand, admitted or not. */
export function addDemand(entry: Entry, cost: number, nowMs: number): void {
  entry.demand.perSecond = demandOf(entry, nowMs) + (cost * 1_000) / limits.demandMs;
  entry.demand.atMs = nowMs;
}

/**
 * What the object is told of the demand, in permits a second: 0 before a key's second request. The estimate fades within
 * seconds, so of a key that comes seldom hardly any of it is left when it comes; that one request came in the gap since
 * is added by as much as has faded. Of requests at even intervals, however long, the sum is within 15 %; of those that come
 * close together nothing is added, or what is left of a small limit would lie unused in the lease of one isolate.
 */
export function expectedRate(entry: Entry, cost: number, nowMs: number): number {
  const { perSecond, atMs } = entry.demand;
  if (perSecond === 0) return 0;
  const left = demandOf(entry, nowMs);
  return left + ((1 - left / perSecond) * cost * 1_000) / (limits.demandMs + Math.max(0, nowMs - atMs));
}

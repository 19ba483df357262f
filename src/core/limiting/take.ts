/** Where the permits of one request come from: a lease in hand, an exact call, an allowance, or a share while alone. */
import { type Again, type Ask, isExact } from "./decision.ts";
import { limits } from "./limits.ts";
import { allowanceOf, refundShare, takeShare } from "./share.ts";
import { type Entry, type HeldLease, isLive, report } from "./table.ts";

/** What one limit says; what was taken can be undone within the same synchronous step. */
export type Taken =
  | { readonly kind: "taken"; readonly delayMs: number; readonly degraded: boolean; readonly undo: () => void }
  | { readonly kind: "denied"; readonly retryAfterMs: number; readonly degraded: boolean }
  | { readonly kind: "missing" };

const taken = { kind: "taken", delayMs: 0, degraded: false } as const;
const missing = { kind: "missing" } as const;
const nothing = () => {};

/** Takes the cost of a request from one limit, if it can be had without a call. */
export function take(entry: Entry, ask: Ask, nowMs: number, again: Again | undefined): Taken {
  if (ask.cost > ask.policy.costMax) return { kind: "denied", retryAfterMs: 0, degraded: false };
  const result = takeLocally(entry, ask, nowMs, again);
  if (result.kind !== "missing") return result;
  const { denial } = entry;
  if (
    denial !== null &&
    nowMs < denial.untilMs &&
    ask.cost >= denial.cost &&
    denial.policyVersion >= ask.policy.version
  ) {
    return { kind: "denied", retryAfterMs: denial.retryAtMs - nowMs, degraded: false };
  }
  return again?.away.has(ask.key) ? takeAlone(entry, ask, nowMs) : result;
}

function takeLocally(entry: Entry, ask: Ask, nowMs: number, again: Again | undefined): Taken {
  if (ask.policy.consistency === "approximate") return takeApproximately(entry, ask, nowMs);
  return isExact(ask) ? takeTicket(entry, ask, again) : takePermits(entry, ask, nowMs);
}

function takePermits(entry: Entry, { cost }: Ask, nowMs: number): Taken {
  for (const lease of entry.leases) {
    if (lease.permits < cost || !isLive(lease, nowMs)) continue;
    lease.permits -= cost;
    return { ...taken, undo: () => void putBack(lease, cost) };
  }
  return missing;
}

function putBack(lease: HeldLease, cost: number): void {
  lease.permits += cost;
}

/** Those of other limits are no matter here: no two calls of a table have the same `seq`. */
function takeTicket(entry: Entry, { cost }: Ask, again: Again | undefined): Taken {
  for (const { query } of again?.requests ?? []) {
    const ticket = entry.tickets.get(query.seq);
    if (ticket && ticket.granted >= cost) return { ...taken, delayMs: ticket.delayMs, undo: nothing };
  }
  return missing;
}

/** Ends the request's interest in its exact calls; what they brought and was not used is credited by the next call. */
export function giveBack(entry: Entry, { requests }: Again, isUsed: boolean): void {
  for (const { query } of requests) {
    const ticket = entry.tickets.get(query.seq);
    if (ticket === undefined) continue;
    entry.tickets.delete(query.seq);
    if (!(isUsed && ticket !== null)) report(entry, query.seq, 0);
  }
}

/** The object is away. */
function takeAlone(entry: Entry, ask: Ask, nowMs: number): Taken {
  switch (ask.policy.onUnavailable) {
    case "allow":
      return { ...taken, degraded: true, undo: nothing };
    case "deny":
      return { kind: "denied", retryAfterMs: limits.denyMsMax, degraded: true };
    case "share": {
      const waitMs = takeShare(entry, ask.policy, ask.cost, nowMs);
      if (waitMs > 0) return { kind: "denied", retryAfterMs: waitMs, degraded: true };
      return { ...taken, degraded: true, undo: () => void refundShare(entry, ask.cost) };
    }
  }
}

/** Spends first and tells the object afterwards; waits only for an exchange that is due when the allowance is spent. */
function takeApproximately(entry: Entry, { policy, cost }: Ask, nowMs: number): Taken {
  const untold = entry.unsent + (entry.pending?.query.spent ?? 0);
  if (untold + cost <= allowanceOf(entry, policy, cost)) {
    entry.unsent += cost;
    return { ...taken, undo: () => void unspend(entry, cost) };
  }
  if (entry.pending !== null || nowMs >= entry.exchangeAtMs) return missing;
  const retryAfterMs = Math.max(entry.resetAtMs, entry.exchangeAtMs) - nowMs;
  return { kind: "denied", retryAfterMs, degraded: false };
}

function unspend(entry: Entry, cost: number): void {
  entry.unsent -= cost;
}

/** The isolate's decision on a request, from memory alone: admitted, denied, or to be asked. Synchronous throughout. */
import { type Again, type Ask, type Decision, isExact, type Standing } from "./decision.ts";
import { limits } from "./limits.ts";
import { askExactly, askLease, askToExchange, follow } from "./request.ts";
import { addDemand, demandOf, type Entry, entryOf, inHand, isLive, type LeaseRequest, type Table } from "./table.ts";
import { giveBack, type Taken, take } from "./take.ts";

/** Decides one limit; see `admitAll`. */
export function admit(table: Table, ask: Ask, nowMs: number, again?: Again): Decision {
  return admitAll(table, [ask], nowMs, again);
}

/**
 * Takes all limits of a request or none (L6). Without `again` the demand is counted; with it, the request decides once more
 * after its calls, and exact grants among them are used now or given back.
 */
export function admitAll(table: Table, asks: readonly Ask[], nowMs: number, again?: Again): Decision {
  const entries = asks.map(({ key, policy }) => {
    const entry = entryOf(table, key, nowMs);
    follow(table, entry, policy, nowMs);
    return entry;
  });
  const decision = decide(table, asks, entries, nowMs, again);
  // Counted after the decision: a lease is for the demand that follows, and this request has its own need.
  if (again === undefined) for (let at = 0; at < asks.length; at++) addDemand(entries[at]!, asks[at]!.cost, nowMs);
  return decision;
}

function decide(
  table: Table,
  asks: readonly Ask[],
  entries: readonly Entry[],
  nowMs: number,
  again: Again | undefined,
): Decision {
  const results = asks.map((ask, at) => take(entries[at]!, ask, nowMs, again));
  const isTaken = results.every(({ kind }) => kind === "taken");
  if (!isTaken) for (const result of results) if (result.kind === "taken") result.undo();
  if (again !== undefined) for (const entry of entries) giveBack(entry, again, isTaken);
  if (isTaken) return allowed(table, asks, entries, results as Extract<Taken, { kind: "taken" }>[], nowMs);
  if (results.some(({ kind }) => kind === "denied")) return denied(asks, entries, results, nowMs);
  const missing = asks.filter((_, at) => results[at]!.kind === "missing");
  return { kind: "ask", requests: missing.map((ask) => request(table, ask, nowMs)) };
}

function request(table: Table, ask: Ask, nowMs: number): LeaseRequest {
  const entry = entryOf(table, ask.key, nowMs);
  if (ask.policy.consistency === "approximate") return askToExchange(table, entry, ask, nowMs);
  return isExact(ask) ? askExactly(table, entry, ask, nowMs) : askLease(table, entry, ask, nowMs, ask.cost, true);
}

/** What the object said to be free is true only just after it has said so, that is `isFresh`; permits in hand always are. */
function standingOf(entry: Entry, ask: Ask, nowMs: number, isFresh: boolean): Standing {
  const isLeased = ask.policy.consistency === "leased" && !isExact(ask);
  const told = isFresh ? entry.free - entry.unsent : 0;
  const remaining = Math.max(0, isLeased ? inHand(entry, nowMs) : told);
  return { window: entry.window, remaining, resetMs: Math.max(0, entry.resetAtMs - nowMs) };
}

/** One pass: this is the common path, and each list made on the way is garbage for every request (bench/micro: admit). */
function allowed(
  table: Table,
  asks: readonly Ask[],
  entries: readonly Entry[],
  results: readonly Extract<Taken, { kind: "taken" }>[],
  nowMs: number,
): Decision {
  const standings: Standing[] = [];
  let background = noRequests;
  let delayMs = 0;
  let degraded = false;
  for (let at = 0; at < asks.length; at++) {
    const [ask, entry, result] = [asks[at]!, entries[at]!, results[at]!];
    standings.push(standingOf(entry, ask, nowMs, !result.degraded));
    const call = prefetch(table, entry, ask, nowMs);
    if (call !== null) background = [...background, call];
    delayMs = Math.max(delayMs, result.delayMs);
    degraded ||= result.degraded;
  }
  return { kind: "allowed", standings, delayMs, background, degraded };
}

const noRequests: readonly LeaseRequest[] = [];

function denied(asks: readonly Ask[], entries: readonly Entry[], results: readonly Taken[], nowMs: number): Decision {
  const violated = results.flatMap(({ kind }, at) => (kind === "denied" ? [at] : []));
  const isTooBig = violated.some((at) => asks[at]!.cost > asks[at]!.policy.costMax);
  const waits = results.map((result) => (result.kind === "denied" ? result.retryAfterMs : 0));
  return {
    kind: "denied",
    reason: isTooBig ? "cost_exceeds_limit" : "rate_limited",
    standings: asks.map((ask, at) => standingOf(entries[at]!, ask, nowMs, false)),
    violated,
    retryAfterMs: isTooBig ? 0 : Math.max(...waits),
    degraded: results.some((result) => result.kind === "denied" && result.degraded),
  };
}

/** The call that spares a later request its wait: permits run low, or the exchange is due. */
function prefetch(table: Table, entry: Entry, ask: Ask, nowMs: number): LeaseRequest | null {
  if (entry.pending !== null && nowMs - entry.pending.sentAtMs < limits.flightMsMax) return null;
  if (ask.policy.consistency === "approximate") {
    return nowMs < entry.exchangeAtMs ? null : askToExchange(table, entry, ask, nowMs);
  }
  if (isExact(ask) || (entry.denial !== null && nowMs < entry.denial.untilMs)) return null;
  const leadMs = Math.min(limits.prefetchMs, ask.policy.leaseMs / limits.prefetchDivisor);
  const needed = (demandOf(entry, nowMs) * leadMs) / 1_000;
  // A lease that hardly bridges the call is no reason to ask for another.
  const last = entry.leases.at(-1);
  if (needed < limits.prefetchPermitsMin || last === undefined || last.granted < 2 * needed) return null;
  let lasting = 0;
  let permits = 0;
  for (const lease of entry.leases) {
    if (lease.permits === 0 || !isLive(lease, nowMs + leadMs)) continue;
    lasting += 1;
    permits += lease.permits;
  }
  return lasting > 1 || permits > needed ? null : askLease(table, entry, ask, nowMs, 1, false);
}

/**
 * The isolate's half of rate limiting: the table of permits in hand, the calls that fill it, and what happens when they
 * fail. Everything that is decided is decided in `core/limiting`, synchronously; this is its clock and its wire.
 */
import { bounds } from "../bounds.ts";
import { admitAll } from "../core/limiting/admit.ts";
import type { Ask, Decision } from "../core/limiting/decision.ts";
import { failed, granted } from "../core/limiting/request.ts";
import { type LeaseRequest, newTable, type Table } from "../core/limiting/table.ts";
import { makeRoom } from "../core/make-room.ts";
import { leasePermits } from "./rate-limiter.ts";

/** A decision, and how many calls to objects the request waited for. */
export interface Limited {
  readonly decision: Exclude<Decision, { kind: "ask" }>;
  readonly calls: number;
}

/** Failed and late calls to a key's object in a row, and until when it is left alone. */
interface Failures {
  count: number;
  openUntilMs: number;
}

/** Made by the first request: an isolate has no random numbers before it. */
let table: Table | null = null;
const flights = new WeakMap<LeaseRequest, Promise<boolean>>();
/** Only keys whose last call failed; the oldest are forgotten first. */
const failing = new Map<string, Failures>();

/**
 * Takes permits of all limits or of none. Waits for an object at most `limiterCallMsMax` a call. A burst upon a key that is
 * cold here is granted bit by bit, so who comes away empty asks again, for `limiterWaitMsMax` in all. Never throws; a promise
 * only when it waits.
 */
export function takePermits(env: Env, ctx: ExecutionContext, asks: readonly Ask[]): Limited | Promise<Limited> {
  table ??= newTable(crypto.randomUUID());
  const decision = admitAll(table, asks, Date.now());
  if (decision.kind === "ask") return askAndTake(env, ctx, table, asks, decision.requests);
  return decided(env, ctx, table, decision, 0);
}

/** Asks for what is missing, and takes it; again while others take it first. */
async function askAndTake(
  env: Env,
  ctx: ExecutionContext,
  table: Table,
  asks: readonly Ask[],
  missing: readonly LeaseRequest[],
): Promise<Limited> {
  let requests = missing;
  let calls = 0;
  const away = new Set<string>();
  const startMs = Date.now();
  for (let round = 1; round <= bounds.limiterRoundsMax && Date.now() - startMs < bounds.limiterWaitMsMax; round++) {
    const asked = reachable(table, requests);
    for (const request of requests) if (!asked.includes(request)) away.add(request.key);
    await answeredInTime(
      asked.map((request) => ({ key: request.key, flight: flightOf(env, ctx, table, request) })),
      away,
    );
    calls += asked.length;
    const decision = admitAll(table, asks, Date.now(), { requests, away });
    if (decision.kind !== "ask") return decided(env, ctx, table, decision, calls);
    requests = decision.requests;
  }
  // Others took what was granted, again and again: the limit is contended, so this one is refused rather than let through.
  return { decision: contended(asks), calls };
}

/** What was decided; permits that will soon be missed are asked for in the background. */
function decided(env: Env, ctx: ExecutionContext, table: Table, decision: Limited["decision"], calls: number): Limited {
  if (decision.kind === "allowed" && decision.background.length > 0) {
    for (const request of reachable(table, decision.background)) void flightOf(env, ctx, table, request);
  }
  return { decision, calls };
}

/** Those that may be called; the others, whose objects are left alone, have failed. */
function reachable(table: Table, requests: readonly LeaseRequest[]): readonly LeaseRequest[] {
  if (failing.size === 0) return requests;
  return requests.filter((request) => {
    const isLeftAlone = isOpen(request.key, Date.now());
    if (isLeftAlone && !flights.has(request)) failed(table, request);
    return !isLeftAlone;
  });
}

/** The call, made once however many wait for it; true when it was answered. It belongs to no request. */
function flightOf(env: Env, ctx: ExecutionContext, table: Table, request: LeaseRequest): Promise<boolean> {
  const known = flights.get(request);
  if (known) return known;
  const flight = leasePermits(env, request.key, request.query).then(
    (reply) => {
      granted(table, request, reply, Date.now(), Math.random);
      failing.delete(request.key);
      return true;
    },
    (error: unknown) => {
      failed(table, request);
      noteFailure(request.key, String(error));
      return false;
    },
  );
  flights.set(request, flight);
  ctx.waitUntil(flight);
  return flight;
}

/**
 * Waits for the answers, no longer than the bound, and adds the keys without one to `away`. Each waiter has a timer of its
 * own. A call that is late counts as failed until it is answered.
 */
async function answeredInTime(
  flying: readonly { readonly key: string; readonly flight: Promise<boolean> }[],
  away: Set<string>,
): Promise<void> {
  if (flying.length === 0) return;
  const timer = new AbortController();
  const late = scheduler.wait(bounds.limiterCallMsMax, { signal: timer.signal }).then(() => "late" as const);
  const wait = async ({ key, flight }: (typeof flying)[number]) => {
    const outcome = await Promise.race([flight, late]);
    if (outcome === "late") noteFailure(key, `no answer within ${bounds.limiterCallMsMax} ms`);
    if (outcome !== true) away.add(key);
  };
  try {
    await Promise.all(flying.map(wait));
  } finally {
    timer.abort();
  }
}

/** Is the key's object left alone? When the pause is over one caller finds out; for the others it goes on. */
function isOpen(key: string, nowMs: number): boolean {
  const failures = failing.get(key);
  if (failures === undefined || failures.count < bounds.limiterFailuresMax) return false;
  if (nowMs < failures.openUntilMs) return true;
  failures.openUntilMs = nowMs + bounds.limiterOpenMs;
  return false;
}

function noteFailure(key: string, reason: string): void {
  const failures = failing.get(key) ?? { count: 0, openUntilMs: 0 };
  failures.count++;
  if (failures.count === bounds.limiterFailuresMax) console.error(`a rate limiter could not be reached: ${reason}`);
  if (failures.count >= bounds.limiterFailuresMax) failures.openUntilMs = Date.now() + bounds.limiterOpenMs;
  failing.delete(key);
  makeRoom(failing, bounds.limiterFailingKeysMax);
  failing.set(key, failures);
}

function contended(asks: readonly Ask[]): Limited["decision"] {
  return {
    kind: "denied",
    reason: "rate_limited",
    standings: asks.map(() => ({ window: 0, remaining: 0, resetMs: bounds.limiterOpenMs })),
    violated: asks.map((_, index) => index),
    retryAfterMs: bounds.limiterOpenMs,
    degraded: false,
  };
}

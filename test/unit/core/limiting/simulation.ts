/**
 * One schedule of a limit in the world: isolates with clocks of their own that may stand still, messages that are lost,
 * doubled, late and overtaken, isolates that die, an object that crashes and is replaced. Every admitted permit is logged
 * with the true time and checked against the brute-force oracle (L1) and against the leases it may come from (L2, L3).
 */
import { admitAll } from "../../../../src/core/limiting/admit.ts";
import { type Again, type Ask, type Decision, isExact } from "../../../../src/core/limiting/decision.ts";
import { limits } from "../../../../src/core/limiting/limits.ts";
import type { Consistency } from "../../../../src/core/limiting/policy.ts";
import { leaseMsOf, policyOf, quotaOf } from "../../../../src/core/limiting/policy.ts";
import { failed, granted } from "../../../../src/core/limiting/request.ts";
import { type LeaseRequest, newTable, type Table } from "../../../../src/core/limiting/table.ts";
import type { WindowSpec } from "../../../../src/core/limiting/types.ts";
import { agenda, type Random, seeded } from "../../../support/random.ts";
import { Ledger } from "./ledger.ts";
import { type Admission, breaches } from "./oracle.ts";
import { type Answered, type ObjectFaults, objectWorld } from "./world.ts";

export interface Scenario {
  readonly seed: number;
  readonly windows: readonly WindowSpec[];
  readonly consistency: Consistency;
  readonly isolates: number;
  /** Requests a second of all isolates together, at random times. */
  readonly perSecond: number;
  readonly costMax: number;
  readonly durationMs: number;
  /** The limit changes: each isolate sees the new windows some time after. */
  readonly change?: { readonly afterMs: number; readonly windows: readonly WindowSpec[] };
  /** Latency of a message, one way. */
  readonly latencyMs: readonly [number, number];
  readonly faults: ObjectFaults & {
    readonly loss: number;
    readonly duplicate: number;
    /** Share of messages that are up to a second late. */
    readonly late: number;
    /** Share of requests at which their isolate dies. */
    readonly kill: number;
    /** Share of requests before which the isolate forgets the key, as it does when it sees too many others. */
    readonly evict: number;
  };
}

export interface Result {
  readonly log: readonly Admission[];
  readonly requests: number;
  readonly denied: number;
  readonly undecided: number;
  /** Calls that reached the object, its writes, and requests that waited for one. */
  readonly calls: number;
  readonly writes: number;
  readonly waited: number;
  readonly breaches: readonly string[];
}

export const noFaults: Scenario["faults"] = {
  loss: 0,
  duplicate: 0,
  late: 0,
  kill: 0,
  evict: 0,
  crash: 0,
  replace: 0,
  clockSteps: false,
};

/** How long a request waits for the object. */
const budgetMs = 150;
/** The beginning of a minute. */
export const startMs = 1_700_000_040_000;
const key = "k";

interface Isolate {
  readonly table: Table;
  readonly clockOffsetMs: number;
  readMs: number;
  /** How late it sees a change of the limit. */
  readonly newsMs: number;
  /** What it was granted and has not spent, for L2 and L3: permits by the true end of their lease. */
  readonly ledger: Ledger;
}

interface Waiter {
  readonly isolate: Isolate;
  readonly ask: Ask;
  readonly requests: readonly LeaseRequest[];
  readonly open: Set<number>;
  isOver: boolean;
}

type Event =
  | { readonly kind: "request"; readonly place: number }
  | { readonly kind: "arrive"; readonly isolate: Isolate; readonly request: LeaseRequest }
  | { readonly kind: "answer"; readonly isolate: Isolate; readonly request: LeaseRequest; readonly answered: Answered }
  | { readonly kind: "deadline"; readonly waiter: Waiter }
  | { readonly kind: "abandon"; readonly isolate: Isolate; readonly request: LeaseRequest };

/** Runs one schedule to its end. */
export function simulate(scenario: Scenario): Result {
  const random = seeded(scenario.seed);
  const { faults } = scenario;
  const object = objectWorld(faults, random);
  const events = agenda<Event>();
  const policies = [scenario.windows, scenario.change?.windows ?? scenario.windows].map((windows, at) =>
    policyOf({ windows, consistency: scenario.consistency, onUnavailable: "deny", version: at + 1 }),
  );
  const policyOfIsolate = ({ newsMs }: Isolate, nowMs: number) =>
    policies[scenario.change && nowMs >= startMs + scenario.change.afterMs + newsMs ? 1 : 0]!;
  const isolates: Isolate[] = [];
  let born = 0;
  const newIsolate = () => makeIsolate(`i${born++}`, random);
  for (let n = 0; n < scenario.isolates; n++) isolates.push(newIsolate());
  const log: Admission[] = [];
  const wrong: string[] = [];
  const counts = { requests: 0, denied: 0, undecided: 0, waited: 0 };
  const waiters = new Map<Isolate, Waiter[]>();
  const sent = new Set<LeaseRequest>();
  const admittedAtMs = new Map<LeaseRequest, number>();
  const endMs = startMs + scenario.durationMs;

  const send = (nowMs: number, event: Event) => {
    const latencyMs = () =>
      random.chance(faults.late) ? random.int(0, 1_000) : random.int(scenario.latencyMs[0], scenario.latencyMs[1]);
    if (!random.chance(faults.loss)) events.add(nowMs + latencyMs(), event);
    if (random.chance(faults.duplicate)) events.add(nowMs + latencyMs(), event);
  };
  const callOnce = (isolate: Isolate, request: LeaseRequest, nowMs: number) => {
    if (sent.has(request)) return;
    sent.add(request);
    send(nowMs, { kind: "arrive", isolate, request });
    if (random.chance(0.5)) events.add(nowMs + budgetMs, { kind: "abandon", isolate, request });
  };
  const decide = (isolate: Isolate, ask: Ask, nowMs: number, again?: Again): Decision => {
    const decision = admitAll(isolate.table, [ask], clockOf(isolate, nowMs, random), again);
    if (decision.kind === "denied") counts.denied++;
    if (decision.kind !== "allowed") return decision;
    for (const request of decision.background) callOnce(isolate, request, nowMs);
    if (decision.standings.some(({ remaining, resetMs }) => !(remaining >= 0 && resetMs >= 0)))
      wrong.push("a negative standing");
    const exact = isExact(ask) ? again?.requests.find((request) => admittedAtMs.has(request)) : undefined;
    if (exact !== undefined) log.push({ atMs: admittedAtMs.get(exact)!, cost: ask.cost });
    else log.push({ atMs: nowMs, cost: ask.cost });
    if (
      exact === undefined &&
      scenario.consistency === "leased" &&
      !isolate.ledger.spend(ask.cost, nowMs, ask.policy.version)
    ) {
      wrong.push(`L2 or L3: ${ask.cost} spent at ${nowMs} that no lease covers`);
    }
    return decision;
  };
  const finish = (waiter: Waiter, nowMs: number) => {
    if (waiter.isOver) return;
    waiter.isOver = true;
    const away = new Set(waiter.open.size > 0 ? waiter.requests.map(({ key }) => key) : []);
    const decision = decide(waiter.isolate, waiter.ask, nowMs, { requests: waiter.requests, away });
    if (decision.kind === "ask") {
      counts.undecided++;
      // A client would wait for these too, if time is left; here they only have to do no harm.
      for (const request of decision.requests) callOnce(waiter.isolate, request, nowMs);
    }
  };
  const arrive = (atMs: number, { isolate, request }: Extract<Event, { kind: "arrive" }>) => {
    const answered = object.call(request.query, atMs);
    if (answered !== null) send(atMs, { kind: "answer", isolate, request, answered });
  };
  const answer = (atMs: number, event: Extract<Event, { kind: "answer" }>) => {
    const { isolate, request, answered } = event;
    const { reply } = answered;
    const entry = isolate.table.entries.get(key);
    if (entry?.pending === request && reply.granted > 0) {
      isolate.ledger.add(reply.granted, answered.chargedAtMs + reply.ttlMs, request.query.policyVersion);
    }
    if (entry?.tickets.get(request.query.seq) === null) admittedAtMs.set(request, answered.slotMs);
    granted(isolate.table, request, reply, clockOf(isolate, atMs, random), random.next);
    for (const waiter of waiters.get(isolate) ?? []) {
      waiter.open.delete(request.query.seq);
      if (waiter.open.size === 0) finish(waiter, atMs);
    }
    waiters.set(
      isolate,
      (waiters.get(isolate) ?? []).filter(({ isOver }) => !isOver),
    );
  };
  const begin = (atMs: number, place: number) => {
    counts.requests++;
    if (random.chance(faults.kill)) isolates[place] = newIsolate();
    const isolate = isolates[place]!;
    if (random.chance(faults.evict)) isolate.table.entries.delete(key);
    const ask = { key, cost: random.int(1, scenario.costMax), policy: policyOfIsolate(isolate, atMs) };
    const decision = decide(isolate, ask, atMs);
    if (decision.kind !== "ask") return;
    counts.waited++;
    const open = new Set(decision.requests.map(({ query }) => query.seq));
    const waiter: Waiter = { isolate, ask, requests: decision.requests, open, isOver: false };
    waiters.set(isolate, [...(waiters.get(isolate) ?? []), waiter]);
    for (const request of decision.requests) callOnce(isolate, request, atMs);
    events.add(atMs + budgetMs, { kind: "deadline", waiter });
  };

  for (let atMs = startMs; atMs < endMs; ) {
    events.add(Math.floor(atMs), { kind: "request", place: random.int(0, scenario.isolates - 1) });
    atMs += (-Math.log(1 - random.next()) * 1_000) / scenario.perSecond;
  }
  for (let next = events.take(); next !== undefined; next = events.take()) {
    const { atMs, event } = next;
    if (event.kind === "request") begin(atMs, event.place);
    else if (event.kind === "arrive") arrive(atMs, event);
    else if (event.kind === "answer") answer(atMs, event);
    else if (event.kind === "deadline") finish(event.waiter, atMs);
    else failed(event.isolate.table, event.request);
  }

  const promises = scenario.consistency === "approximate" ? [] : promisesOf(scenario, log);
  const quietMs = endMs + 10 * 60_000 + Math.max(...scenario.windows.map(longestMs));
  const isStranded = object.isChargedAt(quietMs);
  return {
    log,
    ...counts,
    ...object.counts,
    breaches: [...wrong, ...object.breaches, ...promises, ...(isStranded ? ["L5: stranded for ever"] : [])],
  };
}

/** A changed limit holds from a lease after the last isolate has seen it; until then the larger of the two. */
function promisesOf({ windows, change }: Scenario, log: readonly Admission[]): string[] {
  if (change === undefined) return windows.flatMap((spec) => breaches(spec, log));
  const settledMs = startMs + change.afterMs + newsMsMax + leaseMsOf(windows) + limits.leaseMsMin;
  const larger = windows.map((spec, at) => (quotaOf(spec) > quotaOf(change.windows[at]!) ? spec : change.windows[at]!));
  const after = log.filter(({ atMs }) => atMs >= settledMs);
  return [...larger.flatMap((spec) => breaches(spec, log)), ...change.windows.flatMap((spec) => breaches(spec, after))];
}

function makeIsolate(name: string, random: Random): Isolate {
  return {
    table: newTable(name),
    clockOffsetMs: random.int(-86_400_000, 86_400_000),
    readMs: 0,
    newsMs: random.int(0, newsMsMax),
    ledger: new Ledger(),
  };
}

/** The isolate's clock: any offset, the right speed, standing still for less than the guard between two waits. */
function clockOf(isolate: Isolate, trueMs: number, random: Random): number {
  isolate.readMs = Math.max(isolate.readMs, trueMs - random.int(0, standsStillMsMax));
  return isolate.readMs + isolate.clockOffsetMs;
}

const standsStillMsMax = 24;

/** Longest time after which an isolate sees a change of the limit. */
export const newsMsMax = 500;

function longestMs(spec: WindowSpec): number {
  if (spec.kind === "calendar-window") return 32 * 86_400_000;
  return "windowMs" in spec ? 2 * spec.windowMs : (spec.burst / spec.rate) * 1_000;
}

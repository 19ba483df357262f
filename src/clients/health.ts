/**
 * The isolate's half of service health: what it senses of its services, and the reports to their health objects.
 * Everything that is decided is decided in `core/breaking`, synchronously; this is its wire, and the clock of its reports. No
 * request waits here, but for a slot of a service whose concurrency is limited for the whole world.
 */
import { bounds } from "../bounds.ts";
import { askOf, type Concurrency, enter, leave, newConcurrency, settle } from "../core/breaking/concurrency.ts";
import * as core from "../core/breaking/sense.ts";
import type { CallOutcome } from "../core/breaking/types.ts";
import type { ServiceView } from "../snapshot/types.ts";
import { answerWithin } from "../within.ts";
import { reportHealth } from "./service-health.ts";

export type Admission = core.Admission;
export type Permit = core.Permit;

/** Whether a request may be under way. */
export interface Entry {
  readonly entered: boolean;
  /** Reports that the request waited for. */
  readonly calls: number;
  /** null: it holds no slot. */
  readonly enteredAtMs: number | null;
}

/** What there is of one service. */
interface Watch {
  readonly sense: core.Sense;
  readonly concurrency: Concurrency;
  /** Have requests entered or left since the last report? */
  hasMoved: boolean;
  /** The report that is under way. */
  flight: { readonly seq: number; readonly startedAtMs: number; readonly done: Promise<void> } | null;
  /** When the next report is to be sent, and since when the request waits that will send it. */
  timer: { readonly atMs: number; readonly sinceMs: number } | null;
  usedAtMs: number;
}

/** By service. */
const watches = new Map<string, Watch>();
let prunedAtMs = 0;
/** Made by the first request: an isolate has no random numbers before it. */
let isolate: string | null = null;

/** Does anything watch this service? If not, nothing else here has to be called for it. Cheap. */
export function isSensed({ config, health }: ServiceView): boolean {
  const { breaker, outlier, maxConcurrent } = config.health;
  if (breaker !== null || outlier !== null || maxConcurrent > 0) return true;
  // An order counts without settings too.
  if (health === null) return false;
  return health.forced === "forced-open" || health.breakers.some(({ forced }) => forced === "forced-open");
}

/** Is it leave for a try at an origin that is not trusted yet? Others wait for what becomes of it. */
export function isProbe({ probe, isLocalProbe }: Permit): boolean {
  return probe !== null || isLocalProbe;
}

/**
 * May a request go to this version of the service ("" for origins without one)? Who is admitted must be recorded, once;
 * a probe whatever becomes of it. A refusal sees to it that the object is asked for probes when it is time.
 */
export function admitCall(
  env: Env,
  ctx: ExecutionContext,
  service: ServiceView,
  version: string,
  nowMs: number,
): Admission {
  const watch = watchOf(service, nowMs);
  const admission = core.admit(watch.sense, service.config.health, version, nowMs, Math.random);
  if (admission.kind === "refused") seeToReport(env, ctx, service, watch, nowMs);
  return admission;
}

/** Records what became of an admitted request, and reports it to the object when that is due. */
export function recordCall(
  env: Env,
  ctx: ExecutionContext,
  service: ServiceView,
  permit: Permit,
  origin: string,
  outcome: CallOutcome,
  latencyMs: number,
  nowMs: number,
): void {
  const watch = watchOf(service, nowMs);
  core.record(watch.sense, service.config.health, permit, origin, outcome, latencyMs, nowMs);
  seeToReport(env, ctx, service, watch, nowMs);
}

/** Origins of the service that are taken out now. */
export function ejectedOf(service: ServiceView, nowMs: number): ReadonlySet<string> {
  return core.ejectedOf(watchOf(service, nowMs).sense, nowMs);
}

/** How requests meet a version's breaker now, for `sluice-decision`. */
export function breakerState(service: ServiceView, version: string, nowMs: number): string {
  return core.stateOf(watchOf(service, nowMs).sense, service.config.health, version, nowMs);
}

/**
 * Takes a slot of a service with `maxConcurrentRequests`; without it every request enters. Waits for reports, no longer
 * than `limiterCallMsMax` in all, when no slot is in hand. Who has entered must leave, once.
 */
export async function enterService(env: Env, ctx: ExecutionContext, service: ServiceView): Promise<Entry> {
  const { maxConcurrent } = service.config.health;
  if (maxConcurrent === 0) return { entered: true, calls: 0, enteredAtMs: null };
  const startMs = Date.now();
  for (let calls = 0; ; calls++) {
    const nowMs = Date.now();
    const watch = watchOf(service, nowMs);
    const outcome = enter(watch.concurrency, maxConcurrent, nowMs);
    watch.hasMoved = true;
    const leftMs = startMs + bounds.limiterCallMsMax - nowMs;
    const mayAsk = outcome === "ask" && calls < bounds.enterRoundsMax && leftMs > 0;
    if (mayAsk) {
      await answered(watch, flightOf(env, ctx, service, watch, nowMs), leftMs);
      continue;
    }
    seeToReport(env, ctx, service, watch, nowMs);
    const entered = outcome === "entered";
    return { entered, calls, enteredAtMs: entered ? nowMs : null };
  }
}

/** Gives the slot of an entry back. */
export function leaveService(service: ServiceView, { enteredAtMs }: Entry): void {
  if (enteredAtMs === null) return;
  const nowMs = Date.now();
  const watch = watchOf(service, nowMs);
  leave(watch.concurrency, enteredAtMs, nowMs);
  watch.hasMoved = true;
}

function watchOf({ config, health }: ServiceView, nowMs: number): Watch {
  let watch = watches.get(config.name);
  if (watch === undefined) {
    prune(nowMs);
    isolate ??= crypto.randomUUID();
    const [sense, concurrency] = [core.newSense(isolate), newConcurrency()];
    watch = { sense, concurrency, hasMoved: false, flight: null, timer: null, usedAtMs: nowMs };
    watches.set(config.name, watch);
  }
  watch.usedAtMs = nowMs;
  core.adopt(watch.sense, health, nowMs);
  return watch;
}

/** Forgets services without traffic. As all are looked at, not often. */
function prune(nowMs: number): void {
  if (nowMs - prunedAtMs < bounds.healthSenseKeptMs / 10) return;
  prunedAtMs = nowMs;
  for (const [name, { usedAtMs }] of watches) {
    if (nowMs - usedAtMs >= bounds.healthSenseKeptMs) watches.delete(name);
  }
}

/** Time until the next report; null: there is nothing to say, or an answer to wait for. */
function dueInMs(watch: Watch, { config }: ServiceView, nowMs: number): number | null {
  const { sense, concurrency, hasMoved, flight } = watch;
  if (isAlive(flight, nowMs)) return null;
  const dueMs = core.reportDueInMs(sense, config.health, nowMs);
  // What is under way must be reported before the object forgets it, and what has left before others need its slot.
  const isBusy = config.health.maxConcurrent > 0 && (hasMoved || concurrency.inFlight + concurrency.older > 0);
  if (!isBusy) return dueMs;
  const regularMs = Math.max(sense.reportedAtMs + sense.nextReportMs, sense.retryAtMs) - nowMs;
  return Math.min(dueMs ?? Number.POSITIVE_INFINITY, Math.max(0, regularMs));
}

/** A flight whose request was ended without a word is dead. */
function isAlive(flight: Watch["flight"], nowMs: number): flight is NonNullable<typeof flight> {
  return flight !== null && nowMs - flight.startedAtMs < bounds.senseFlightMsMax;
}

/**
 * Reports if that is due, else waits for it, so that the last results are reported too. One request waits at a time.
 *
 * @param sinceMs how long this request has waited already.
 */
function seeToReport(
  env: Env,
  ctx: ExecutionContext,
  service: ServiceView,
  watch: Watch,
  nowMs: number,
  sinceMs = nowMs,
): void {
  const waitMs = dueInMs(watch, service, nowMs);
  if (waitMs === null) return;
  if (waitMs === 0) {
    void flightOf(env, ctx, service, watch, nowMs, sinceMs);
    return;
  }
  const { timer } = watch;
  const isSeenTo = timer !== null && timer.atMs <= nowMs + waitMs && nowMs - timer.sinceMs < bounds.healthWaitMsMax;
  if (isSeenTo) return;
  const mine = { atMs: nowMs + waitMs, sinceMs };
  watch.timer = mine;
  const wait = async () => {
    await scheduler.wait(waitMs);
    if (watch.timer !== mine) return;
    watch.timer = null;
    seeToReport(env, ctx, service, watch, Date.now(), sinceMs);
  };
  ctx.waitUntil(wait());
}

/** The report under way, or a new one. It belongs to no request. */
function flightOf(
  env: Env,
  ctx: ExecutionContext,
  service: ServiceView,
  watch: Watch,
  nowMs: number,
  sinceMs = nowMs,
): NonNullable<Watch["flight"]> {
  if (isAlive(watch.flight, nowMs)) return watch.flight;
  const seq = watch.sense.seq + 1;
  const done = report(env, service, watch, seq, nowMs).finally(() => {
    if (watch.flight?.done === done) watch.flight = null;
    seeToReport(env, ctx, service, watch, Date.now(), sinceMs);
  });
  watch.flight = { seq, startedAtMs: nowMs, done };
  // Who waited for this report need not; the next is waited for anew.
  watch.timer = null;
  ctx.waitUntil(done);
  return watch.flight;
}

/** One report and its answer. Never throws. */
async function report(env: Env, service: ServiceView, watch: Watch, seq: number, nowMs: number): Promise<void> {
  const { config, origins } = service;
  const { sense, concurrency } = watch;
  const { maxConcurrent } = config.health;
  const ask = maxConcurrent === 0 ? null : askOf(concurrency, maxConcurrent, seq, nowMs);
  const told = core.takeReport(sense, config.health, origins.length, ask, nowMs);
  watch.hasMoved = false;
  try {
    const reply = await answerWithin(reportHealth(env, config.name, told), bounds.healthReportMsMax);
    core.replied(sense, told, reply, nowMs, Date.now());
    settle(concurrency, seq, reply, Date.now());
  } catch (error) {
    core.failed(sense, told, Date.now(), Math.random);
    settle(concurrency, seq, null, Date.now());
    if (sense.failures === 1) console.error(`the health of ${config.name} could not be reported: ${error}`);
  }
}

/** Waits for the report's answer. Each waiter has a timer of its own, since the request that runs the report may end. */
async function answered(
  { concurrency }: Watch,
  { seq, done }: NonNullable<Watch["flight"]>,
  ms: number,
): Promise<void> {
  await answerWithin(done, ms).catch(() => settle(concurrency, seq, null, Date.now()));
}

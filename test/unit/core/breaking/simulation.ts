/**
 * One schedule of a service in the world: isolates with clocks of their own, messages that are lost, doubled, late and
 * overtaken, isolates that die, an object that crashes and is replaced, origins that are well and ill by turns. After a
 * time all faults end and the origins are well, and everything must be admitted again (B7).
 */
import { bounds } from "../../../../src/bounds.ts";
import {
  admit,
  adopt,
  failed,
  newSense,
  type Permit,
  record,
  replied,
  reportDueInMs,
  type Sense,
  stateOf,
  takeReport,
} from "../../../../src/core/breaking/sense.ts";
import type { CallOutcome, HealthReply, HealthReport, HealthSettings } from "../../../../src/core/breaking/types.ts";
import { agenda, type Random, seeded } from "../../../support/random.ts";
import { type Illness, type Origins, originsOf, resultOf, tookMsMax } from "./simulation-origins.ts";
import { standsStillMsMax, type Watch, watch } from "./simulation-watch.ts";
import { type ObjectFaults, type ObjectWorld, objectWorld } from "./world.ts";
import { newTruth } from "./world-truth.ts";

export interface Scenario {
  readonly seed: number;
  readonly settings: HealthSettings;
  readonly isolates: number;
  readonly versions: number;
  /** Of each version. */
  readonly origins: number;
  /** What the origins may suffer from before all are healed. */
  readonly illnesses: readonly Illness[];
  /** Requests a second of all isolates together, at random times. */
  readonly perSecond: number;
  /** Time with faults. */
  readonly faultyMs: number;
  /** Orders of an operator in that time. */
  readonly orders: number;
  /** Latency of a message, one way. */
  readonly latencyMs: readonly [number, number];
  readonly faults: Faults;
}

export interface Faults extends ObjectFaults {
  /** Share of messages that are lost, doubled, and up to `lateMsMax` late. */
  readonly loss: number;
  readonly duplicate: number;
  readonly late: number;
  /** Shares of requests at which their isolate dies, and whose client leaves. */
  readonly kill: number;
  readonly leave: number;
  /** No message arrives in the second half of the faulty time; snapshots do. */
  readonly outage: boolean;
}

export interface Result {
  readonly requests: number;
  readonly refused: number;
  readonly probes: number;
  readonly reports: number;
  /** From the end of the faults until everything was admitted. */
  readonly healedInMs: number;
  /** Types of all events of the object. */
  readonly events: readonly string[];
  readonly breaches: readonly string[];
}

export const noFaults: Faults = {
  loss: 0,
  duplicate: 0,
  late: 0,
  kill: 0,
  leave: 0,
  outage: false,
  crash: 0,
  replace: 0,
  clockSteps: false,
};

const isFaultless = (faults: Faults): boolean => Object.values(faults).every((fault) => !fault);

const lateMsMax = 2_000;
const pollMs = 500;
const newsMsMax = 600;
const startMs = 1_700_000_000_000;

interface Isolate {
  readonly sense: Sense;
  readonly clockOffsetMs: number;
  readMs: number;
  timerAtMs: number;
}

interface Letter {
  readonly isolate: Isolate;
  readonly report: HealthReport;
  readonly askedAtMs: number;
}

type Event =
  | { readonly kind: "request" | "alarm" | "order" | "heal" }
  | { readonly kind: "poll"; readonly place: number }
  | { readonly kind: "timer"; readonly isolate: Isolate }
  | {
      readonly kind: "end";
      readonly isolate: Isolate;
      readonly permit: Permit;
      readonly origin: string;
      readonly outcome: CallOutcome;
      readonly isSlow: boolean;
    }
  | ({ readonly kind: "arrive" | "abandon" } & Letter)
  | ({ readonly kind: "answer"; readonly reply: HealthReply } & Letter);

/** Runs one schedule to its end. */
export function simulate(scenario: Scenario): Result {
  return new Simulation(scenario).run();
}

class Simulation {
  readonly scenario: Scenario;
  readonly random: Random;
  readonly events = agenda<Event>();
  readonly truth = newTruth();
  readonly object: ObjectWorld;
  readonly watch: Watch;
  readonly origins: Origins;
  readonly isolates: Isolate[];
  readonly healAtMs: number;
  born = 0;
  alarmAtMs = Number.POSITIVE_INFINITY;
  lastIllMs = startMs;
  readonly counts = { requests: 0, refused: 0, probes: 0, reports: 0 };

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    const { seed, settings, faults, faultyMs } = scenario;
    this.random = seeded(seed);
    this.healAtMs = startMs + faultyMs;
    const faultsAt = (atMs: number) => (atMs < this.healAtMs ? faults : noFaults);
    this.object = objectWorld(settings, this.truth, lateMsMax + standsStillMsMax, faultsAt, this.random);
    this.watch = watch(settings, isFaultless(faults), this.object, this.truth, newsMsMax);
    this.origins = originsOf(scenario, startMs, this.random);
    this.isolates = Array.from({ length: scenario.isolates }, () => this.newIsolate());
    for (const place of this.isolates.keys())
      this.events.add(startMs + this.random.int(0, pollMs), { kind: "poll", place });
    for (let order = 0; order < scenario.orders; order++) {
      this.events.add(startMs + this.random.int(0, faultyMs - 1), { kind: "order" });
    }
    this.events.add(startMs, { kind: "request" });
    this.events.add(this.healAtMs, { kind: "heal" });
  }

  run(): Result {
    const endMs = this.healAtMs + healMsMax(this.scenario);
    let atMs = startMs;
    for (let next = this.events.take(); next !== undefined; next = this.events.take()) {
      atMs = next.atMs;
      this.handle(next.event, atMs);
      if (atMs > endMs || this.isHealed(atMs)) break;
    }
    const late = atMs > endMs ? ["B7: not everything is admitted again"] : [];
    return {
      ...this.counts,
      healedInMs: Math.max(0, this.lastIllMs - this.healAtMs),
      events: this.object.events.map(({ type }) => type),
      breaches: [...this.object.breaches, ...this.watch.breaches, ...late],
    };
  }

  handle(event: Event, atMs: number): void {
    if (event.kind === "request") this.request(atMs);
    else if (event.kind === "end") this.end(event, atMs);
    else if (event.kind === "poll") this.poll(event.place, atMs);
    else if (event.kind === "timer") this.wake(event.isolate, atMs);
    else if (event.kind === "arrive") this.arrive(event, atMs);
    else if (event.kind === "answer") this.answer(event, atMs);
    else if (event.kind === "abandon") this.abandon(event, atMs);
    else if (event.kind === "alarm") this.alarm(atMs);
    else this.order(event.kind === "heal", atMs);
  }

  isHealed(atMs: number): boolean {
    if (atMs < this.healAtMs + tookMsMax * Number(this.scenario.illnesses.includes("hanging"))) return false;
    if (atMs <= Math.max(this.healAtMs, this.lastIllMs) + quietMs) return false;
    const isWell = (version: string) =>
      (this.object.shifts.findLast((shift) => shift.version === version)?.state ?? "closed") === "closed" &&
      this.isolates.every(
        (isolate) => stateOf(isolate.sense, this.scenario.settings, version, atMs + isolate.clockOffsetMs) === "closed",
      );
    return [...this.origins.idsOf.keys()].every(isWell);
  }

  newIsolate(): Isolate {
    const clockOffsetMs = this.random.int(-86_400_000, 86_400_000);
    return { sense: newSense(`i${this.born++}`), clockOffsetMs, readMs: 0, timerAtMs: Number.POSITIVE_INFINITY };
  }

  /** The isolate's clock: any offset, the right speed, standing still for a while between two waits. */
  clockOf(isolate: Isolate, atMs: number): number {
    isolate.readMs = Math.max(isolate.readMs, atMs - this.random.int(0, standsStillMsMax));
    return isolate.readMs + isolate.clockOffsetMs;
  }

  faultsAt(atMs: number): Faults {
    return atMs < this.healAtMs ? this.scenario.faults : noFaults;
  }

  send(event: Event, atMs: number): void {
    const faults = this.faultsAt(atMs);
    const [least, most] = this.scenario.latencyMs;
    const latencyMs = () =>
      this.random.chance(faults.late) ? this.random.int(0, lateMsMax) : this.random.int(least, most);
    if (faults.outage && atMs > this.healAtMs - this.scenario.faultyMs / 2) return;
    if (!this.random.chance(faults.loss)) this.events.add(atMs + latencyMs(), event);
    if (this.random.chance(faults.duplicate)) this.events.add(atMs + latencyMs(), event);
  }

  request(atMs: number): void {
    const { scenario, random } = this;
    this.events.add(atMs + Math.ceil((-Math.log(1 - random.next()) * 1_000) / scenario.perSecond), { kind: "request" });
    const place = random.int(0, this.isolates.length - 1);
    const faults = this.faultsAt(atMs);
    if (random.chance(faults.kill)) this.isolates[place] = this.newIsolate();
    const isolate = this.isolates[place]!;
    const [version, ids] = [...this.origins.idsOf][random.int(0, scenario.versions - 1)]!;
    const admission = admit(isolate.sense, scenario.settings, version, this.clockOf(isolate, atMs), random.next);
    this.watch.decided(isolate.sense, version, admission, atMs);
    this.counts.requests++;
    if (admission.kind === "refused") {
      this.counts.refused++;
      this.lastIllMs = atMs;
      this.pump(isolate, atMs);
      return;
    }
    const { permit } = admission;
    if (permit.probe !== null) this.counts.probes++;
    if (permit.probe !== null || permit.isLocalProbe) this.lastIllMs = atMs;
    const origin = ids[random.int(0, ids.length - 1)]!;
    const { outcome, tookMs } = resultOf(this.origins, origin, atMs, random);
    const slowMs = scenario.settings.breaker?.slowCallMs ?? Number.POSITIVE_INFINITY;
    const isLeft = random.chance(faults.leave);
    this.events.add(atMs + tookMs, {
      kind: "end",
      isolate,
      permit,
      origin,
      outcome: isLeft ? "ignored" : outcome,
      isSlow: !isLeft && tookMs + standsStillMsMax >= slowMs,
    });
  }

  end({ isolate, permit, origin, outcome, isSlow }: Extract<Event, { kind: "end" }>, atMs: number): void {
    this.watch.ended(permit);
    if (!this.isolates.includes(isolate)) return;
    const { version, generation, probe } = permit;
    this.truth.add(version, generation, outcome, isSlow, probe !== null, atMs);
    const nowMs = this.clockOf(isolate, atMs);
    record(isolate.sense, this.scenario.settings, permit, origin, outcome, nowMs - permit.startedAtMs, nowMs);
    this.pump(isolate, atMs);
  }

  /** What the shell does after each request, answer and wait. */
  pump(isolate: Isolate, atMs: number): void {
    const dueMs = reportDueInMs(isolate.sense, this.scenario.settings, this.clockOf(isolate, atMs));
    if (dueMs === null) return;
    if (dueMs > 0) {
      if (atMs + dueMs >= isolate.timerAtMs) return;
      isolate.timerAtMs = Math.ceil(atMs + dueMs);
      this.events.add(isolate.timerAtMs, { kind: "timer", isolate });
      return;
    }
    const askedAtMs = this.clockOf(isolate, atMs);
    const report = takeReport(isolate.sense, this.scenario.settings, this.origins.phases.size, null, askedAtMs);
    this.counts.reports++;
    this.watch.reports(report, atMs);
    const letter = { isolate, report, askedAtMs };
    this.send({ kind: "arrive", ...letter }, atMs);
    this.events.add(atMs + bounds.healthReportMsMax, { kind: "abandon", ...letter });
  }

  wake(isolate: Isolate, atMs: number): void {
    if (atMs < isolate.timerAtMs || !this.isolates.includes(isolate)) return;
    isolate.timerAtMs = Number.POSITIVE_INFINITY;
    this.pump(isolate, atMs);
  }

  poll(place: number, atMs: number): void {
    this.events.add(atMs + pollMs, { kind: "poll", place });
    if (this.random.chance(this.faultsAt(atMs).loss)) return;
    const isolate = this.isolates[place]!;
    adopt(isolate.sense, this.object.published(), this.clockOf(isolate, atMs));
    this.watch.learned(isolate.sense);
  }

  arrive(letter: Letter, atMs: number): void {
    const reply = this.object.call(letter.report, atMs);
    this.setAlarm(atMs);
    if (reply === null) return;
    this.watch.replied(letter.report.isolate, reply, atMs);
    this.send({ ...letter, kind: "answer", reply }, atMs);
  }

  answer({ isolate, report, reply, askedAtMs }: Extract<Event, { kind: "answer" }>, atMs: number): void {
    if (!this.isolates.includes(isolate)) return;
    replied(isolate.sense, report, reply, askedAtMs, this.clockOf(isolate, atMs));
    this.watch.learned(isolate.sense);
    this.pump(isolate, atMs);
  }

  abandon({ isolate, report }: Letter, atMs: number): void {
    if (!this.isolates.includes(isolate)) return;
    failed(isolate.sense, report, this.clockOf(isolate, atMs), this.random.next);
    this.pump(isolate, atMs);
  }

  setAlarm(atMs: number): void {
    const dueMs = this.object.nextDueMs(atMs);
    if (dueMs === null || dueMs >= this.alarmAtMs) return;
    this.alarmAtMs = dueMs + this.random.int(0, 50);
    this.events.add(this.alarmAtMs, { kind: "alarm" });
  }

  alarm(atMs: number): void {
    if (atMs < this.alarmAtMs) return;
    this.alarmAtMs = Number.POSITIVE_INFINITY;
    this.object.tick(atMs);
    this.setAlarm(atMs);
  }

  order(isLast: boolean, atMs: number): void {
    const { random } = this;
    const versions = [null, ...this.origins.idsOf.keys()];
    if (isLast) this.object.force(null, "auto", atMs);
    else {
      const forced = (["auto", "forced-open", "disabled"] as const)[random.int(0, 2)]!;
      this.object.force(versions[random.int(0, versions.length - 1)]!, forced, atMs);
    }
    this.setAlarm(atMs);
  }
}

/** Nothing was refused for so long: it is over. */
const quietMs = 1_500;

/**
 * The worst: what hung when the faults ended comes to a trip; a breaker stays open, permits that were lost end, the probe
 * that comes then had begun before, and all that again; the ramp; isolates that ask late; clocks that were set back.
 */
function healMsMax({ settings: { breaker }, illnesses, faults }: Scenario): number {
  const hangsMs = illnesses.includes("hanging") ? tookMsMax : 0;
  const openMs = 1.2 * (breaker?.maxOpenMs ?? 0);
  const permitMs = bounds.probeUseMs + (isFaultless(faults) ? 0 : bounds.probeResultMs);
  const lateMs = isFaultless(faults) ? 0 : 1.2 * bounds.senseRetryMsMax + lateMsMax + 10_000;
  return 2 * (hangsMs + openMs + permitMs + 1_500) + (breaker?.recoveryMs ?? 0) + lateMs + quietMs;
}

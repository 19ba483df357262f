/**
 * A simulated world of `maxConcurrentRequests`: isolates with clocks of their own, requests, and reports that come late or
 * never, or whose answers do. Seeded.
 */
import { type Bulkhead, grantConcurrency, newBulkhead } from "../../../../src/core/breaking/bulkhead.ts";
import {
  askOf,
  type Concurrency,
  enter,
  leave,
  newConcurrency,
  settle,
} from "../../../../src/core/breaking/concurrency.ts";

export interface WorldOptions {
  readonly max: number;
  /** Requests that begin in each isolate in a second. */
  readonly requestsPerSecond: readonly number[];
  /** Mean of their exponentially distributed length. */
  readonly requestMs: number;
  /** Longest time of a report's way, and as long of its answer's. */
  readonly delayMsMax: number;
  readonly lostShare: number;
  /** Chance in each second that the object restarts, and that an isolate is replaced by another. */
  readonly restartShare: number;
  readonly deathShare: number;
}

interface Running {
  readonly enteredMs: number;
  readonly endMs: number;
  /** Began without a grant, or went on when it ended: the one thing that may come on top of `max`. */
  isBeside: boolean;
}

interface Isolate {
  readonly id: string;
  readonly perSecond: number;
  /** Its clock minus that of the world. */
  readonly offsetMs: number;
  readonly state: Concurrency;
  running: Running[];
  seq: number;
  isAsking: boolean;
  reportMs: number;
}

const stepMs = 5;
const reportEveryMs = 1_000;
const deadlineMs = 500;

export class World {
  nowMs = 0;
  readonly isolates: Isolate[];
  /** By isolate, since it was last set. */
  entered: number[];
  refused = 0;
  waited = 0;
  private object: Bulkhead;
  private seqs = new Map<string, number>();
  private late: { readonly atMs: number; readonly run: () => void }[] = [];
  private born = 0;
  private readonly options: WorldOptions;
  private readonly random: () => number;

  constructor(options: WorldOptions, random: () => number) {
    this.options = options;
    this.random = random;
    this.object = newBulkhead(0, true);
    this.isolates = options.requestsPerSecond.map((perSecond) => this.birth(perSecond));
    this.entered = options.requestsPerSecond.map(() => 0);
  }

  /** Requests under way that a grant covers. */
  get covered(): number {
    return this.isolates.reduce((sum, { running }) => sum + running.filter(({ isBeside }) => !isBeside).length, 0);
  }

  step(): void {
    this.nowMs += stepMs;
    const due = this.late.filter(({ atMs }) => atMs <= this.nowMs).sort((a, b) => a.atMs - b.atMs);
    this.late = this.late.filter(({ atMs }) => atMs > this.nowMs);
    for (const { run } of due) run();
    const perStep = stepMs / 1_000;
    if (this.random() < this.options.restartShare * perStep) {
      this.object = newBulkhead(this.nowMs, false);
      this.seqs.clear();
    }
    this.isolates.forEach((isolate, index) => {
      if (this.random() < this.options.deathShare * perStep) this.isolates[index] = this.birth(isolate.perSecond);
      else this.stepOf(isolate, index, perStep);
    });
  }

  private birth(perSecond: number): Isolate {
    const offsetMs = Math.floor(this.random() * 1e9);
    const id = `isolate ${this.born++}`;
    return { id, perSecond, offsetMs, state: newConcurrency(), running: [], seq: 0, isAsking: false, reportMs: 0 };
  }

  private stepOf(isolate: Isolate, index: number, perStep: number): void {
    const { state } = isolate;
    const ownMs = this.nowMs + isolate.offsetMs;
    if (ownMs >= state.heldUntilMs) for (const one of isolate.running) one.isBeside = true;
    for (const { enteredMs, endMs } of isolate.running) if (endMs <= this.nowMs) leave(state, enteredMs, ownMs);
    isolate.running = isolate.running.filter(({ endMs }) => endMs > this.nowMs);
    for (let expected = isolate.perSecond * perStep; this.random() < expected; expected -= 1) {
      const answer = enter(state, this.options.max, ownMs);
      if (answer === "entered") {
        this.entered[index]! += 1;
        const endMs = this.nowMs - Math.log(1 - this.random()) * this.options.requestMs;
        isolate.running.push({ enteredMs: ownMs, endMs, isBeside: ownMs >= state.heldUntilMs });
      } else if (answer === "ask") {
        this.waited += 1;
        if (!isolate.isAsking) this.ask(isolate);
      } else this.refused += 1;
    }
    const hasTraffic = isolate.perSecond > 0;
    if (hasTraffic && !isolate.isAsking && this.nowMs >= isolate.reportMs) this.ask(isolate);
  }

  private ask(isolate: Isolate): void {
    const { max, lostShare, delayMsMax } = this.options;
    const seq = isolate.seq++;
    isolate.isAsking = true;
    isolate.reportMs = this.nowMs + reportEveryMs;
    const ask = askOf(isolate.state, max, seq, this.nowMs + isolate.offsetMs);
    const end = (reply: Parameters<typeof settle>[2]) => {
      if (seq === isolate.seq - 1) isolate.isAsking = false;
      settle(isolate.state, seq, reply, this.nowMs + isolate.offsetMs);
    };
    let isAnswered = false;
    this.after(deadlineMs, () => {
      if (!isAnswered) end(null);
    });
    if (this.random() < lostShare) return;
    this.after(this.random() * delayMsMax, () => {
      if (seq <= (this.seqs.get(isolate.id) ?? -1)) return;
      this.seqs.set(isolate.id, seq);
      const concurrency = grantConcurrency(this.object, isolate.id, ask, max, this.nowMs);
      if (this.random() < lostShare) return;
      this.after(this.random() * delayMsMax, () => {
        isAnswered = true;
        end({ concurrency, isolates: this.isolates.length });
      });
    });
  }

  private after(ms: number, run: () => void): void {
    this.late.push({ atMs: this.nowMs + ms, run });
  }
}

/** Runs until `nowMs`; calls `look` after each step. */
export function runWorld(world: World, untilMs: number, look: (world: World) => void = () => {}): void {
  while (world.nowMs < untilMs) {
    world.step();
    look(world);
  }
}

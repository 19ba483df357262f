/** Shorthands for tests of the isolate's half: what the object would say, and requests with their results. */
import {
  admit,
  newSense,
  type Permit,
  record,
  replied,
  type Sense,
  takeReport,
} from "../../../../src/core/breaking/sense.ts";
import type {
  BreakerSettings,
  BreakerView,
  CallOutcome,
  HealthReply,
  HealthReport,
  HealthSettings,
  PublishedHealth,
} from "../../../../src/core/breaking/types.ts";
import { breakerDefaults, middle, settingsOf, startMs } from "./service.ts";

/** Of 4 requests 2 must fail; open for 1 s, then 2 s, at most 3 s; a ramp of 10 s. */
export const strict: BreakerSettings = {
  ...breakerDefaults,
  minimumRequests: 4,
  openMs: 1_000,
  maxOpenMs: 3_000,
  recoveryMs: 10_000,
  halfOpenProbes: 2,
};

export function view(rest: Partial<BreakerView> = {}): BreakerView {
  return {
    version: "v1",
    state: "closed",
    generation: 1,
    forced: "auto",
    openForMs: 0,
    recoveringForMs: null,
    ...rest,
  };
}

/** A view of everything with these breakers. */
export function published(breakers: readonly BreakerView[], rest: Partial<PublishedHealth> = {}): PublishedHealth {
  return { revision: 1, forced: "auto", breakers, ejected: [], ...rest };
}

/** A service in an isolate, with a clock and a version "v1". */
export class Client {
  nowMs = startMs;
  random: () => number = middle;
  readonly sense: Sense = newSense("i");
  settings: HealthSettings;

  constructor(settings: Partial<HealthSettings> = {}) {
    this.settings = settingsOf({ breaker: strict, ...settings });
  }

  wait(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  admit(version = "v1") {
    return admit(this.sense, this.settings, version, this.nowMs, this.random);
  }

  /** The permit of a request that must be admitted. */
  permit(version = "v1"): Permit {
    const admission = this.admit(version);
    if (admission.kind !== "admitted") throw new Error(`refused: ${admission.reason}`);
    return admission.permit;
  }

  /** Why a request is refused; null: it is not. */
  refusal(version = "v1"): string | null {
    const admission = this.admit(version);
    return admission.kind === "refused" ? admission.reason : null;
  }

  /** Requests of v1 that are admitted, one after the other. */
  results(...outcomes: readonly CallOutcome[]): this {
    for (const outcome of outcomes) this.record(this.permit(), outcome);
    return this;
  }

  record(permit: Permit, outcome: CallOutcome, origin = "a"): void {
    record(this.sense, this.settings, permit, origin, outcome, this.nowMs - permit.startedAtMs, this.nowMs);
  }

  take(): HealthReport {
    return takeReport(this.sense, this.settings, 3, null, this.nowMs);
  }

  /** Reports, and is answered `afterMs` later. */
  report(rest: Partial<HealthReply> = {}, afterMs = 0): HealthReport {
    const report = this.take();
    const askedAtMs = this.nowMs;
    replied(this.sense, report, replyTo(report, rest), askedAtMs, this.wait(afterMs).nowMs);
    return report;
  }

  /** Reports, and is told that v1 is half-open in generation 2 and may be tried with these permits. */
  reportForProbes(permits: readonly string[], afterMs = 0): HealthReport {
    const probes = [{ version: "v1", generation: 2, permits, useWithinMs: 2_000, reportWithinMs: 12_000 }];
    return this.report({ ...halfOpen, probes }, afterMs);
  }
}

/** v1 is half-open in generation 2. */
export const halfOpen = published([view({ state: "half-open", generation: 2 })], { revision: 2 });

/** An answer that knows of nothing but `rest`. */
export function replyTo({ seq }: HealthReport, rest: Partial<HealthReply> = {}): HealthReply {
  return { ...published([]), seq, probes: [], concurrency: null, isolates: 1, nextReportMs: 1_000, ...rest };
}

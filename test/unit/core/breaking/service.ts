/** One service's book with a clock, for tests: what an isolate would send is made from a few words. */
import { type Book, emptyBook } from "../../../../src/core/breaking/book.ts";
import { tick } from "../../../../src/core/breaking/due.ts";
import { force } from "../../../../src/core/breaking/orders.ts";
import { type Reported, report } from "../../../../src/core/breaking/report.ts";
import type {
  BreakerSettings,
  Cell,
  Forced,
  HealthEvent,
  HealthReport,
  HealthSettings,
  OutlierSettings,
} from "../../../../src/core/breaking/types.ts";
import { type Description, describe } from "../../../../src/core/breaking/view.ts";

/** The defaults of the design, without a limit on concurrency. */
export const breakerDefaults: BreakerSettings = {
  windowMs: 10_000,
  minimumRequests: 20,
  failureRate: 0.5,
  slowCallMs: 5_000,
  slowCallRate: 1,
  consecutiveFailures: 0,
  openMs: 5_000,
  maxOpenMs: 60_000,
  halfOpenProbes: 3,
  recoveryMs: 0,
};

export const outlierDefaults: OutlierSettings = {
  consecutiveFailures: 5,
  baseEjectionMs: 30_000,
  maxEjectionPercent: 10,
};

export function settingsOf(rest: Partial<HealthSettings> = {}): HealthSettings {
  return { revision: 1, breaker: breakerDefaults, outlier: null, maxConcurrent: 0, ...rest };
}

/** A cell with all that a test does not care about; all its failures came last. */
export function cell(rest: Partial<Cell> = {}): Cell {
  const { fail = 0 } = rest;
  return { version: "v1", origin: "a", generation: 0, ageMs: 0, ok: 0, fail, slow: 0, ignored: 0, tail: fail, ...rest };
}

/** No jitter. */
export const middle = () => 0.5;

/** A moment that is the begin of a slot of any window. */
export const startMs = 1_000 * 3_600_000;

const unheardOf: Description["breakers"][number] = {
  version: "v1",
  state: "closed",
  generation: 0,
  forced: "auto",
  openForMs: 0,
  recoveringForMs: null,
  counts: { requests: 0, failures: 0, slow: 0 },
  consecutiveFailures: 0,
  probes: { out: 0, succeeded: 0 },
};

export class Service {
  nowMs = startMs;
  book: Book = emptyBook();
  settings: HealthSettings;
  random: () => number = middle;
  readonly events: HealthEvent[] = [];
  seq = 0;

  constructor(settings: Partial<HealthSettings> = {}) {
    this.settings = settingsOf(settings);
  }

  wait(ms: number): HealthEvent[] {
    this.nowMs += ms;
    const events = tick(this.book, this.nowMs);
    this.events.push(...events);
    return events;
  }

  /** A report of the isolate "i" unless told otherwise, with a new `seq`. */
  report(rest: Partial<HealthReport> = {}): Reported {
    this.seq += 1;
    const reported = report(
      this.book,
      {
        isolate: "i",
        seq: this.seq,
        settings: this.settings,
        origins: 100,
        cells: [],
        probes: [],
        wants: [],
        concurrency: null,
        ...rest,
      },
      this.nowMs,
      this.random,
    );
    this.events.push(...reported.events);
    return reported;
  }

  force(version: string | null, forced: Forced): void {
    this.events.push(...force(this.book, version, forced, this.nowMs).events);
  }

  /** Permits for `count` probes of v1, as far as there are any. */
  permits(count = 1): readonly string[] {
    return this.report({ wants: [{ version: "v1", probes: count }] }).reply.probes[0]?.permits ?? [];
  }

  /** The result of a probe of v1 in this generation. */
  settle(permit: string, outcome: "ok" | "fail" | "ignored", generation = this.v1.generation): Reported {
    return this.report({ probes: [{ version: "v1", permit, generation, outcome }] });
  }

  /** Results of v1 in this generation. */
  results(rest: Partial<Cell>): Reported {
    return this.report({ cells: [cell({ generation: this.v1.generation, ...rest })] });
  }

  describe(): Description {
    return describe(this.book, this.nowMs);
  }

  /** The breaker of v1; before its first result what everybody takes it for. */
  get v1(): Description["breakers"][number] {
    return this.describe().breakers.find(({ version }) => version === "v1") ?? unheardOf;
  }

  /** Opens v1 by as many failures as it takes. */
  trip(): void {
    this.results({ fail: 100 });
  }
}

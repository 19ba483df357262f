/** Random histories of one book, with lost answers, late and repeated reports and restarts, against B2, B3, B6 and B7. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { type BookRow, bookOf, rowOf } from "../../../../src/core/breaking/book.ts";
import { nextDueMs } from "../../../../src/core/breaking/due.ts";
import type {
  BreakerSettings,
  CallOutcome,
  Cell,
  Forced,
  HealthEvent,
  HealthReport,
} from "../../../../src/core/breaking/types.ts";
import { publishedOf } from "../../../../src/core/breaking/view.ts";
import { breakerDefaults, cell, outlierDefaults, Service, settingsOf } from "./service.ts";

const breaker: BreakerSettings = {
  ...breakerDefaults,
  minimumRequests: 10,
  slowCallRate: 0.9,
  recoveryMs: 7_000,
  consecutiveFailures: 12,
};
const permitMs = bounds.probeUseMs + bounds.probeResultMs;

type Step =
  | {
      readonly op: "report";
      readonly isolate: number;
      readonly cells: readonly Partial<Cell>[];
      readonly behind: number;
    }
  | { readonly op: "again"; readonly index: number }
  | { readonly op: "ask"; readonly isolate: number; readonly probes: number }
  /** Of a probe without a result, or of any. */
  | { readonly op: "result"; readonly index: number; readonly isFirst: boolean; readonly outcome: CallOutcome }
  /** As many probes as are let through, all with success. */
  | { readonly op: "heal" }
  | { readonly op: "wait"; readonly ms: number }
  | { readonly op: "due" }
  | { readonly op: "restart" }
  | { readonly op: "force"; readonly version: string | null; readonly forced: Forced }
  | { readonly op: "settings"; readonly probes: number; readonly isOn: boolean };

const isolate = fc.nat(3);
const version = fc.constantFrom("v1", "v2");
const oneCell: fc.Arbitrary<Partial<Cell>> = fc.record({
  version,
  origin: fc.constantFrom("a", "b", "c"),
  ok: fc.nat(6),
  fail: fc.nat(8),
  slow: fc.nat(4),
  tail: fc.nat(8),
  ageMs: fc.nat(12_000),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant("report" as const),
      isolate,
      cells: fc.array(oneCell, { maxLength: 4 }),
      // Mostly of the present generation.
      behind: fc.constantFrom(0, 0, 0, 1, -1),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("again" as const), index: fc.nat(9) }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant("ask" as const), isolate, probes: fc.nat(4) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      op: fc.constant("result" as const),
      index: fc.nat(3),
      isFirst: fc.constantFrom(true, true, true, false),
      outcome: fc.constantFrom<CallOutcome>("ok", "ok", "ok", "ok", "ok", "ok", "fail", "ignored"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("heal" as const) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("wait" as const), ms: fc.constantFrom(1, 999, 4_000, 12_000) }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant("due" as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("restart" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("force" as const),
      version: fc.constantFrom("v1", "v2", null),
      forced: fc.constantFrom<Forced>("auto", "auto", "forced-open", "disabled"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("settings" as const),
      probes: fc.integer({ min: 1, max: 4 }),
      isOn: fc.constantFrom(true, true, true, false),
    }),
  },
);

interface Probe {
  readonly version: string;
  readonly permit: string;
  readonly generation: number;
  readonly untilMs: number;
  outcome: CallOutcome | null;
}

/** The book with its storage, and what the checks remember. */
class World extends Service {
  row: BookRow;
  readonly probes: Probe[] = [];
  readonly sent: HealthReport[] = [];
  /** The last report of each isolate, since the object started. */
  readonly last = new Map<string, { readonly seq: number; readonly atMs: number }>();
  /** Results that were reported for the first time, with the moment in which they began. */
  readonly seen: (Cell & { readonly atMs: number })[] = [];
  /** The view at each revision. */
  readonly views = new Map<number, string>();
  readonly generations = new Map<string, number>();

  constructor() {
    super({ breaker, outlier: { ...outlierDefaults, maxEjectionPercent: 50 } });
    this.row = rowOf(this.book, this.nowMs);
  }

  send(rest: Partial<HealthReport>): void {
    const from: HealthReport = {
      isolate: "i",
      seq: this.seq + 1,
      settings: this.settings,
      origins: 4,
      cells: [],
      probes: [],
      wants: [],
      concurrency: null,
      ...rest,
    };
    const last = this.last.get(from.isolate);
    const isOld = last !== undefined && from.seq <= last.seq && this.nowMs - last.atMs <= bounds.healthIsolateKeptMs;
    this.last.set(from.isolate, { seq: isOld ? last.seq : from.seq, atMs: this.nowMs });
    if (!isOld) for (const own of from.cells) this.seen.push({ ...own, atMs: this.nowMs - own.ageMs });
    this.sent.push(from);
    const { reply, events, changed } = this.report(from);
    if (isOld) expect(reply.probes).toEqual([]);
    this.explain(events);
    if (changed) this.row = rowOf(this.book, this.nowMs);
    for (const { version, generation, permits, reportWithinMs } of reply.probes) {
      const untilMs = this.nowMs + reportWithinMs;
      for (const permit of permits) this.probes.push({ version, permit, generation, untilMs, outcome: null });
    }
  }

  override trip(): void {
    this.send({ cells: [cell({ fail: 100 })] });
  }

  /** A breaker opens only on results that were really seen, each once; by its rates, only within the window (B4). */
  explain(events: readonly HealthEvent[]): void {
    for (const event of events) {
      if (event.type !== "breaker_opened" || event.reason === "probe_failed") continue;
      const isRow = event.reason === "consecutive_failures";
      const fromMs = isRow ? 0 : this.nowMs - breaker.windowMs;
      const own = this.seen.filter(
        ({ version, generation, atMs }) =>
          version === event.version && generation === event.generation - 1 && atMs > fromMs,
      );
      const failed = own.reduce((sum, { fail }) => sum + fail, 0);
      const all = own.reduce((sum, { ok, fail }) => sum + ok + fail, 0);
      if (isRow) expect(failed).toBeGreaterThanOrEqual(breaker.consecutiveFailures);
      else expect(all).toBeGreaterThanOrEqual(breaker.minimumRequests);
      if (event.reason === "failure_rate") expect(failed).toBeGreaterThanOrEqual(breaker.minimumRequests / 2);
    }
  }

  restart(): void {
    const before = publishedOf(this.book, this.nowMs);
    const permits = [...this.book.breakers.values()].map((breaker) => [breaker.version, [...breaker.permits]]);
    this.book = bookOf(JSON.parse(JSON.stringify(this.row)), this.nowMs);
    this.last.clear();
    this.wait(0);
    expect(publishedOf(this.book, this.nowMs)).toEqual(before);
    const after = new Map([...this.book.breakers.values()].map(({ version, permits }) => [version, [...permits]]));
    for (const [version, out] of permits) expect(after.get(version as string) ?? []).toEqual(out);
  }

  do(step: Step): void {
    const { revision } = this.book;
    if (step.op === "report") this.sendCells(step.isolate, step.cells, step.behind);
    else if (step.op === "again") {
      if (this.sent.length > 0) this.send(this.sent.at(-1 - (step.index % this.sent.length))!);
    } else if (step.op === "ask") {
      const wants = ["v1", "v2"].map((version) => ({ version, probes: step.probes }));
      this.send({ isolate: `i${step.isolate}`, wants });
    } else if (step.op === "result") {
      const probes = step.isFirst ? this.probes.filter(({ outcome }) => outcome === null) : this.probes;
      this.sendResult(probes.at(-1 - step.index), step.outcome);
    } else if (step.op === "heal") {
      this.send({ wants: ["v1", "v2"].map((version) => ({ version, probes: 9 })) });
      for (const probe of this.probes.filter(({ outcome }) => outcome === null)) this.sendResult(probe, "ok");
    } else if (step.op === "wait") this.wait(step.ms);
    else if (step.op === "due") this.wait((nextDueMs(this.book, this.nowMs) ?? this.nowMs) - this.nowMs);
    else if (step.op === "restart") this.restart();
    else if (step.op === "force") this.force(step.version, step.forced);
    else {
      const own = step.isOn ? { ...breaker, halfOpenProbes: step.probes } : null;
      this.settings = settingsOf({ ...this.settings, revision: this.settings.revision + 1, breaker: own });
    }
    if (this.book.revision !== revision) this.row = rowOf(this.book, this.nowMs);
  }

  sendCells(isolate: number, cells: readonly Partial<Cell>[], behind: number): void {
    const generations = new Map(this.describe().breakers.map(({ version, generation }) => [version, generation]));
    const fitting = cells.map((own) => {
      const { version = "v1", ok = 0, fail = 0, tail = 0, slow = 0 } = own;
      const fit = { tail: ok === 0 ? fail : Math.min(tail, fail), slow: Math.min(slow, ok + fail) };
      return cell({ ...own, ...fit, generation: (generations.get(version) ?? 0) - behind });
    });
    this.send({ isolate: `i${isolate}`, cells: fitting });
  }

  sendResult(probe: Probe | undefined, outcome: CallOutcome): void {
    if (probe === undefined) return;
    const { version, permit, generation } = probe;
    this.send({ probes: [{ version, permit, generation, outcome }] });
    probe.outcome ??= this.nowMs < probe.untilMs ? outcome : "ignored";
  }

  check(): void {
    const view = publishedOf(this.book, this.nowMs);
    const told = JSON.stringify(view, (key, value) =>
      key.endsWith("ForMs") || key === "forMs" ? value === null : value,
    );
    expect(this.views.get(view.revision) ?? told, "one view for each revision").toBe(told);
    this.views.set(view.revision, told);
    expect(Math.max(...this.views.keys())).toBe(view.revision);
    for (const own of this.book.breakers.values()) {
      expect(own.generation).toBeGreaterThanOrEqual(this.generations.get(own.version) ?? 0);
      this.generations.set(own.version, own.generation);
      const most = this.book.settings.breaker?.halfOpenProbes ?? 0;
      const isProbed = own.state === "half-open" && own.forced === "auto";
      if (!isProbed) expect(own.permits.size + own.successes).toBe(0);
      expect(own.successes).toBeLessThanOrEqual(most);
    }
  }
}

describe("in any history", () => {
  test("the view changes with the revision only, generations rise, and a restart loses nothing that was decided", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const world = new World();
        for (const step of steps) {
          world.do(step);
          world.check();
        }
      }),
      { numRuns: 300 },
    );
  });

  test("no generation has more probes at a time than it may, whatever is lost, repeated or restarted (B2)", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
        const world = new World();
        world.trip();
        for (const step of steps) {
          if (step.op === "settings" || step.op === "force") continue;
          world.do(step);
          const live = new Map<string, number>();
          for (const { version, generation, untilMs, outcome } of world.probes) {
            // A success keeps its place, and so does what has no result yet.
            if (outcome === null ? untilMs <= world.nowMs : outcome !== "ok") continue;
            const key = `${version} ${generation}`;
            live.set(key, (live.get(key) ?? 0) + 1);
          }
          for (const [key, count] of live) expect(count, key).toBeLessThanOrEqual(breaker.halfOpenProbes);
        }
        expect(new Set(world.probes.map(({ version, permit }) => `${version} ${permit}`)).size).toBe(
          world.probes.length,
        );
      }),
      { numRuns: 300 },
    );
  });

  test("the next due moment is when time changes something, and nothing changes before it", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new World();
        for (const step of steps) world.do(step);
        const state = () => JSON.stringify(rowOf(world.book, 0));
        world.wait(0);
        const before = state();
        const dueMs = nextDueMs(world.book, world.nowMs);
        if (dueMs !== null) world.wait(dueMs - world.nowMs - 1);
        else world.wait(3_600_000);
        expect(state()).toBe(before);
        if (dueMs === null) return;
        world.wait(1);
        expect(state()).not.toBe(before);
      }),
      { numRuns: 300 },
    );
  });

  test("a half-open breaker has a permit for whoever asks, at the latest when those that are out have ended (B7)", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new World();
        world.trip();
        for (const step of steps) if (step.op !== "force" && step.op !== "settings") world.do(step);
        world.wait(Math.max(world.v1.openForMs, permitMs));
        if (world.v1.state !== "half-open") return;
        expect(world.permits(9).length).toBeGreaterThan(0);
        for (let round = 0; round < 3 && world.v1.state === "half-open"; round++) {
          world.wait(permitMs);
          for (const permit of world.permits(3)) world.settle(permit, "ok");
        }
        expect(world.v1.state).toBe("closed");
      }),
      { numRuns: 300 },
    );
  });

  test("numbers of any kind neither throw nor leave a count that is none", () => {
    const number = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom(Number.NaN, -0, 1e308, Number.POSITIVE_INFINITY),
    );
    const anything = fc.record({
      ok: number,
      fail: number,
      slow: number,
      ignored: number,
      tail: number,
      ageMs: number,
    });
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 5 }), number, number, number, (cells, seq, origins, probes) => {
        const service = new Service({ outlier: outlierDefaults });
        const wants = [{ version: "v1", probes }];
        for (let time = 0; time < 3; time++) {
          service.report({ seq: seq + time, origins, wants, cells: cells.map((numbers) => cell({ ...numbers })) });
          const { requests, failures, slow } = service.v1.counts;
          expect([requests, failures, slow].every((count) => Number.isSafeInteger(count) && count >= 0)).toBe(true);
          expect(failures).toBeLessThanOrEqual(requests);
          expect(slow).toBeLessThanOrEqual(requests);
          service.wait(500);
        }
      }),
    );
  });
});

/** Random histories on a simulated clock, with late ticks, checks and restarts, against what R1, R2 and R4 to R7 promise. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { emptyBook } from "../../../../src/core/leasing/book.ts";
import { conclude, order } from "../../../../src/core/leasing/checks.ts";
import { nextDueMs, tick } from "../../../../src/core/leasing/expiry.ts";
import { deregister, drain, heartbeat, type LeaseRef, register } from "../../../../src/core/leasing/leases.ts";
import { list, replay } from "../../../../src/core/leasing/listing.ts";
import { targetsOf } from "../../../../src/core/leasing/marks.ts";
import { restart } from "../../../../src/core/leasing/restart.ts";
import type { Book, Change, Origin, OriginView, RegistryEvent } from "../../../../src/core/leasing/types.ts";
import { checkOrder, checkSettings, idOf, registration } from "./support.ts";

type Step =
  | { readonly op: "register"; readonly n: number; readonly ttlMs: number; readonly compare: boolean }
  /** Every lease ever granted to those origins, also the void ones. */
  | { readonly op: "heartbeat"; readonly first: number; readonly count: number }
  | { readonly op: "drain"; readonly n: number; readonly graceMs: number }
  | { readonly op: "deregister"; readonly n: number }
  /** The result of a check, as a run. */
  | { readonly op: "check"; readonly n: number; readonly run: number }
  /** An order of checks; `n` is also listed as a static origin. */
  | { readonly op: "order"; readonly n: number; readonly revision: number; readonly isOff: boolean }
  | { readonly op: "tick" }
  | { readonly op: "wait"; readonly waitMs: number }
  | { readonly op: "restart" };

const originsMax = 16;
const n = fc.nat(originsMax - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant("register"),
      n,
      ttlMs: fc.constantFrom(5_000, 15_000),
      compare: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ op: fc.constant("heartbeat"), first: n, count: fc.nat(originsMax) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("drain"), n, graceMs: fc.constantFrom(0, 1_000, 60_000) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("deregister"), n }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("check"), n, run: fc.constantFrom(-3, -2, 1, 2) }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant("order"), n, revision: fc.nat(3), isOff: fc.nat(3).map((n) => n === 0) }),
  },
  { weight: 4, arbitrary: fc.constant({ op: "tick" } as const) },
  {
    weight: 6,
    arbitrary: fc.record({ op: fc.constant("wait"), waitMs: fc.constantFrom(1, 999, 2_500, 5_000, 6_000, 15_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("wait"),
      waitMs: fc.constantFrom(60_000, bounds.freezeMsMax, bounds.checkOrderMsMax),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ op: "restart" } as const) },
);

/** A registry with the storage that its shell would have, and what the checks need to remember. */
class Simulation {
  nowMs = 1_000_000;
  book: Book = emptyBook();
  readonly stored = new Map<string, Origin>();
  readonly events: RegistryEvent[] = [];
  readonly granted: LeaseRef[] = [];
  /** Leases that were called lost, replaced, or whose origin was removed. */
  readonly over = new Set<string>();

  apply(change: Change): void {
    for (const id of change.touched) {
      const origin = this.book.origins.get(id);
      if (origin) this.stored.set(id, origin);
      else this.stored.delete(id);
    }
    this.events.push(...change.events);
    const live = new Set([...this.book.origins.values()].map(({ leaseId }) => leaseId));
    for (const { leaseId } of this.granted) if (!live.has(leaseId)) this.over.add(leaseId);
  }

  run(step: Step): void {
    const { book, nowMs } = this;
    switch (step.op) {
      case "wait":
        this.nowMs += step.waitMs;
        break;
      case "tick":
        this.apply(tick(book, nowMs));
        break;
      case "deregister":
        this.apply(deregister(book, idOf(step.n), nowMs).change);
        break;
      case "drain":
        this.apply(drain(book, idOf(step.n), step.graceMs, nowMs).change);
        break;
      case "register":
        this.register(step.n, step.ttlMs, step.compare);
        break;
      case "heartbeat":
        this.heartbeat(step.first, step.count);
        break;
      case "check":
        this.check(step.n, step.run);
        break;
      case "order":
        this.order(step.n, step.revision, step.isOff);
        break;
      case "restart":
        this.restart();
        break;
    }
  }

  register(n: number, ttlMs: number, compare: boolean): void {
    const lease = { origin: idOf(n), leaseId: `lease-${this.granted.length}` };
    const expected = compare ? (this.book.origins.get(lease.origin)?.modRevision ?? 0) : null;
    const { result, change } = register(
      this.book,
      registration(lease.origin, { ttlMs }),
      this.nowMs,
      lease.leaseId,
      expected,
    );
    if (result.ok) this.granted.push(lease);
    this.apply(change);
  }

  heartbeat(first: number, count: number): void {
    const origins = new Set(Array.from({ length: count }, (_, at) => idOf((first + at) % originsMax)));
    const leases = this.granted.filter(({ origin }) => origins.has(origin));
    const { result, change } = heartbeat(this.book, leases, this.nowMs);
    for (const { leaseId } of result.renewed)
      expect(this.over, "R6, R7: a lease that was over is renewed").not.toContain(leaseId);
    for (const { deadlineMs, ttlMs } of result.renewed) expect(deadlineMs).toBe(this.nowMs + ttlMs);
    for (const { leaseId } of result.lost) this.over.add(leaseId);
    this.apply(change);
  }

  check(n: number, run: number): void {
    const url = targetsOf(this.book).get(idOf(n));
    if (url === undefined) return;
    const { result, change } = conclude(this.book, { origin: idOf(n), url, run }, this.nowMs);
    if (result !== null && (run === -3 || run === 2)) expect(result).toBe(run > 0);
    this.apply(change);
  }

  order(n: number, revision: number, isOff: boolean): void {
    const staticOrigins = [{ id: idOf(n), url: "https://static.example.com" }];
    const settings = isOff ? null : checkSettings;
    this.apply(order(this.book, checkOrder({ revision, staticOrigins, settings }), this.nowMs).change);
  }

  restart(): void {
    const origins = [...this.stored.values()].map((origin) => ({ ...origin, deadlineMs: origin.storedDeadlineMs }));
    const before = this.book;
    const { result, change } = restart(
      {
        revision: before.revision,
        freeze: before.freeze,
        origins,
        checkOrder: before.checkOrder,
        unhealthy: [...before.unhealthy],
      },
      this.nowMs,
    );
    for (const after of result.origins.values()) {
      const { deadlineMs, extensions, ttlMs } = before.origins.get(after.id)!;
      expect(after.deadlineMs, "R4: shortened").toBeGreaterThanOrEqual(deadlineMs);
      expect(after.deadlineMs, "R4: by more than a ttl").toBeLessThanOrEqual(Math.max(deadlineMs, this.nowMs + ttlMs));
      expect(after.extensions, "R4: without limit").toBeLessThanOrEqual(bounds.restartExtensionsMax);
      if (after.deadlineMs > deadlineMs) expect(after.extensions).toBe(extensions + 1);
    }
    this.book = result;
    this.apply(change);
  }

  verify(): void {
    for (const { deadlineMs, state } of list(this.book, this.nowMs).origins) {
      if (deadlineMs <= this.nowMs) {
        expect(this.book.freeze, "R2: listed past its deadline without a freeze").not.toBeNull();
        expect(state, "R2: listed past its deadline without the flag").toBe("suspect");
      }
    }
    for (const origin of this.book.origins.values()) {
      const lagMs = origin.deadlineMs - origin.storedDeadlineMs;
      expect(lagMs, "the stored deadline lags by a ttl").toBeLessThan(origin.ttlMs);
      expect(this.stored.get(origin.id)).toMatchObject({ leaseId: origin.leaseId, state: origin.state });
    }
    expect(this.stored.size).toBe(this.book.origins.size);
    const targets = targetsOf(this.book);
    if (this.book.checkOrder?.settings == null) expect(this.book.unhealthy.size, "a mark without checks").toBe(0);
    for (const id of this.book.unhealthy)
      expect(targets.has(id) || this.book.origins.get(id)?.state === "draining", "a mark that no check can end").toBe(
        true,
      );
  }
}

const history = fc.record({
  /** Registered at the start, so that large and small services both occur. */
  start: fc.constantFrom(0, 3, originsMax),
  steps: fc.array(step, { maxLength: 60 }),
});

function simulate(
  { start, steps }: { start: number; steps: readonly Step[] },
  check: (simulation: Simulation) => void,
): void {
  const simulation = new Simulation();
  for (let n = 0; n < start; n++) simulation.register(n, 15_000, false);
  for (const step of steps) {
    simulation.run(step);
    check(simulation);
  }
}

const withoutDeadline = ({ deadlineMs: _, ...view }: OriginView & { readonly deadlineMs: number }): OriginView => view;

describe("in any history", () => {
  test("R1: revisions rise by one, and the events replayed rebuild exactly what is listed", () => {
    const property = fc.property(history, (given) => {
      simulate(given, (simulation) => {
        simulation.run({ op: "tick" });
        const { origins, ...rest } = list(simulation.book, simulation.nowMs);
        expect(simulation.events.map((event) => event.revision)).toEqual(simulation.events.map((_, at) => at + 1));
        expect(replay(simulation.events)).toEqual({ ...rest, origins: origins.map(withoutDeadline) });
      });
    });
    fc.assert(property, { numRuns: 300 });
  });

  test("R2, R4, R6, R7: no late reads, no short or endless leases, no revival, one row an id", () => {
    fc.assert(
      fc.property(history, (given) => simulate(given, (simulation) => simulation.verify())),
      { numRuns: 1_000 },
    );
  });

  test("R5: a tick expires exactly what is due, or suspects it", () => {
    const property = fc.property(history, (given) => {
      simulate(given, ({ book, nowMs }) => {
        const before = [...book.origins.values()].filter(({ state }) => state !== "draining");
        const due = before.filter(({ deadlineMs }) => deadlineMs <= nowMs).map(({ id }) => id);
        const inTime = before.filter(
          ({ deadlineMs, ttlMs, extensions }) => extensions === 0 && nowMs <= deadlineMs - ttlMs / 2,
        ).length;
        const wasFrozen = book.freeze !== null;
        const copy = structuredClone(book);
        tick(copy, nowMs);
        const kept = due.filter((id) => copy.origins.has(id));
        if (wasFrozen) {
          if (copy.freeze === null) expect(kept).toEqual([]);
          return;
        }
        const suspected = due.length > 0 && before.length >= 10 && inTime / before.length < 0.85;
        expect(copy.freeze !== null).toBe(suspected);
        expect(kept).toEqual(suspected ? due : []);
        for (const id of kept) expect(copy.origins.get(id)?.state).toBe("suspect");
      });
    });
    fc.assert(property, { numRuns: 500 });
  });

  test("nextDueMs is the first time at which a tick does anything, unless renewals end a freeze", () => {
    const property = fc.property(history, (given) => {
      simulate(given, (simulation) => {
        simulation.run({ op: "tick" });
        const { book, nowMs } = simulation;
        const dueMs = nextDueMs(book, nowMs);
        if (book.freeze !== null) {
          expect(dueMs).not.toBeNull();
          return;
        }
        const early = structuredClone(book);
        expect(tick(early, (dueMs ?? nowMs + 1e9) - 1).events).toEqual([]);
        if (dueMs !== null) expect(tick(structuredClone(book), dueMs).events).not.toEqual([]);
      });
    });
    fc.assert(property, { numRuns: 200 });
  });
});

/**
 * Requests that take permits, by the real limiter's client and objects. Each admission is logged with the true time: that of
 * the decision or, of a permit that was asked for by itself, of its grant. L1 is brute force over that log; L2 and L3 are a
 * ledger of what each isolate was granted.
 */
import { bounds } from "../../../src/bounds.ts";
import type { Book } from "../../../src/core/limiting/book.ts";
import { type Again, type Ask, type Decision, isExact } from "../../../src/core/limiting/decision.ts";
import { leaseOf } from "../../../src/core/limiting/isolates.ts";
import { limits } from "../../../src/core/limiting/limits.ts";
import { policyOf, windowMsOf } from "../../../src/core/limiting/policy.ts";
import { findEntry, type LeaseRequest, type Table } from "../../../src/core/limiting/table.ts";
import type { LeaseQuery, LeaseReply } from "../../../src/core/limiting/types.ts";
import { standsStillMsMax } from "../../unit/core/breaking/simulation-watch.ts";
import { Ledger } from "../../unit/core/limiting/ledger.ts";
import { type Admission, breaches } from "../../unit/core/limiting/oracle.ts";
import { overcharged } from "../../unit/core/limiting/world.ts";
import type { Isolate } from "../fakes/isolate.ts";
import type { Instance } from "../fakes/object.ts";
import type { LimitsSetup, Step } from "../plan.ts";
import type { Town } from "../town.ts";
import type { Part } from "./part.ts";

/** When a grant was charged, and when its permits are good. Travels with the reply. */
interface First {
  readonly chargedAtMs: number;
  readonly slotMs: number;
}
type Dated = LeaseReply & { readonly first: First };

interface Client {
  takePermits(env: object, ctx: object, asks: readonly Ask[]): Promise<{ readonly decision: Decision }>;
}

/**
 * Longest time for which a request may wait: the last round begins before the first bound, by a clock that may stand still
 * meanwhile, and has the second.
 */
const waitMsMax = bounds.limiterWaitMsMax + bounds.limiterCallMsMax + standsStillMsMax;

export function limitsPart(setup: LimitsSetup, town: Town): Part {
  const { world } = town;
  const policy = policyOf({ ...setup, version: 1 });
  const longestMs = Math.max(...setup.windows.map(windowMsOf));
  const keys = Array.from({ length: setup.keys }, (_, at) => `limit${at}|k`);
  const logs = new Map<string, Admission[]>(keys.map((key) => [key, []]));
  const ledgers = new WeakMap<Table, Map<string, Ledger>>();
  const firsts = new Map<string, First>();
  /** What an instance has granted to each isolate, the latest at the end. */
  const granted = new WeakMap<Instance, Map<string, { readonly seq: number; readonly atMs: number }[]>>();
  const grants = new WeakMap<LeaseRequest, First>();

  const grantsTo = (instance: Instance, isolate: string) => {
    const all = granted.get(instance) ?? new Map<string, { readonly seq: number; readonly atMs: number }[]>();
    const own = all.get(isolate) ?? [];
    granted.set(instance, all.set(isolate, own));
    return own;
  };
  const remember = (instance: Instance, { isolate, seq }: LeaseQuery): void => {
    grantsTo(instance, isolate).push({ seq, atMs: world.nowMs });
  };
  /** Of each isolate an object remembers the last few, for as long as they count. */
  const isRemembered = (instance: Instance, { isolate, seq }: LeaseQuery): boolean => {
    const last = grantsTo(instance, isolate).slice(-limits.leasesPerIsolateMax);
    return last.some((grant) => grant.seq === seq && world.nowMs <= grant.atMs + longestMs);
  };

  const ledgerOf = (table: Table, key: string): Ledger => {
    const own = ledgers.get(table) ?? new Map<string, Ledger>();
    const ledger = own.get(key) ?? new Ledger();
    ledgers.set(table, own.set(key, ledger));
    return ledger;
  };

  const admitted = (table: Table, ask: Ask, exact: First | undefined): void => {
    const { key, cost, policy } = ask;
    if (isExact(ask)) {
      if (exact === undefined) world.breach("L2: admitted without a grant of its own");
      else logs.get(key)!.push({ atMs: exact.slotMs, cost });
      return;
    }
    logs.get(key)!.push({ atMs: world.nowMs, cost });
    if (!ledgerOf(table, key).spend(cost, world.nowMs, policy.version))
      world.breach(`L2 or L3: ${cost} spent that no lease covers`);
  };

  /** The grant that a request would use, as `take` finds it. */
  const exactOf = (table: Table, { key, cost }: Ask, again: Again | undefined): First | undefined => {
    const tickets = findEntry(table, key)?.tickets;
    const used = again?.requests.find((one) => one.key === key && (tickets?.get(one.query.seq)?.granted ?? 0) >= cost);
    return used && grants.get(used);
  };

  const inHand = (table: Table, asks: readonly Ask[]): string =>
    asks.map(({ key }) => findEntry(table, key)?.leases.map(({ permits }) => permits)).join("; ");

  const tapsOfIsolate = () => ({
    "src/core/limiting/admit.ts": (real: { admitAll: (...args: unknown[]) => Decision }) => ({
      admitAll(table: Table, asks: readonly Ask[], nowMs: number, again?: Again): Decision {
        const before = inHand(table, asks);
        const exact = asks.map((ask) => exactOf(table, ask, again));
        const decision = real.admitAll(table, asks, nowMs, again);
        if (decision.kind === "denied" && inHand(table, asks) !== before) {
          world.breach(`L6: a refusal took permits: ${before} -> ${inHand(table, asks)}`);
        }
        if (decision.kind !== "allowed" || decision.degraded) return decision;
        asks.forEach((ask, at) => void admitted(table, ask, exact[at]));
        return decision;
      },
    }),
    "src/core/limiting/request.ts": (real: { granted: (...args: unknown[]) => void }) => ({
      granted(table: Table, request: LeaseRequest, reply: Dated, ...rest: unknown[]): void {
        const entry = findEntry(table, request.key);
        if (entry?.pending === request && reply.granted > 0) {
          const { key, query } = request;
          ledgerOf(table, key).add(reply.granted, reply.first.chargedAtMs + reply.ttlMs, query.policyVersion);
        }
        if (entry?.tickets.get(request.query.seq) === null) grants.set(request, reply.first);
        real.granted(table, request, reply, ...rest);
      },
    }),
  });

  const play = (step: Step): boolean => {
    if (step.kind !== "permits") return false;
    const isolate = town.isolates[step.place]!;
    step.costs.forEach((cost, at) => {
      world.at(world.nowMs + at * step.gapMs, isolate, () => void request(isolate, cost, step.isLast === true));
    });
    return true;
  };

  const request = async (isolate: Isolate, cost: number, isLast: boolean): Promise<void> => {
    const sinceMs = world.nowMs;
    const { takePermits } = isolate.module<Client>("src/clients/limiter.ts");
    const asks = keys.map((key): Ask => ({ key, cost, policy }));
    try {
      const { decision } = await takePermits(isolate.env, isolate.ctx, asks);
      world.note(
        () =>
          `${isolate.name} asks ${cost}: ${decision.kind}${decision.kind === "ask" || !decision.degraded ? "" : ", degraded"}`,
      );
      const tookMs = world.nowMs - sinceMs;
      if (tookMs > waitMsMax) world.breach(`wait: a request waited ${tookMs} ms for permits`);
      if (isLast && (decision.kind !== "allowed" || decision.degraded)) {
        world.breach(`L5: ${decision.kind} although everything has long been free`);
      }
    } catch (error) {
      world.breach(`wait: takePermits threw ${error}`);
    }
  };

  return {
    tapsOfIsolate,
    tapsOfObject: (instance) => ({
      "src/core/limiting/lease.ts": (real: {
        lease: (...args: unknown[]) => { reply: LeaseReply; changed: boolean };
      }) => ({
        lease(book: Book, query: LeaseQuery, nowMs: number) {
          const name = `${query.isolate} ${query.seq}`;
          const isKnown = leaseOf(book, query.isolate, query.seq) !== undefined;
          const before = chargedOf(book);
          const { reply, changed } = real.lease(book, query, nowMs);
          if (isRemembered(instance, query) && chargedOf(book) > before) world.breach("L2: charged twice");
          if (reply.granted > 0 && !isKnown) remember(instance, query);
          const now = { chargedAtMs: world.nowMs, slotMs: world.nowMs + reply.delayMs };
          const first = (isKnown && firsts.get(name)) || now;
          firsts.set(name, first);
          if (!isKnown && reply.granted > 0 && !instance.isReplaced) {
            for (const breach of overcharged(book, nowMs)) world.breach(breach);
          }
          return { reply: { ...reply, first }, changed };
        },
      }),
    }),
    play,
    finish() {
      for (const log of logs.values()) {
        for (const spec of setup.windows) for (const breach of breaches(spec, log).slice(0, 1)) world.breach(breach);
      }
      for (const host of town.hosts.filter(({ binding }) => binding === "RATE_LIMITER")) {
        if (host.store.count("book") > 0) world.breach(`L5: ${host.name} keeps its row for ever`);
      }
    },
  };
}

function chargedOf({ windows }: Book): number {
  return windows.reduce((sum, { meter, state }) => sum + meter.charged(state), 0);
}

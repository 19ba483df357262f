/** The simulated object of one key: instances, the one durable row, crashes and replacements. */
import {
  type Book,
  type BookRow,
  bookOf,
  deletableAtMs,
  emptyBook,
  type Lease,
  rowOf,
} from "../../../../src/core/limiting/book.ts";
import { leaseOf } from "../../../../src/core/limiting/isolates.ts";
import { lease } from "../../../../src/core/limiting/lease.ts";
import { peek } from "../../../../src/core/limiting/peek.ts";
import { quotaOf } from "../../../../src/core/limiting/policy.ts";
import type { LeaseQuery, LeaseReply } from "../../../../src/core/limiting/types.ts";
import type { Random } from "../../../support/random.ts";

export interface ObjectFaults {
  /** Shares of the calls at which the object crashes before or after its write, or is replaced while it lives on. */
  readonly crash: number;
  readonly replace: number;
  /** May a new instance's clock be behind the old one's? */
  readonly clockSteps: boolean;
}

interface Instance {
  readonly book: Book;
  readonly generation: number;
  readonly clockOffsetMs: number;
  diesAtMs: number;
}

/** When a grant was charged, and when its permits are good. */
interface First {
  readonly chargedAtMs: number;
  readonly slotMs: number;
}

/** A reply with the moments of its grant: before now for a query that came twice. */
export interface Answered extends First {
  readonly reply: LeaseReply;
}

export interface ObjectWorld {
  /** Null when no reply leaves. */
  call(query: LeaseQuery, atMs: number): Answered | null;
  /** Does a new instance, long after the last call, find anything still charged? */
  isChargedAt(atMs: number): boolean;
  readonly counts: { calls: number; writes: number };
  readonly breaches: string[];
}

const oldLivesMs = 3_000;

export function objectWorld(faults: ObjectFaults, random: Random): ObjectWorld {
  let row: BookRow | null = null;
  let current: Instance = { book: emptyBook(), generation: 0, clockOffsetMs: 0, diesAtMs: Number.POSITIVE_INFINITY };
  let old: Instance | null = null;
  const counts = { calls: 0, writes: 0 };
  const breaches: string[] = [];
  const firsts = new WeakMap<Lease, First>();
  let stored: readonly (First | undefined)[] = [];

  const start = () => {
    const clockOffsetMs = current.clockOffsetMs - (faults.clockSteps && random.chance(0.3) ? random.int(1, 1_500) : 0);
    const book = row === null ? emptyBook() : bookOf(JSON.parse(JSON.stringify(row)) as BookRow);
    for (const [at, lease] of book.leases.entries()) if (stored[at]) firsts.set(lease, stored[at]);
    current = { book, generation: current.generation + 1, clockOffsetMs, diesAtMs: Number.POSITIVE_INFINITY };
  };
  const answer = ({ book }: Instance, { isolate, seq }: LeaseQuery, reply: LeaseReply, atMs: number): Answered => {
    const lease = leaseOf(book, isolate, seq);
    const first = (lease && firsts.get(lease)) ?? { chargedAtMs: atMs, slotMs: atMs + reply.delayMs };
    if (lease) firsts.set(lease, first);
    return { reply, ...first };
  };
  const clockOf = (instance: Instance, atMs: number) => atMs + instance.clockOffsetMs;

  return {
    counts,
    breaches,
    call(query, atMs) {
      counts.calls++;
      if (random.chance(faults.replace)) {
        old = current;
        old.diesAtMs = atMs + oldLivesMs;
        start();
      }
      const instance = old !== null && atMs < old.diesAtMs && random.chance(0.5) ? old : current;
      const isNew = leaseOf(instance.book, query.isolate, query.seq) === undefined;
      const { reply, changed } = lease(instance.book, query, clockOf(instance, atMs));
      const answered = answer(instance, query, reply, atMs);
      if (isNew && instance === current && reply.granted > 0)
        breaches.push(...overcharged(instance.book, clockOf(instance, atMs)));
      if (changed) {
        counts.writes++;
        // Uniqueness is enforced where storage is touched: the write of a replaced instance fails, and it is gone.
        if (instance !== current) {
          old = null;
          return null;
        }
        if (random.chance(faults.crash)) {
          start();
          return null;
        }
        row = rowOf(instance.book);
        stored = instance.book.leases.map((lease) => firsts.get(lease));
      }
      if (random.chance(faults.crash)) {
        if (instance === current) start();
        return random.chance(0.5) ? null : answered;
      }
      return answered;
    },
    isChargedAt(atMs) {
      start();
      if (deletableAtMs(current.book) > clockOf(current, atMs)) breaches.push("L5: state that never ends");
      return peek(current.book, clockOf(current, atMs)).windows.some(({ spec, free }) => free < quotaOf(spec));
    },
  };
}

/** L1: a grant charges no window beyond its limit. */
export function overcharged(book: Book, nowMs: number): string[] {
  return peek(book, nowMs).windows.flatMap(({ spec, charged }) => {
    const limit = quotaOf(spec);
    const queue = spec.kind === "leaky-bucket" ? (spec.rate * spec.maxDelayMs) / 1_000 : 0;
    return charged > limit + queue + 1e-5 ? [`L1: charged ${charged} of ${limit} at a grant`] : [];
  });
}

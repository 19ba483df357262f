/** The simulated health object of one service: instances, the one durable row, crashes, replacements, its checks. */
import { type Book, type BookRow, bookOf, emptyBook, rowOf } from "../../../../src/core/breaking/book.ts";
import { newBreaker } from "../../../../src/core/breaking/breaker.ts";
import { nextDueMs, tick } from "../../../../src/core/breaking/due.ts";
import { force } from "../../../../src/core/breaking/orders.ts";
import { report } from "../../../../src/core/breaking/report.ts";
import type {
  Forced,
  HealthEvent,
  HealthReply,
  HealthReport,
  HealthSettings,
  PublishedHealth,
} from "../../../../src/core/breaking/types.ts";
import { publishedOf } from "../../../../src/core/breaking/view.ts";
import type { Random } from "../../../support/random.ts";
import { broken, overcounted, type Shift, shiftsOf, statesOf } from "./world-rules.ts";
import { type Truth, unfounded } from "./world-truth.ts";

export interface ObjectFaults {
  /** Shares of the calls at which the object crashes before or after its write, or is replaced while it lives on. */
  readonly crash: number;
  readonly replace: number;
  /** May a new instance's clock be behind the old one's? */
  readonly clockSteps: boolean;
}

interface Instance {
  book: Book;
  readonly clockOffsetMs: number;
  readonly diesAtMs: number;
}

export interface ObjectWorld {
  /** Null when no reply leaves. */
  call(from: HealthReport, atMs: number): HealthReply | null;
  /** The alarm. */
  tick(atMs: number): void;
  force(version: string | null, forced: Forced, atMs: number): void;
  /** When the alarm should run next, in true time. */
  nextDueMs(atMs: number): number | null;
  /** What the manifest carries. */
  published(): PublishedHealth | null;
  /** All transitions, in order. */
  readonly shifts: Shift[];
  readonly events: HealthEvent[];
  readonly breaches: string[];
}

interface Done {
  readonly events: readonly HealthEvent[];
  readonly changed: boolean;
}

const oldLivesMs = 3_000;
const forever = Number.POSITIVE_INFINITY;

/** Faults are asked for at each call, for they may end. */
export function objectWorld(
  settings: HealthSettings,
  truth: Truth,
  slackMs: number,
  faultsAt: (atMs: number) => ObjectFaults,
  random: Random,
): ObjectWorld {
  let row: BookRow | null = null;
  let manifest: PublishedHealth | null = null;
  let current: Instance = { book: emptyBook(), clockOffsetMs: 0, diesAtMs: forever };
  let old: Instance | null = null;
  const shifts: Shift[] = [];
  const events: HealthEvent[] = [];
  const breaches: string[] = [];

  const start = (atMs: number) => {
    const stepMs = faultsAt(atMs).clockSteps && random.chance(0.3) ? random.int(1, 1_500) : 0;
    const clockOffsetMs = current.clockOffsetMs - stepMs;
    const book = row === null ? emptyBook() : bookOf(JSON.parse(JSON.stringify(row)) as BookRow, atMs + clockOffsetMs);
    current = { book, clockOffsetMs, diesAtMs: forever };
  };
  /** Runs an operation on an instance; false: what it altered could not be stored. */
  const operate = (instance: Instance, atMs: number, run: (nowMs: number) => Done): boolean => {
    const { book } = instance;
    const nowMs = atMs + instance.clockOffsetMs;
    const before = statesOf(book);
    const unseen = newBreaker("", book.firstGeneration, book.forced);
    const { events: happened, changed } = run(nowMs);
    // Uniqueness is enforced where storage is touched: the write of a replaced instance fails, and it is gone.
    if (instance !== current) {
      if (changed) old = null;
      return !changed;
    }
    if (!changed) return true;
    const after = statesOf(book);
    breaches.push(...broken(before, after, happened, unseen));
    if (settings.breaker !== null) {
      for (const event of happened) {
        if ("generation" in event) breaches.push(...unfounded(truth, event, settings.breaker, atMs, slackMs));
      }
    }
    shifts.push(...shiftsOf(before, after, happened, unseen, atMs));
    events.push(...happened);
    row = rowOf(book, nowMs);
    manifest = publishedOf(book, nowMs);
    return true;
  };

  return {
    shifts,
    events,
    breaches,
    call(from, atMs) {
      const faults = faultsAt(atMs);
      if (random.chance(faults.replace)) {
        old = { ...current, diesAtMs: atMs + oldLivesMs };
        start(atMs);
      }
      const instance = old !== null && atMs < old.diesAtMs && random.chance(0.5) ? old : current;
      if (instance === current && random.chance(faults.crash)) {
        // Before its write: nothing has happened.
        start(atMs);
        return null;
      }
      let reply: HealthReply | null = null;
      const isStored = operate(instance, atMs, (nowMs) => {
        const done = report(instance.book, from, nowMs, random.next);
        reply = done.reply;
        return done;
      });
      if (instance === current) breaches.push(...overcounted(current.book, truth, atMs + current.clockOffsetMs));
      if (instance === current && random.chance(faults.crash)) {
        start(atMs);
        return random.chance(0.5) ? null : reply;
      }
      return isStored ? reply : null;
    },
    tick(atMs) {
      const { book } = current;
      operate(current, atMs, (nowMs) => {
        const { revision } = book;
        const events = tick(book, nowMs);
        return { events, changed: book.revision !== revision };
      });
    },
    force: (version, forced, atMs) =>
      void operate(current, atMs, (nowMs) => force(current.book, version, forced, nowMs)),
    nextDueMs(atMs) {
      const dueMs = nextDueMs(current.book, atMs + current.clockOffsetMs);
      return dueMs === null ? null : dueMs - current.clockOffsetMs;
    },
    published: () => manifest,
  };
}

/**
 * RateLimiter: what the whole world has used of one limit by one key, in all its windows. Addressed by `limitKeyOf`.
 *
 * The rules are in src/core/limiting; this is their clock and their storage. The book is in memory. A grant that the
 * stored row does not cover yet is stored before the call is answered, and the platform holds the answer back until that
 * is durable (L4); if storing fails, the call fails, and the book is thrown away and read again.
 */
import { DurableObject } from "cloudflare:workers";
import { bounds } from "../src/bounds.ts";
import { type Book, type BookRow, bookOf, deletableAtMs, emptyBook, rowOf } from "../src/core/limiting/book.ts";
import { lease, reset } from "../src/core/limiting/lease.ts";
import { limits } from "../src/core/limiting/limits.ts";
import { type Peek, peek } from "../src/core/limiting/peek.ts";
import type { LeaseQuery, LeaseReply } from "../src/core/limiting/types.ts";
import { migrate } from "./migrate.ts";

const migrations = [
  "CREATE TABLE IF NOT EXISTS book (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL) STRICT",
];

const selectBook = "SELECT json FROM book";
const upsertBook = "INSERT INTO book VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json";

export class RateLimiter extends DurableObject<Env> {
  /** null: to be read from storage by the next call. */
  #book: Book | null = null;
  /** null: none is set. Any that was set before this start is known before the first call. */
  #alarmAtMs: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    void ctx.blockConcurrencyWhile(async () => {
      this.#alarmAtMs = await ctx.storage.getAlarm();
    });
  }

  /** Answers an isolate. The same query again gets the same grant. Throws a RangeError when the query is out of bounds. */
  lease(query: LeaseQuery): LeaseReply {
    checkBounds(query);
    return this.#run((book, nowMs) => {
      const { reply, changed } = lease(book, query, nowMs);
      if (changed) this.#store(book);
      return reply;
    });
  }

  /** What is charged and free, and which leases are out; spends nothing. */
  peek(): Peek {
    return this.#run(peek);
  }

  /** Forgets what was spent; leases that are out stay charged. */
  reset(): void {
    this.#run((book, nowMs) => {
      reset(book, nowMs);
      this.#store(book);
    });
  }

  /** Deletes everything once nothing is charged any more. Never throws: the platform drops an alarm that keeps throwing. */
  override async alarm(): Promise<void> {
    const nowMs = Date.now();
    this.#alarmAtMs = null;
    try {
      this.#book ??= this.#load();
      const dueMs = deletableAtMs(this.#book);
      // In use, and so it will probably be for long: to wake for every lease of it would double its calls.
      if (dueMs > nowMs) return this.#setAlarm(dueMs + bounds.limiterAlarmPauseMs);
      this.#book = null;
      await this.ctx.storage.deleteAll();
    } catch (error) {
      console.error({ message: "limiter failed to wake", key: this.ctx.id.name, error: String(error) });
      this.#setAlarm(nowMs + limits.idleMarginMs);
    }
  }

  /** Runs an operation without a pause between reading and storing, so that of two calls one sees what the other took. */
  #run<T>(operation: (book: Book, nowMs: number) => T): T {
    const nowMs = Date.now();
    try {
      this.#book ??= this.#load();
      const result = operation(this.#book, nowMs);
      this.#schedule(this.#book, nowMs);
      return result;
    } catch (error) {
      this.#book = null;
      throw error;
    }
  }

  /** The book as it was last stored. */
  #load(): Book {
    // Not in the constructor: an object may go on living after its alarm has deleted the tables.
    migrate(this.ctx.storage, migrations);
    const [row] = this.ctx.storage.sql.exec<{ json: string }>(selectBook).toArray();
    return row === undefined ? emptyBook() : bookOf(JSON.parse(row.json) as BookRow);
  }

  #store(book: Book): void {
    this.ctx.storage.sql.exec(upsertBook, JSON.stringify(rowOf(book)));
  }

  /** Sees to it that an alarm comes when nothing is charged any more. One that comes too early asks again. */
  #schedule(book: Book, nowMs: number): void {
    const dueMs = Math.max(deletableAtMs(book), nowMs + limits.idleMarginMs);
    if (this.#alarmAtMs === null || this.#alarmAtMs > dueMs + bounds.limiterAlarmLateMsMax) this.#setAlarm(dueMs);
  }

  #setAlarm(atMs: number): void {
    this.#alarmAtMs = atMs;
    // Not awaited: the platform holds the reply back until it is durable.
    void this.ctx.storage.setAlarm(atMs);
  }
}

/** Refuses what would grow the book without bound, or is no number that the core can count with. */
function checkBounds({ isolate, seq, need, rate, spent, reports, windows, policyVersion }: LeaseQuery): void {
  const counts = [seq, need, spent, policyVersion, ...reports.flatMap((report) => [report.seq, report.used])];
  const inBounds =
    isolate.length > 0 &&
    isolate.length <= bounds.nameLengthMax &&
    reports.length <= limits.reportsMax &&
    windows.length > 0 &&
    windows.length <= bounds.rateLimitWindowsMax &&
    Number.isFinite(rate) &&
    rate >= 0 &&
    counts.every((count) => Number.isSafeInteger(count) && count >= 0);
  if (!inBounds) throw new RangeError("the query is out of bounds");
}

/**
 * ServiceHealth: the circuit breakers and ejected origins of one service, for the whole world. Addressed by the service's
 * name.
 *
 * The rules are in src/core/breaking; this is their clock, their storage and their way to the control plane. The book is
 * in memory. Whatever decides is stored before the call that altered it is answered (B1); if that fails the book is thrown
 * away and read again. What is only counted is in memory alone: losing it delays a trip (B4).
 */
import { DurableObject } from "cloudflare:workers";
import { bounds } from "../src/bounds.ts";
import { type Book, bookOf, emptyBook, rowOf } from "../src/core/breaking/book.ts";
import { nextDueMs, tick } from "../src/core/breaking/due.ts";
import { force, passed } from "../src/core/breaking/orders.ts";
import { report } from "../src/core/breaking/report.ts";
import type { Forced, HealthEvent, HealthReply, HealthReport } from "../src/core/breaking/types.ts";
import { type Description, describe, publishedOf } from "../src/core/breaking/view.ts";
import { migrate } from "./migrate.ts";
import {
  healthMigrations,
  loadHealth,
  readHealthRevision,
  saveHealth,
  savePublished,
  unpublishedEvents,
} from "./service-health-store.ts";
import { Upkeep } from "./upkeep.ts";

/** What an operation gave; `changed`: to be stored. */
interface Outcome<T> {
  readonly result: T;
  readonly events: readonly HealthEvent[];
  readonly changed: boolean;
}

/** A new order. `version` null: for the whole service; "": for origins without a version. */
export interface ForceRequest {
  readonly version: string | null;
  readonly state: Forced;
}

/** What is known after the order; `versions_full`: the version is new, and there are as many as there may be. */
export type ForceAnswer =
  | ({ readonly ok: true } & Description)
  | { readonly ok: false; readonly code: "versions_full" };

export class ServiceHealth extends DurableObject<Env> {
  /** null: to be read from storage by the next call. */
  #book: Book | null = null;
  /** The platform does not tell every alarm the object's name, so the name is stored too. */
  #service = "";
  #publishedRevision = 0;
  readonly #upkeep: Upkeep;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    migrate(ctx.storage, healthMigrations);
    this.#upkeep = new Upkeep(ctx.storage, {
      name: () => `health of ${this.#service}`,
      settle: (nowMs) => void this.#apply(settle, nowMs),
      // Without a book the last attempt to read or store it failed.
      nextDueMs: (nowMs) => (this.#book === null ? nowMs + bounds.publishRetryMs : nextDueMs(this.#book, nowMs)),
      isUnpublished: () => this.#book !== null && this.#book.revision > this.#publishedRevision,
      publish: (nowMs) => this.#publish(nowMs),
    });
  }

  /** Answers an isolate. A report that comes again counts nothing. Throws a RangeError when it is out of bounds. */
  report(from: HealthReport): HealthReply {
    checkReport(from);
    return this.#run((book, nowMs) => {
      const { reply: result, ...rest } = report(book, from, nowMs, Math.random);
      return { result, ...rest };
    });
  }

  /** Puts an operator's order in force, or ends it with `auto`. */
  force({ version, state }: ForceRequest): ForceAnswer {
    if (version !== null) checkName(version);
    // An object that was replaced lives on for a while: an order that changes nothing in its memory may well change what is true.
    if (this.#book?.revision !== readHealthRevision(this.ctx.storage.sql)) this.#book = null;
    return this.#run((book, nowMs) => {
      const { ok, ...rest } = force(book, version, state, nowMs);
      return { result: ok ? { ok, ...describe(book, nowMs) } : { ok, code: "versions_full" }, ...rest };
    });
  }

  /** Takes back those of the origins that are ejected: they have passed an active check. */
  passed({ origins }: { readonly origins: readonly string[] }): void {
    if (origins.length > bounds.healthOriginsMax) throw new RangeError("too many origins");
    this.#run((book, nowMs) => ({ result: undefined, ...passed(book, origins, nowMs) }));
  }

  describe(): Description {
    return this.#run((book, nowMs) => ({ ...settle(book, nowMs), result: describe(book, nowMs) }));
  }

  override async alarm(): Promise<void> {
    await this.#upkeep.alarm();
  }

  /** Runs an operation on the book, stores what it altered, and sees to what follows from it. */
  #run<T>(operation: (book: Book, nowMs: number) => Outcome<T>): T {
    const nowMs = Date.now();
    const { result, events } = this.#apply(operation, nowMs);
    this.#upkeep.schedule(nowMs, events.some(isUrgent));
    return result;
  }

  #apply<T>(operation: (book: Book, nowMs: number) => Outcome<T>, nowMs: number): Outcome<T> {
    try {
      this.#book ??= this.#load(nowMs);
      const outcome = operation(this.#book, nowMs);
      const { changed, events } = outcome;
      if (changed) saveHealth(this.ctx.storage, this.#service, rowOf(this.#book, nowMs), events, nowMs);
      return outcome;
    } catch (error) {
      this.#book = null;
      throw error;
    }
  }

  #load(nowMs: number): Book {
    const stored = loadHealth(this.ctx.storage.sql);
    this.#service = this.ctx.id.name ?? stored?.service ?? "";
    this.#publishedRevision = stored?.publishedRevision ?? 0;
    return stored === null ? emptyBook() : bookOf(stored.row, nowMs);
  }

  /** With every event that the control plane may not have; it leaves out those that it has. */
  #publish(nowMs: number) {
    const view = publishedOf(this.#book ?? emptyBook(), nowMs);
    const { revision } = view;
    const section = `health/${this.#service}`;
    const events = unpublishedEvents(this.ctx.storage.sql);
    const plane = this.env.CONTROL_PLANE.getByName("control-plane");
    return {
      // Not accepted means that it has this revision already, or a later one.
      taken: plane.publish({ section, revision, body: JSON.stringify(view), events }),
      done: () => {
        savePublished(this.ctx.storage, revision);
        this.#publishedRevision = revision;
      },
    };
  }
}

/** Does what is due. */
function settle(book: Book, nowMs: number): Outcome<undefined> {
  const { revision } = book;
  const events = tick(book, nowMs);
  return { result: undefined, events, changed: book.revision !== revision };
}

/** What keeps requests away from an ill service must not wait for other changes. */
function isUrgent({ type }: HealthEvent): boolean {
  return type === "breaker_opened" || type === "breaker_forced";
}

/** Refuses what would grow the book without bound, or is no number that the core can count with. */
function checkReport({ isolate, seq, settings, origins, cells, probes, wants, concurrency }: HealthReport): void {
  for (const list of [cells, probes, wants]) {
    if (list.length > bounds.healthItemsPerReportMax) throw new RangeError("the report is too long");
  }
  if (isolate === "") throw new RangeError("the isolate has no name");
  for (const name of [isolate, ...[...cells, ...probes, ...wants].map(({ version }) => version)]) checkName(name);
  for (const { origin } of cells) checkName(origin);
  const { revision, breaker, outlier, maxConcurrent } = settings;
  const numbers = [
    ...[seq, origins, revision, maxConcurrent],
    ...[breaker, outlier, concurrency].flatMap((group) => Object.values(group ?? {})),
    ...wants.map(({ probes: wanted }) => wanted),
  ];
  if (!numbers.every((number) => Number.isFinite(number) && number >= 0)) throw new RangeError("not a number");
}

function checkName(name: string): void {
  if (name.length > bounds.nameLengthMax) throw new RangeError("the name is too long");
}

/**
 * ServiceRegistry: who serves one service, by leases and by active checks. One per service, addressed by the service's
 * name.
 *
 * The rules are in src/core/leasing and src/core/checking; this is their clock, their storage and their way to the control
 * plane. The book is in memory. Whatever alters it is stored before the call is answered; if that fails the book is thrown
 * away and read again, so memory and storage never tell different stories. Renewals alone stay in memory (`heartbeat`).
 */
import { DurableObject } from "cloudflare:workers";
import { bounds } from "../src/bounds.ts";
import type { CheckOrder } from "../src/core/checking/types.ts";
import { conclude, type Finding, order } from "../src/core/leasing/checks.ts";
import { nextDueMs, tick } from "../src/core/leasing/expiry.ts";
import * as leases from "../src/core/leasing/leases.ts";
import { list } from "../src/core/leasing/listing.ts";
import { restart } from "../src/core/leasing/restart.ts";
import type { Book, Change, Origin, Outcome } from "../src/core/leasing/types.ts";
import { migrate } from "./migrate.ts";
import type {
  DrainAnswer,
  EventsAnswer,
  HeartbeatAnswer,
  LeaseTerms,
  ListAnswer,
  RegisterAnswer,
  RegisterRequest,
} from "./service-registry-api.ts";
import { Checker } from "./service-registry-checks.ts";
import { publicationOf } from "./service-registry-publication.ts";
import { registryMigrations } from "./service-registry-rows.ts";
import {
  loadBook,
  readEvents,
  readNotices,
  readPublication,
  readRevision,
  readWatched,
  saveChange,
  savePublished,
} from "./service-registry-store.ts";
import { Upkeep } from "./upkeep.ts";
import { Watchers } from "./watchers.ts";

export class ServiceRegistry extends DurableObject<Env> {
  /** null: to be read from storage by the next call. */
  #book: Book | null = null;
  /** The platform does not tell every alarm the object's name, so the name is stored too; "" before the first change. */
  #service: string;
  #publishedRevision = 0;
  readonly #upkeep: Upkeep;
  readonly #checker: Checker;
  readonly #watchers: Watchers;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    migrate(ctx.storage, registryMigrations);
    this.#service = ctx.id.name ?? "";
    const name = () => `registry of ${this.#service}`;
    this.#checker = new Checker({
      name,
      conclude: (finding) => this.#conclude(finding),
      tellPassed: (origins) => this.env.SERVICE_HEALTH.getByName(this.#service).passed({ origins }),
    });
    const { sql } = ctx.storage;
    this.#watchers = new Watchers(ctx, {
      head: () => readRevision(sql),
      after: (revision, limit) => readWatched(sql, revision, limit),
    });
    this.#upkeep = new Upkeep(ctx.storage, {
      name,
      settle: (nowMs) => this.#settle(nowMs),
      nextDueMs: (nowMs) => this.#nextDueMs(nowMs),
      isUnpublished: () => this.#book !== null && this.#book.revision > this.#publishedRevision,
      publish: (nowMs) => this.#publish(nowMs),
    });
  }

  register(request: RegisterRequest): RegisterAnswer {
    const { origin: id, ifRevision = null, ...rest } = request;
    const result = this.#run((book, nowMs) =>
      leases.register(book, { id, ...rest }, nowMs, crypto.randomUUID(), ifRevision),
    );
    if (!result.ok) return result;
    const { created, origin } = result;
    return { ok: true, created, leaseId: origin.leaseId, revision: origin.modRevision, ...termsOf(origin) };
  }

  /** Renews leases; writes to storage only about once a ttl for each. */
  heartbeat(request: { readonly leases: readonly leases.LeaseRef[] }): HeartbeatAnswer {
    const { renewed, lost } = this.#run((book, nowMs) => leases.heartbeat(book, request.leases, nowMs));
    return {
      renewed: renewed.map((origin) => ({ origin: origin.id, leaseId: origin.leaseId, ...termsOf(origin) })),
      lost,
    };
  }

  /** Ends new traffic; removes the origin after the grace, 0 = at once. */
  drain(request: { readonly origin: string; readonly graceSeconds: number }): DrainAnswer {
    return this.#run((book, nowMs) => {
      const { result, change } = leases.drain(book, request.origin, request.graceSeconds * 1000, nowMs);
      return { result: result.ok ? { ok: true, revision: book.revision } : result, change };
    });
  }

  /** Removes an origin; again, or of none: no change. */
  deregister(request: { readonly origin: string }): { readonly ok: true; readonly revision: number } {
    return this.#run((book, nowMs) => {
      const { change } = leases.deregister(book, request.origin, nowMs);
      return { result: { ok: true, revision: book.revision }, change };
    });
  }

  /** Says what is to be checked, and how. Accepted or not: what is in force shows in what is published. */
  order(request: CheckOrder): { readonly accepted: boolean } {
    return this.#run((book, nowMs) => order(book, request, nowMs));
  }

  list(): ListAnswer {
    const { unhealthy, origins, ...rest } = this.#run((book, nowMs) => {
      const change = tick(book, nowMs);
      return { result: list(book, nowMs), change };
    });
    const fixed = new Set(this.#book?.checkOrder?.staticOrigins.map(({ id }) => id));
    return {
      ...rest,
      unhealthyStatic: unhealthy.filter((id) => fixed.has(id)),
      runs: this.#checker.runs(),
      origins: origins.map(({ deadlineMs, ...origin }) => ({ ...origin, expiresAt: isoOf(deadlineMs) })),
    };
  }

  /**
   * Events after `fromRevision`, at most `limit` and at most a thousand; a watcher has them all when the last one's
   * revision is `revision`. `compacted`: list anew, then watch from the listing's revision.
   */
  events(request: { readonly fromRevision: number; readonly limit: number }): EventsAnswer {
    const revision = this.#run(settle);
    const limit = Math.min(request.limit, bounds.registryEventsPerCallMax);
    const events = readEvents(this.ctx.storage.sql, request.fromRevision, limit);
    return events === null ? { ok: false, code: "compacted", revision } : { ok: true, revision, events };
  }

  /** For who watches the events; see `Watchers`. */
  override fetch(request: Request): Promise<Response> {
    this.#run(settle);
    return this.#watchers.fetch(request);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#watchers.message(socket, message);
  }

  override webSocketClose(socket: WebSocket): void {
    this.#watchers.left(socket);
  }

  override async alarm(): Promise<void> {
    await this.#upkeep.alarm();
  }

  /** Runs an operation on the book, stores what it altered, and sees to what follows from it. */
  #run<T>(operation: (book: Book, nowMs: number) => Outcome<T>): T {
    const nowMs = Date.now();
    const result = this.#apply(operation, nowMs);
    this.#upkeep.schedule(nowMs);
    return result;
  }

  #apply<T>(operation: (book: Book, nowMs: number) => Outcome<T>, nowMs: number): T {
    try {
      this.#book = this.#current(nowMs);
      const { result, change } = operation(this.#book, nowMs);
      if (change.touched.size > 0 || change.events.length > 0) this.#save(this.#book, change, nowMs);
      this.#checker.follow(this.#book, nowMs);
      return result;
    } catch (error) {
      this.#book = null;
      throw error;
    }
  }

  /** The book as it is stored: an object that was replaced lives on for a while, and its memory is not what is true then. */
  #current(nowMs: number): Book {
    return this.#book?.revision === readRevision(this.ctx.storage.sql) ? this.#book : this.#load(nowMs);
  }

  #load(nowMs: number): Book {
    const { result: book, change } = restart(loadBook(this.ctx.storage.sql), nowMs);
    if (change.touched.size > 0) this.#save(book, change, nowMs);
    const { service, publishedRevision } = readPublication(this.ctx.storage.sql);
    this.#service = this.ctx.id.name ?? service ?? "";
    this.#publishedRevision = publishedRevision;
    return book;
  }

  #save(book: Book, change: Change, nowMs: number): void {
    saveChange(this.ctx.storage, this.ctx.id.name, book, change, nowMs);
    if (change.events.length > 0) this.#watchers.notify();
  }

  #settle(nowMs: number): void {
    this.#apply(settle, nowMs);
    this.#checker.start(nowMs);
  }

  #nextDueMs(nowMs: number): number | null {
    // Without a book the last attempt to read or store it failed.
    if (this.#book === null) return nowMs + bounds.publishRetryMs;
    const times = [nextDueMs(this.#book, nowMs), this.#checker.alarmDueMs()].filter((atMs) => atMs !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Only who is healthy now comes back: an origin that fails its checks needs more than one that passes. */
  #conclude(finding: Finding): boolean {
    const isHealthy = this.#run((book, nowMs) => conclude(book, finding, nowMs));
    return isHealthy === true && finding.run > 0 && this.#book?.checkOrder?.returnsEjected === true;
  }

  /** The listed set, with every event that the control plane may not have; it leaves out those that it has. */
  #publish(nowMs: number) {
    const book = this.#book;
    if (book === null) throw new Error("there is no book");
    const notices = readNotices(this.ctx.storage.sql, nowMs);
    const publication = publicationOf(this.#service, list(book, nowMs), notices);
    return {
      // Not accepted means that it has this revision already, or a later one.
      taken: this.env.CONTROL_PLANE.getByName("control-plane").publish(publication),
      done: () => {
        savePublished(this.ctx.storage.sql, publication.revision);
        this.#publishedRevision = publication.revision;
      },
    };
  }
}

/** Does what is due; the revision after it. */
function settle(book: Book, nowMs: number): Outcome<number> {
  const change = tick(book, nowMs);
  return { result: book.revision, change };
}

const isoOf = (timeMs: number): string => new Date(timeMs).toISOString();

function termsOf({ ttlMs, deadlineMs }: Origin): LeaseTerms {
  const heartbeatSeconds = leases.heartbeatMs(ttlMs, Math.random) / 1000;
  return { ttlSeconds: ttlMs / 1000, heartbeatSeconds, expiresAt: isoOf(deadlineMs) };
}

/**
 * ServiceRegistry: who serves one service, by leases. One per service, addressed by the service's name.
 *
 * The rules are in src/core/leasing; this is their clock, their storage and their way to the control plane. The book is
 * in memory. Whatever alters it is stored before the call is answered; if that fails the book is thrown away and read
 * again, so memory and storage never tell different stories. Renewals alone stay in memory (`heartbeat`).
 *
 * Time: the timer is exact while the object lives; the alarm, which may be a minute late, wakes an object that does
 * not. Neither is trusted: every call first does what is due.
 */
import { DurableObject } from "cloudflare:workers";
import { bounds } from "../src/bounds.ts";
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
import {
  loadBook,
  readEvents,
  readPublication,
  registryMigrations,
  saveChange,
  savePublished,
} from "./service-registry-store.ts";

export class ServiceRegistry extends DurableObject<Env> {
  /** null: to be read from storage by the next call. */
  #book: Book | null = null;
  /** The platform does not tell every alarm the object's name, so the name is stored too; null before the first change. */
  #service: string | null = null;
  #publishedRevision = 0;
  /** When to publish; infinite when there is nothing to publish. */
  #publishAtMs = Number.POSITIVE_INFINITY;
  #publishing = false;
  #timer: { readonly handle: ReturnType<typeof setTimeout>; readonly atMs: number } | null = null;
  #alarmAtMs = Number.POSITIVE_INFINITY;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    migrate(ctx.storage, registryMigrations);
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

  list(): ListAnswer {
    const { revision, frozen, origins } = this.#run((book, nowMs) => {
      const change = tick(book, nowMs);
      return { result: list(book, nowMs), change };
    });
    const listed = origins.map(({ deadlineMs, ...origin }) => ({ ...origin, expiresAt: isoOf(deadlineMs) }));
    return { revision, frozen, origins: listed };
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

  override async alarm(): Promise<void> {
    this.#alarmAtMs = Number.POSITIVE_INFINITY;
    await this.#wake();
  }

  /** Runs an operation on the book, stores what it altered, and sees to what follows from it. */
  #run<T>(operation: (book: Book, nowMs: number) => Outcome<T>): T {
    const nowMs = Date.now();
    const result = this.#apply(operation, nowMs);
    this.#schedule(nowMs);
    return result;
  }

  #apply<T>(operation: (book: Book, nowMs: number) => Outcome<T>, nowMs: number): T {
    try {
      this.#book ??= this.#load(nowMs);
      const { result, change } = operation(this.#book, nowMs);
      if (change.touched.size > 0 || change.events.length > 0) this.#save(this.#book, change);
      return result;
    } catch (error) {
      this.#book = null;
      throw error;
    }
  }

  #load(nowMs: number): Book {
    const { result: book, change } = restart(loadBook(this.ctx.storage.sql), nowMs);
    if (change.touched.size > 0) this.#save(book, change);
    const { service, publishedRevision } = readPublication(this.ctx.storage.sql);
    this.#service = this.ctx.id.name ?? service;
    this.#publishedRevision = publishedRevision;
    return book;
  }

  #save(book: Book, change: Change): void {
    saveChange(this.ctx.storage, this.ctx.id.name, book, change);
  }

  /**
   * Does what is due, and publishes it at once unless a publication is set for later. Never throws: an alarm that keeps
   * throwing is dropped by the platform.
   */
  async #wake(): Promise<void> {
    try {
      const nowMs = Date.now();
      this.#apply(settle, nowMs);
      const isLater = this.#publishAtMs !== Number.POSITIVE_INFINITY && this.#publishAtMs > nowMs;
      const publication = isLater ? null : this.#publish();
      this.#schedule(nowMs);
      await publication;
    } catch (error) {
      console.error({ message: "registry failed to wake", service: this.#service, error: String(error) });
    }
    this.#schedule(Date.now());
  }

  /** Sets timer and alarm for what comes next. One that is set for an earlier time stays, for waking early is harmless. */
  #schedule(nowMs: number): void {
    const unpublished = this.#book !== null && this.#book.revision > this.#publishedRevision;
    // A time that is set stays: the end of the delay that gathers changes, or of the pause after a failure.
    if (unpublished && this.#publishAtMs === Number.POSITIVE_INFINITY)
      this.#publishAtMs = nowMs + bounds.publishDelayMs;
    // Without a book the last attempt to read it failed.
    const dueMs = this.#book === null ? nowMs + bounds.publishRetryMs : nextDueMs(this.#book, nowMs);
    // While a publication is under way its end schedules the next.
    const publishAtMs = this.#publishing ? Number.POSITIVE_INFINITY : this.#publishAtMs;
    this.#setTimer(Math.min(dueMs ?? Number.POSITIVE_INFINITY, publishAtMs), nowMs);
    // For a publication the alarm is the second in line: it wakes an object that ended before the timer did.
    const backstopMs = Math.max(nowMs, this.#publishAtMs) + bounds.publishRetryMs;
    this.#setAlarm(Math.min(dueMs ?? Number.POSITIVE_INFINITY, backstopMs));
  }

  #setTimer(atMs: number, nowMs: number): void {
    if (atMs >= (this.#timer?.atMs ?? Number.POSITIVE_INFINITY)) return;
    if (this.#timer !== null) clearTimeout(this.#timer.handle);
    const wake = async () => {
      this.#timer = null;
      await this.#wake();
    };
    this.#timer = { handle: setTimeout(wake, Math.max(0, atMs - nowMs)), atMs };
  }

  #setAlarm(atMs: number): void {
    if (atMs >= this.#alarmAtMs) return;
    this.#alarmAtMs = atMs;
    // Not awaited: the platform holds the reply back until it is durable.
    void this.ctx.storage.setAlarm(atMs);
  }

  /** Gives the control plane the listed set, one call at a time. A failure is tried again. */
  async #publish(): Promise<void> {
    const book = this.#book;
    if (this.#publishing || book === null || book.revision <= this.#publishedRevision) return;
    this.#publishing = true;
    this.#publishAtMs = Number.POSITIVE_INFINITY;
    try {
      const { revision, frozen, origins } = list(book, Date.now());
      const published = origins.map(({ id, url, version, weight, zone, state }) => ({
        id,
        url,
        version,
        weight,
        zone,
        state,
      }));
      const body = JSON.stringify({ revision, frozen, origins: published });
      // Not accepted means that it has this revision already, or a later one.
      await withDeadline(
        this.env.CONTROL_PLANE.getByName("control-plane").publish({
          section: `origins/${this.#service}`,
          revision,
          body,
        }),
      );
      savePublished(this.ctx.storage.sql, revision);
      this.#publishedRevision = revision;
      this.#publishAtMs = Number.POSITIVE_INFINITY;
    } catch (error) {
      console.warn({ message: "registry was not published", service: this.#service, error: String(error) });
      this.#publishAtMs = Date.now() + bounds.publishRetryMs;
    } finally {
      this.#publishing = false;
    }
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

async function withDeadline<T>(answer: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = scheduler.wait(bounds.objectCallMsMax, { signal: timer.signal }).then(() => {
    throw new Error("the control plane did not answer in time");
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    timer.abort();
  }
}

/** When leases end, seen from inside the registry, and whether what it lists keeps to it (R2, R4, R6, R7). */
import { bounds } from "../../../src/bounds.ts";
import type { HeartbeatResult, LeaseRef, RegisterResult } from "../../../src/core/leasing/leases.ts";
import type { Book, ListedOrigin, Listing, Outcome, Registration } from "../../../src/core/leasing/types.ts";
import type { Instance } from "../fakes/object.ts";
import type { Observer, Town } from "../town.ts";

/** A lease that was granted and has neither been given back nor taken away. */
interface Lease {
  readonly leaseId: string;
  /** When it was granted or renewed, in true time. */
  readonly renewedMs: number;
}

type Register = (
  book: Book,
  registration: Registration,
  nowMs: number,
  leaseId: string,
  expected: number | null,
) => Outcome<RegisterResult>;
type Heartbeat = (book: Book, leases: readonly LeaseRef[], nowMs: number) => Outcome<HeartbeatResult>;
interface Leases {
  readonly register: Register;
  readonly heartbeat: Heartbeat;
  readonly drain: (book: Book, id: string, graceMs: number, nowMs: number) => Outcome<unknown>;
  readonly deregister: (book: Book, id: string, nowMs: number) => Outcome<unknown>;
}

export class LeaseCheck implements Observer {
  readonly #town: Town;
  readonly #ttlMs: number;
  readonly #held = new Map<string, Lease>();
  /** Ids of the leases that were granted last, told or not. */
  readonly #last = new Map<string, string>();
  /** The latest end of each origin's lease by the registry's clock, and how many starts there had been when it was given. */
  readonly #ends = new Map<string, { readonly deadlineMs: number; readonly starts: number }>();
  /** Ids of leases that are void for ever. */
  readonly #void = new Set<string>();
  /** Starts of the registry by its own clock, and whether what they extended was stored. */
  readonly #starts: { readonly nowMs: number; isStored: boolean }[] = [];
  /** What the turn that runs has decided, if it is ever told. */
  readonly #staged: (() => void)[] = [];

  constructor(town: Town, ttlMs: number) {
    this.#town = town;
    this.#ttlMs = ttlMs;
  }

  /** The lease of an origin; undefined: it has none. */
  leaseOf(origin: string): string | undefined {
    return this.#held.get(origin)?.leaseId;
  }

  /** Some lease that is void. */
  voidLease(): string {
    return [...this.#void].at(-1) ?? "none";
  }

  /** The end of an origin's lease in a world where nothing goes wrong; null: nobody has registered it. */
  readonly endMs = (origin: string): number | null => this.#ends.get(origin)?.deadlineMs ?? null;

  readonly tapsOfObject = (instance: Instance) => {
    if (instance.host.binding !== "SERVICE_REGISTRY") return {};
    const start = { nowMs: this.#nowMs + instance.skewMs, isStored: false };
    this.#starts.push(start);
    this.#staged.push(() => {
      start.isStored = true;
    });
    return {
      "src/core/leasing/leases.ts": (real: Leases) => this.#tapped(instance, real),
      "src/core/leasing/listing.ts": (real: { list: (book: Book, nowMs: number) => Listing<ListedOrigin> }) => ({
        list: (book: Book, nowMs: number) => {
          const listing = real.list(book, nowMs);
          if (!instance.isReplaced) this.#listed(listing, nowMs);
          return listing;
        },
      }),
    };
  };

  readonly onTurn = ({ host }: Instance): (() => void) | undefined => {
    if (host.binding !== "SERVICE_REGISTRY" || this.#staged.length === 0) return undefined;
    const staged = this.#staged.splice(0);
    return () => {
      for (const apply of staged) apply();
    };
  };

  get #nowMs(): number {
    return this.#town.world.nowMs;
  }

  #tapped(instance: Instance, real: Leases): Leases {
    return {
      // Drained, it may still be renewed until its grace is over.
      drain: (book, id, graceMs, nowMs) => {
        if (!instance.isReplaced && graceMs === 0) this.#end(id);
        else if (!instance.isReplaced) this.#held.delete(id);
        return real.drain(book, id, graceMs, nowMs);
      },
      deregister: (book, id, nowMs) => {
        if (!instance.isReplaced) this.#end(id);
        return real.deregister(book, id, nowMs);
      },
      register: (book, registration, nowMs, leaseId, expected) => {
        const outcome = real.register(book, registration, nowMs, leaseId, expected);
        if (outcome.result.ok && !instance.isReplaced) {
          this.#end(registration.id);
          this.#begin(registration.id, leaseId, nowMs + this.#ttlMs);
        }
        return outcome;
      },
      heartbeat: (book, leases, nowMs) => {
        const outcome = real.heartbeat(book, leases, nowMs);
        if (!instance.isReplaced) this.#heard(leases, outcome.result, nowMs);
        return outcome;
      },
    };
  }

  /** Its holder counts on it from when it is told. */
  #begin(origin: string, leaseId: string, deadlineMs: number): void {
    const renewedMs = this.#nowMs;
    this.#ends.set(origin, { deadlineMs, starts: this.#starts.length });
    this.#last.set(origin, leaseId);
    this.#staged.push(() => {
      if (this.#last.get(origin) === leaseId) this.#held.set(origin, { leaseId, renewedMs });
    });
  }

  /** Nobody counts on it from now on; it is void from when somebody is told so. */
  #end(origin: string): void {
    const last = this.#last.get(origin);
    this.#held.delete(origin);
    this.#last.delete(origin);
    if (last !== undefined) this.#staged.push(() => void this.#void.add(last));
  }

  #heard(asked: readonly LeaseRef[], { renewed, lost }: HeartbeatResult, nowMs: number): void {
    const { world } = this.#town;
    for (const lease of asked) {
      if (this.#void.has(lease.leaseId) && !lost.includes(lease))
        world.breach(`R6: a lease of ${lease.origin} is revived`);
    }
    for (const { id, leaseId } of renewed) {
      // A clock that was set back shortens nothing.
      const deadlineMs = Math.max(this.#endMsMax(id) ?? 0, nowMs + this.#ttlMs);
      this.#ends.set(id, { deadlineMs, starts: this.#starts.length });
      // Its holder counts on it from when it is told.
      const renewedMs = this.#nowMs;
      this.#staged.push(() => {
        if (this.#held.get(id)?.leaseId === leaseId) this.#held.set(id, { leaseId, renewedMs });
      });
    }
    for (const { origin, leaseId } of lost) {
      const held = this.#held.get(origin);
      if (held?.leaseId !== leaseId) continue;
      if (!this.#mayHaveEnded(held)) world.breach(`R4: the lease of ${origin} is lost early`);
      this.#end(origin);
    }
  }

  #listed({ origins, frozen }: Listing<ListedOrigin>, nowMs: number): void {
    const { world } = this.#town;
    const listed = new Set(origins.map(({ id }) => id));
    for (const [origin, lease] of this.#held) {
      if (!listed.has(origin) && !this.#mayHaveEnded(lease)) world.breach(`R4: ${origin} is registered and not listed`);
    }
    for (const { id, state, deadlineMs } of origins) {
      if (state === "suspect" && !frozen) world.breach(`R5: ${id} is suspect without a freeze`);
      if (state === "suspect") continue;
      if (deadlineMs <= nowMs) world.breach(`R2: ${id} is listed ${nowMs - deadlineMs} ms after its deadline`);
      if (nowMs > (this.#endMsMax(id) ?? nowMs))
        world.breach(`R4: ${id} is listed although nobody has renewed it for long`);
    }
  }

  /** The end of a lease that nobody renews: each of so many starts that is late enough gives it a whole ttl. */
  #endMsMax(origin: string): number | undefined {
    const end = this.#ends.get(origin);
    if (end === undefined) return undefined;
    let { deadlineMs } = end;
    let extensions = 0;
    for (const start of this.#starts.slice(end.starts)) {
      const isLost = !start.isStored && start !== this.#starts.at(-1);
      if (isLost || start.nowMs + this.#ttlMs <= deadlineMs || extensions >= bounds.restartExtensionsMax) continue;
      deadlineMs = start.nowMs + this.#ttlMs;
      extensions += 1;
    }
    return deadlineMs;
  }

  #mayHaveEnded({ renewedMs }: Lease): boolean {
    return this.#nowMs >= renewedMs + this.#ttlMs;
  }
}

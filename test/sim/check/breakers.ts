/** Holds the breakers of objects and isolates against what has truly happened (B1 to B6), as the simulation of the core does. */
import { bounds } from "../../../src/bounds.ts";
import type { Book } from "../../../src/core/breaking/book.ts";
import { newBreaker } from "../../../src/core/breaking/breaker.ts";
import type { Admission, Permit, Sense } from "../../../src/core/breaking/sense.ts";
import type {
  CallOutcome,
  HealthEvent,
  HealthReply,
  HealthReport,
  HealthSettings,
  PublishedHealth,
} from "../../../src/core/breaking/types.ts";
import { standsStillMsMax, type Watch, watch } from "../../unit/core/breaking/simulation-watch.ts";
import { broken, overcounted, type Shift, shiftsOf, statesOf } from "../../unit/core/breaking/world-rules.ts";
import { newTruth, unfounded } from "../../unit/core/breaking/world-truth.ts";
import type { Call } from "../fakes/network.ts";
import type { Instance } from "../fakes/object.ts";
import { lateMsMax } from "../faults.ts";
import { isCalm, type Plan } from "../plan.ts";
import type { Observer, Town } from "../town.ts";

type Done = { readonly events: readonly HealthEvent[]; readonly changed: boolean };
type Operation = (book: Book, ...rest: never[]) => Done | readonly HealthEvent[];

/** How much later than they happened results may come to the object: on their way, and counted by a clock that stood still. */
const slackMs = 2 * lateMsMax + standsStillMsMax;

/** By when every isolate acts on what the object has decided, if nothing is lost. */
const newsMsMax = bounds.snapshotStaleMaxMs + 100;

export class BreakerCheck implements Observer {
  readonly #town: Town;
  readonly #settings: HealthSettings;
  readonly #truth = newTruth();
  readonly #watch: Watch;
  readonly shifts: Shift[] = [];
  /** Transitions of the turn that runs. */
  readonly #staged: Shift[] = [];

  constructor(settings: HealthSettings, plan: Plan, town: Town) {
    this.#town = town;
    this.#settings = settings;
    this.#watch = watch(settings, isCalm(plan), this, this.#truth, newsMsMax);
  }

  readonly tapsOfIsolate = () => ({
    "src/core/breaking/sense.ts": (real: Senses) => ({
      admit: (sense: Sense, settings: HealthSettings, version: string, ...rest: unknown[]) => {
        const admission = real.admit(sense, settings, version, ...rest);
        this.#watch.decided(sense, version, admission, this.#nowMs);
        this.#report();
        return admission;
      },
      record: (
        sense: Sense,
        settings: HealthSettings,
        permit: Permit,
        origin: string,
        outcome: CallOutcome,
        latencyMs: number,
        nowMs: number,
      ) => {
        const { version, generation, probe } = permit;
        const isSlow = latencyMs >= (this.#settings.breaker?.slowCallMs ?? Number.POSITIVE_INFINITY);
        this.#truth.add(version, generation, outcome, isSlow, probe !== null, this.#nowMs);
        this.#watch.ended(permit);
        real.record(sense, settings, permit, origin, outcome, latencyMs, nowMs);
      },
      takeReport: (...args: unknown[]) => {
        const report = real.takeReport(...args);
        this.#watch.reports(report, this.#nowMs);
        this.#report();
        return report;
      },
      replied: (sense: Sense, ...rest: unknown[]) => {
        real.replied(sense, ...rest);
        this.#learned(sense);
      },
      adopt: (sense: Sense, published: PublishedHealth | null, nowMs: number) => {
        real.adopt(sense, published, nowMs);
        this.#learned(sense);
      },
    }),
  });

  readonly tapsOfObject = (instance: Instance) => {
    if (instance.host.binding !== "SERVICE_HEALTH") return {};
    const tap = (names: readonly string[]) => (real: Record<string, Operation>) =>
      Object.fromEntries(names.map((name) => [name, this.#operation(instance, real[name]!)]));
    return {
      "src/core/breaking/report.ts": tap(["report"]),
      "src/core/breaking/orders.ts": tap(["force", "passed"]),
      "src/core/breaking/due.ts": tap(["tick"]),
    };
  };

  readonly onTurn = ({ host }: Instance): (() => void) | undefined => {
    if (host.binding !== "SERVICE_HEALTH" || this.#staged.length === 0) return undefined;
    const staged = this.#staged.splice(0);
    return () => void this.shifts.push(...staged);
  };

  readonly onReply = ({ host, method, args }: Call, value: unknown): void => {
    if (host.binding !== "SERVICE_HEALTH" || method !== "report") return;
    this.#watch.replied((args[0] as HealthReport).isolate, value as HealthReply, this.#nowMs);
  };

  /** A request whose isolate has vanished is over. */
  ended(permit: Permit): void {
    this.#watch.ended(permit);
  }

  get #nowMs(): number {
    return this.#town.world.nowMs;
  }

  #learned(sense: Sense): void {
    this.#watch.learned(sense);
    this.#report();
  }

  #report(): void {
    for (const breach of this.#watch.breaches.splice(0)) this.#town.world.breach(breach);
  }

  #operation(instance: Instance, real: Operation): Operation {
    return (book, ...rest) => {
      const before = statesOf(book);
      const unseen = newBreaker("", book.firstGeneration, book.forced);
      const done = real(book, ...rest);
      // What a replaced object does to its book, nobody is told.
      if (instance.isReplaced) return done;
      const events = Array.isArray(done) ? done : (done as Done).events;
      const after = statesOf(book);
      this.#judge(book, [...broken(before, after, events, unseen)], events, instance);
      this.#staged.push(...shiftsOf(before, after, events, unseen, this.#nowMs));
      return done;
    };
  }

  #judge(book: Book, found: string[], events: readonly HealthEvent[], { skewMs }: Instance): void {
    const { breaker } = this.#settings;
    for (const event of events) {
      if (breaker === null || !("generation" in event)) continue;
      found.push(...unfounded(this.#truth, event, breaker, this.#nowMs, slackMs));
    }
    found.push(...overcounted(book, this.#truth, this.#nowMs + skewMs));
    for (const breach of found) this.#town.world.breach(breach);
  }
}

interface Senses {
  admit(...args: unknown[]): Admission;
  record(...args: unknown[]): void;
  takeReport(...args: unknown[]): HealthReport;
  replied(...args: unknown[]): void;
  adopt(...args: unknown[]): void;
}

/** Everything that a schedule is played in: isolates, objects, and what lies between them. */
import type { Database, DatabasePool } from "./fakes/database.ts";
import { type Binding, classes, ObjectHost, type ObjectWorld } from "./fakes/host.ts";
import { Isolate } from "./fakes/isolate.ts";
import { LocationCache } from "./fakes/location.ts";
import { type Call, type Caller, Network } from "./fakes/network.ts";
import type { Instance } from "./fakes/object.ts";
import { calmLatencyMs, calmMs, type Faults, noFaults } from "./faults.ts";
import type { Program, Taps } from "./load/program.ts";
import type { ObjectName, Plan } from "./plan.ts";
import { type Actor, startMs, World } from "./world.ts";

/** What a part of the schedule wants to see, and how it answers for origins. */
export interface Observer {
  readonly tapsOfIsolate?: (isolate: Isolate) => Taps;
  readonly tapsOfObject?: (instance: Instance) => Taps;
  /** A turn of an object is over; what is returned is called when all that it has written is durable, if it ever is. */
  readonly onTurn?: (instance: Instance, hasWritten: boolean) => (() => void) | undefined;
  readonly onCall?: (call: Call) => void;
  readonly onReply?: (call: Call, value: unknown) => void;
  readonly onAnswer?: (call: Call) => void;
}

const bindings = Object.keys(classes) as Binding[];

export class Town {
  readonly world: World;
  readonly network: Network;
  readonly isolates: Isolate[] = [];
  readonly observers: Observer[] = [];
  /** An origin's answer to a check; null: it does not answer. */
  checkOrigin: (url: string) => { readonly tookMs: number; readonly status: number } | null = () => null;
  readonly #plan: Plan;
  readonly #program: Program;
  readonly #pool: DatabasePool;
  readonly #hosts = new Map<ObjectName, ObjectHost>();
  readonly #cache: LocationCache;
  readonly #objects: ObjectWorld;
  #born = 0;

  constructor(plan: Plan, program: Program, pool: DatabasePool, isTraced: boolean) {
    this.#plan = plan;
    this.#program = program;
    this.#pool = pool;
    this.world = new World(plan.seed, isTraced);
    this.network = new Network(this.world, this.faults, () => (this.#isCalm ? calmLatencyMs : plan.latencyMs));
    this.network.onCall = (call) => void this.observers.forEach(({ onCall }) => void onCall?.(call));
    this.network.onReply = (call, value) => void this.observers.forEach(({ onReply }) => void onReply?.(call, value));
    this.network.onAnswer = (call) => void this.observers.forEach(({ onAnswer }) => void onAnswer?.(call));
    this.#cache = new LocationCache(this.world, this.faults);
    this.#objects = {
      world: this.world,
      program,
      faults: this.faults,
      envOf: (caller) => this.#envOf(caller, "object", true),
      fetch: (actor, url, timeoutMs) => this.#fetch(actor, url, timeoutMs),
      tapsOf: (instance) => tapsOf(this.observers.map(({ tapsOfObject }) => tapsOfObject?.(instance))),
      onTurn: (instance, hasWritten) => {
        const confirming = this.observers.map(({ onTurn }) => onTurn?.(instance, hasWritten));
        return () => void confirming.forEach((confirm) => void confirm?.());
      },
    };
  }

  /** What may go wrong now. */
  readonly faults = (): Faults => (this.#isCalm ? noFaults : this.#plan.faults);

  /** Does nothing go wrong yet, or any more? */
  get #isCalm(): boolean {
    const atMs = this.world.nowMs - startMs;
    return atMs < calmMs || atMs >= this.#plan.healAtMs;
  }

  /** Puts an isolate in place of the one that was there, which vanishes. */
  settle(place: number): void {
    const before = this.isolates[place];
    if (before) before.isGone = true;
    this.isolates[place] = new Isolate({
      name: `isolate${place}.${this.#born++}`,
      world: this.world,
      program: this.#program,
      faults: this.faults,
      cache: this.#cache,
      // Isolates of one location: their clocks are far from the objects', but near to each other.
      offsetMs: (this.#plan.seed % 5) * 40_000_000 - 80_000_000,
      envOf: (caller) => this.#envOf(caller, `worker${place % 2}`, place % 2 === 0),
      tapsOf: (isolate) => tapsOf(this.observers.map(({ tapsOfIsolate }) => tapsOfIsolate?.(isolate))),
    });
  }

  /** The object of a name, made when it is first asked for. */
  host(name: ObjectName): ObjectHost {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      const [binding, id] = name.split("/", 2) as [Binding, string];
      host = new ObjectHost(binding, id, this.#pool.take(classes[binding].name), this.#objects);
      this.#hosts.set(name, host);
    }
    return host;
  }

  get hosts(): readonly ObjectHost[] {
    return [...this.#hosts.values()];
  }

  /** Nothing of it may be used afterwards. */
  close(): void {
    for (const { binding, store } of this.#hosts.values()) {
      this.#pool.giveBack(classes[binding].name, store.database as Database);
    }
  }

  #envOf(caller: Caller, worker: string, hasVariable: boolean): object {
    const env: Record<string, unknown> = {
      VERSION_METADATA: { id: worker },
      ALLOW_PRIVATE_ORIGINS: "true",
      ...(hasVariable && { ORIGIN_URL: "http://origin-x.example" }),
    };
    for (const binding of bindings) {
      env[binding] = { getByName: (id: string) => this.#stub(caller, binding, id), idFromName: (id: string) => id };
    }
    return env;
  }

  #stub(caller: Caller, binding: Binding, id: string): object {
    const get = (_: object, method: string | symbol) => {
      if (typeof method !== "string" || method === "then") return undefined;
      return (...args: unknown[]) => this.network.call(caller, this.host(`${binding}/${id}`), method, args);
    };
    return new Proxy({}, { get });
  }

  #fetch(actor: Actor, url: string, timeoutMs: number): Promise<unknown> {
    const { world } = this;
    return new Promise((resolve, reject) => {
      const answer = this.checkOrigin(url);
      if (answer === null || answer.tookMs > timeoutMs) {
        world.at(world.nowMs + timeoutMs, actor, () => reject(new Error("timeout")));
      } else world.at(world.nowMs + answer.tookMs, actor, () => resolve({ status: answer.status, body: null }));
    });
  }
}

/** Several taps on one module are put one into the other. */
function tapsOf(lists: readonly (Taps | undefined)[]): Taps {
  const all: Record<string, (real: never) => object> = {};
  for (const taps of lists) {
    for (const [path, tap] of Object.entries(taps ?? {})) {
      const inner = all[path];
      all[path] = inner === undefined ? tap : (real) => tap({ ...(real as object), ...inner(real) } as never);
    }
  }
  return all;
}

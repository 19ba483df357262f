/**
 * A Durable Object and its starts. It may be evicted, crash before or after its writes are durable, and be replaced while it
 * lives on: then its memory still answers, and what it writes is lost with it.
 */
import type { Faults } from "../faults.ts";
import type { Program, Taps } from "../load/program.ts";
import type { Actor, Appointment, World } from "../world.ts";
import type { Database } from "./database.ts";
import type { Caller } from "./network.ts";
import { Instance } from "./object.ts";
import { Store } from "./storage.ts";

/** Classes of objects, by binding. */
export const classes = {
  CONTROL_PLANE: { path: "durable-objects/control-plane.ts", name: "ControlPlane" },
  RATE_LIMITER: { path: "durable-objects/rate-limiter.ts", name: "RateLimiter" },
  SERVICE_HEALTH: { path: "durable-objects/service-health.ts", name: "ServiceHealth" },
  SERVICE_REGISTRY: { path: "durable-objects/service-registry.ts", name: "ServiceRegistry" },
} as const;
export type Binding = keyof typeof classes;

/** What all objects share. */
export interface ObjectWorld {
  readonly world: World;
  readonly program: Program;
  readonly faults: () => Faults;
  /** Bindings as `caller` has them. */
  readonly envOf: (caller: Caller) => object;
  readonly fetch: (actor: Actor, url: string, timeoutMs: number) => Promise<unknown>;
  /** Who observes an object's modules. */
  readonly tapsOf: (instance: Instance) => Taps;
  /** A turn of an object is over; what is returned is called when all that it has written is durable, if it ever is. */
  readonly onTurn: (instance: Instance, hasWritten: boolean) => () => void;
}

type Crash = "before" | "after";

export class ObjectHost {
  readonly binding: Binding;
  readonly id: string;
  readonly name: string;
  readonly store: Store;
  readonly common: ObjectWorld;
  current: Instance | null = null;
  /** The instance that was replaced and lives on. */
  old: Instance | null = null;
  /** What is to happen at the end of the next turn that writes, or answers. */
  crash: Crash | null = null;
  starts = 0;
  skewMs = 0;
  #alarm: { readonly atMs: number; readonly appointment: Appointment } | null = null;

  constructor(binding: Binding, id: string, database: Database, common: ObjectWorld) {
    this.binding = binding;
    this.id = id;
    this.name = `${classes[binding].name}(${id})`;
    this.store = new Store(database);
    this.common = common;
  }

  /** The instance that a message comes to. */
  reached(): Instance {
    if (this.old !== null && this.common.world.fate.chance(0.5)) return this.old;
    return this.awake();
  }

  awake(): Instance {
    if (this.current !== null) return this.current;
    const { world, faults } = this.common;
    // Clocks of machines differ. One that is ahead would end windows early by as much, which nothing can prevent.
    if (world.fate.chance(0.3)) this.skewMs -= world.fate.int(0, faults().objectSkewMs);
    this.current = new Instance(this, this.starts++);
    return this.current;
  }

  /** Ends an instance that nobody waits for; true if it did. */
  evict(): boolean {
    const { current } = this;
    if (current === null || current.isBusy) return false;
    current.vanish();
    return true;
  }

  /** The next message finds another instance; this one lives on for a while. */
  replace(livesMs: number, throws: boolean): void {
    const { current } = this;
    const { world } = this.common;
    this.old?.vanish();
    if (current === null) return;
    if (current.hasPending) {
      this.store.undo();
      current.vanish();
      return;
    }
    current.isReplaced = true;
    current.throws = throws;
    this.current = null;
    this.old = current;
    world.at(world.nowMs + livesMs, null, () => current.vanish());
  }

  /** Sets the platform's alarm as it is stored. */
  seeToAlarm(): void {
    const { alarmAtMs: atMs } = this.store;
    if (atMs === (this.#alarm?.atMs ?? null)) return;
    if (this.#alarm !== null) this.#alarm.appointment.isCancelled = true;
    const { world, faults } = this.common;
    const late = world.fate.int(0, faults().alarmLateMs);
    this.#alarm = atMs === null ? null : { atMs, appointment: this.#ring(atMs - this.skewMs + late) };
  }

  #ring(trueMs: number): Appointment {
    return this.common.world.at(
      trueMs,
      () => this.awake(),
      (actor) => {
        this.#alarm = null;
        this.store.alarmAtMs = null;
        (actor as Instance).alarm();
      },
    );
  }

  /** The handler ended with its instance: it is called again. */
  ringAgain(): void {
    this.store.alarmAtMs ??= this.common.world.nowMs + this.skewMs + 1_000;
    this.seeToAlarm();
  }
}

/** Messages between actors: late, lost, doubled and overtaken. */
import { type Faults, lateMsMax } from "../faults.ts";
import type { Actor, World } from "../world.ts";
import { copyOf } from "./copy.ts";
import type { ObjectHost } from "./host.ts";
import type { Instance } from "./object.ts";

/** Who can call an object. What it sends leaves it when the platform lets it. */
export interface Caller extends Actor {
  emit(send: () => void): void;
}

/** One call of a method, as who watches from outside sees it. */
export interface Call {
  readonly id: number;
  readonly caller: string;
  readonly host: ObjectHost;
  readonly method: string;
  readonly args: readonly unknown[];
  /** Turns at which it was sent and answered; null: not answered, or with an error. */
  readonly sentAtTurn: number;
  answeredAtTurn: number | null;
  value: unknown;
  /** Times it was carried out, or begun. */
  arrivals: number;
  isOver: boolean;
  /** Sends the answer back; only the first to arrive counts. */
  reply(value: unknown, error: Error | null): void;
  /** Its object has vanished. */
  drop(): void;
}

export class Network {
  readonly #world: World;
  readonly #faults: () => Faults;
  readonly #latencyMs: () => readonly [number, number];
  /** Objects that nobody reaches. */
  readonly away = new Set<ObjectHost>();
  /** Sees each call when it is sent. */
  onCall: (call: Call) => void = () => {};
  /** Sees each answer when it leaves the object, and when it arrives. */
  onReply: (call: Call, value: unknown) => void = () => {};
  onAnswer: (call: Call) => void = () => {};
  #calls = 0;

  constructor(world: World, faults: () => Faults, latencyMs: () => readonly [number, number]) {
    this.#world = world;
    this.#faults = faults;
    this.#latencyMs = latencyMs;
  }

  call(caller: Caller, host: ObjectHost, method: string, args: readonly unknown[]): Promise<unknown> {
    const world = this.#world;
    return new Promise((resolve, reject) => {
      const end = (call: Call, run: () => void) => {
        world.at(world.nowMs + this.#delayMs(), caller, () => {
          if (call.isOver) return;
          call.isOver = true;
          run();
        });
      };
      const call: Call = {
        id: this.#calls++,
        caller: caller.name,
        host,
        method,
        args: copyOf(args),
        sentAtTurn: world.turns,
        answeredAtTurn: null,
        value: undefined,
        arrivals: 0,
        isOver: false,
        reply: (value, error) => {
          const answer = () => {
            if (error !== null) return reject(error);
            call.answeredAtTurn = world.turns;
            call.value = value;
            this.onAnswer(call);
            world.note(() => `${caller.name} < ${host.name} #${call.id} ${textOf(value)}`);
            resolve(copyOf(value));
          };
          if (error === null) this.onReply(call, value);
          if (this.#isLost(host)) return call.drop();
          end(call, answer);
          if (world.fate.chance(this.#faults().duplicate)) end(call, answer);
        },
        drop: () => {
          if (world.fate.chance(0.5)) end(call, () => reject(connectionLost));
        },
      };
      this.onCall(call);
      caller.emit(() => this.#send(call));
    });
  }

  #send(call: Call): void {
    const world = this.#world;
    world.note(() => `${call.caller} > ${call.host.name} #${call.id} ${call.method} ${textOf(call.args)}`);
    const arrive = () => {
      const receive = (actor: Actor | null) => (actor as Instance).receive(call);
      world.at(world.nowMs + this.#delayMs(), () => call.host.reached(), receive);
    };
    if (world.fate.chance(this.#faults().duplicate)) arrive();
    if (this.#isLost(call.host)) call.drop();
    else arrive();
  }

  #isLost(host: ObjectHost): boolean {
    return this.away.has(host) || this.#world.fate.chance(this.#faults().loss);
  }

  #delayMs(): number {
    const { fate } = this.#world;
    return fate.chance(this.#faults().late) ? fate.int(0, lateMsMax) : fate.int(...this.#latencyMs());
  }
}

/** As the platform says it. One for all: making one costs more than a turn. */
const connectionLost = Object.assign(new Error("Network connection lost."), { retryable: true });

function textOf(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 400) ?? "";
}

/** An isolate: the clients of the product, with module state, a clock and a location's cache of their own. */
import type { Faults } from "../faults.ts";
import type { Exports } from "../load/module.ts";
import type { Program, Taps } from "../load/program.ts";
import type { World } from "../world.ts";
import { globalsOf } from "./globals.ts";
import type { LocationCache } from "./location.ts";
import type { Caller } from "./network.ts";

export interface IsolateOptions {
  readonly name: string;
  readonly world: World;
  readonly program: Program;
  readonly faults: () => Faults;
  readonly cache: LocationCache;
  /** Its clock minus the true time. */
  readonly offsetMs: number;
  readonly envOf: (caller: Caller) => object;
  readonly tapsOf: (isolate: Isolate) => Taps;
}

export class Isolate implements Caller {
  readonly name: string;
  readonly offsetMs: number;
  isGone = false;
  readonly #options: IsolateOptions;
  readonly #modules: (path: string) => Exports;
  readonly env: object;
  #readMs = 0;

  constructor(options: IsolateOptions) {
    const { world, cache } = options;
    this.name = options.name;
    this.offsetMs = options.offsetMs;
    this.#options = options;
    this.env = options.envOf(this);
    const globals = globalsOf({
      world,
      actor: this,
      clock: () => this.clock(),
      caches: { open: async () => cache },
      fetch: () => Promise.reject(new Error("no fetch in an isolate")),
      isDigestSlow: () => false,
    });
    this.#modules = options.program.realm(globals, {}, options.tapsOf(this));
  }

  /** What its clock shows. */
  clock(): number {
    return this.#readMs + this.offsetMs;
  }

  /** Functions of a module of the product, as this isolate has it. */
  module<T>(path: string): T {
    return this.#modules(path) as T;
  }

  /** As a request has it. What is left running must not fail. */
  readonly ctx = {
    waitUntil: (work: Promise<unknown>): void => {
      work.catch((error: Error) => this.#options.world.breach(`background: ${this.name}: ${error.message}`));
    },
  };

  /** Its clock may stand still between two waits. */
  begin(): void {
    const { world, faults } = this.#options;
    const { standsStillMs } = faults();
    const lag = standsStillMs === 0 ? 0 : world.fate.int(0, standsStillMs);
    this.#readMs = Math.max(this.#readMs, world.nowMs - lag);
  }

  end(): void {}

  emit(send: () => void): void {
    send();
  }
}

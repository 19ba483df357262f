/**
 * `maxConcurrentRequests` holds for the whole world: requests that a grant covers are never more. Not covered are those of an
 * isolate whose grant has ended while they ran, and those that it lets in by itself while the object is away.
 */
import type { Concurrency } from "../../../src/core/breaking/concurrency.ts";
import type { Isolate } from "../fakes/isolate.ts";
import type { Observer, Town } from "../town.ts";

interface Running {
  readonly enteredAtMs: number;
  isCovered: boolean;
}

interface Functions {
  enter(state: Concurrency, max: number, nowMs: number): "entered" | "ask" | "full";
  leave(state: Concurrency, enteredAtMs: number, nowMs: number): void;
  settle(state: Concurrency, seq: number, reply: object | null, nowMs: number): void;
}

export class SlotCheck implements Observer {
  readonly #town: Town;
  readonly #max: number;
  readonly #running = new Map<Isolate, { readonly state: Concurrency; requests: Running[] }>();

  constructor(max: number, town: Town) {
    this.#max = max;
    this.#town = town;
  }

  readonly tapsOfIsolate = (isolate: Isolate) => ({
    "src/core/breaking/concurrency.ts": ({ enter, leave, settle }: Functions): Functions => ({
      enter: (state, max, nowMs) => {
        const isCovered = nowMs < state.heldUntilMs;
        const outcome = enter(state, max, nowMs);
        if (outcome === "entered") this.#enter(isolate, state, { enteredAtMs: nowMs, isCovered });
        return outcome;
      },
      leave: (state, enteredAtMs, nowMs) => {
        this.#leave(isolate, enteredAtMs);
        leave(state, enteredAtMs, nowMs);
      },
      settle: (state, seq, reply, nowMs) => {
        this.#end(isolate);
        settle(state, seq, reply, nowMs);
      },
    }),
  });

  #enter(isolate: Isolate, state: Concurrency, request: Running): void {
    const own = this.#running.get(isolate) ?? { state, requests: [] };
    this.#running.set(isolate, own);
    own.requests.push(request);
    let covered = 0;
    for (const [other, { requests }] of this.#running) {
      if (other.isGone) continue;
      this.#end(other);
      covered += requests.filter(({ isCovered }) => isCovered).length;
    }
    if (covered > this.#max) this.#town.world.breach(`slots: ${covered} requests of ${this.#max} are under way`);
  }

  #leave(isolate: Isolate, enteredAtMs: number): void {
    const own = this.#running.get(isolate);
    if (own === undefined) return;
    const same = own.requests.filter((request) => request.enteredAtMs === enteredAtMs);
    const left = same.find(({ isCovered }) => isCovered) ?? same[0];
    own.requests = own.requests.filter((request) => request !== left);
  }

  /** What runs when its isolate's grant ends is covered by none. */
  #end(isolate: Isolate): void {
    const own = this.#running.get(isolate);
    if (own === undefined || this.#town.world.nowMs + isolate.offsetMs < own.state.heldUntilMs) return;
    for (const request of own.requests) request.isCovered = false;
  }
}

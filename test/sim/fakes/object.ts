/**
 * One start of a Durable Object: the real class with its modules, clock and timers. What it sends leaves it at the end of a
 * turn, when all that was written is durable.
 */
import type { Taps } from "../load/program.ts";
import { Base, contextOf } from "./context.ts";
import { copyOf } from "./copy.ts";
import { globalsOf } from "./globals.ts";
import { classes, type ObjectHost } from "./host.ts";
import type { Call, Caller } from "./network.ts";
import type { Pending, Store } from "./storage.ts";

type Methods = Record<string, (...args: unknown[]) => unknown>;

export class Instance implements Caller {
  readonly host: ObjectHost;
  readonly name: string;
  isGone = false;
  isReplaced = false;
  /** Replaced: storage throws at once; else it seems to work, and the object ends with the turn before anything leaves it. */
  throws = false;
  readonly #object: Methods;
  #ready: Promise<unknown> = Promise.resolve();
  /** What leaves at the end of the turn. */
  #outbox: (() => void)[] = [];
  readonly #open = new Set<Call>();
  /** What is to be done when the writes of turns before are durable. */
  readonly #unsettled = new Set<() => void>();
  #isFresh = true;
  /** The alarm's handler runs, or what it has written is not durable yet: until then the alarm is not over. */
  #isRinging = false;
  #hasRung = false;
  #durableAtMs = 0;
  readonly skewMs: number;

  constructor(host: ObjectHost, start: number) {
    this.host = host;
    this.name = `${host.name}.${start}`;
    this.skewMs = host.skewMs;
    const { program, envOf, world, fetch, tapsOf, faults } = host.common;
    const globals = globalsOf({
      world,
      actor: this,
      clock: () => world.nowMs + this.skewMs,
      caches: undefined,
      fetch: (url, timeoutMs) => fetch(this, url, timeoutMs),
      isDigestSlow: () => faults().late > 0,
    });
    const require = program.realm(globals, { DurableObject: Base }, { ...migrating(host.store), ...tapsOf(this) });
    const { path, name } = classes[host.binding];
    const Class = require(path)[name] as new (ctx: object, env: object) => Methods;
    host.store.begin(this.#isUndoable);
    const wait = (run: () => Promise<unknown>) => {
      this.#ready = run();
      return this.#ready;
    };
    this.#object = new Class(contextOf(this, wait), envOf(this));
    world.note(() => `${this.name} starts`);
  }

  /** Calls a method without a message: for checks, between turns. */
  ask<T>(method: string, ...args: unknown[]): T {
    return this.#object[method]!(...args) as T;
  }

  /** Nothing else makes that writes of a turn are lost. */
  get #isUndoable(): boolean {
    const { crash, common } = this.host;
    return this.isReplaced || crash === "before" || this.hasPending || common.faults().storageMs > 0;
  }

  get isBusy(): boolean {
    return this.#open.size > 0 || this.#isRinging || this.#outbox.length > 0 || this.hasPending;
  }

  get hasPending(): boolean {
    return this.#unsettled.size > 0;
  }

  begin(): void {
    // The start is part of the turn that it was for.
    if (this.#isFresh) this.#isFresh = false;
    else this.host.store.begin(this.#isUndoable);
  }

  end(): void {
    const { host, isReplaced } = this;
    const { store } = host;
    const writes = store.end();
    const confirm = host.common.onTurn(this, writes !== null);
    if (isReplaced && !this.throws && store.isTouched) {
      store.undoTurn();
      this.vanish();
      return;
    }
    const isOver = host.crash === "before" ? writes !== null : host.crash === "after" && this.#outbox.length > 0;
    if (isOver && !isReplaced) this.#crash(writes, confirm);
    else this.#release(writes, confirm);
  }

  /** Its host's `crash` happens. */
  #crash(writes: Pending | null, confirm: () => void): void {
    const { host } = this;
    const { store } = host;
    if (host.crash === "before") store.undo();
    else {
      for (const settle of this.#unsettled) settle();
      if (writes !== null) store.confirm(writes);
      confirm();
      if (this.#hasRung) this.#isRinging = false;
    }
    host.crash = null;
    this.vanish();
    host.seeToAlarm();
  }

  emit(send: () => void): void {
    this.#outbox.push(send);
  }

  receive(call: Call): void {
    call.arrivals += 1;
    this.#open.add(call);
    const answer = (value: unknown, error: Error | null) => {
      this.#open.delete(call);
      const copy = copyOf(value);
      this.emit(() => call.reply(copy, error));
    };
    const work = async () => {
      await this.#ready;
      return this.#object[call.method]!(...copyOf(call.args));
    };
    work().then(
      (value) => answer(value, null),
      (error: Error) => answer(undefined, new Error(error.message)),
    );
  }

  alarm(): void {
    this.#isRinging = true;
    this.#hasRung = false;
    const { world } = this.host.common;
    world.note(() => `${this.name} alarm`);
    const work = async () => {
      await this.#ready;
      await this.#object.alarm!();
      this.#hasRung = true;
    };
    work().catch((error: Error) => world.breach(`alarm: ${this.name} threw ${error.message}`));
  }

  /** It is gone, with its memory, its timers and what it had not sent. */
  vanish(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.#outbox = [];
    const { host } = this;
    host.common.world.note(() => `${this.name} ends`);
    if (host.current === this) host.current = null;
    if (host.old === this) host.old = null;
    for (const call of this.#open) call.drop();
    if (this.#isRinging && !this.isReplaced) host.ringAgain();
  }

  /** Nothing leaves before what was written is durable. */
  #release(writes: Pending | null, confirm: () => void): void {
    const { host } = this;
    const { world, faults } = host.common;
    const sent = this.#outbox;
    this.#outbox = [];
    const { storageMs } = faults();
    const isSlow = writes !== null && storageMs > 0;
    if (isSlow) this.#durableAtMs = Math.max(this.#durableAtMs, world.nowMs + world.fate.int(1, storageMs));
    const hasRung = this.#hasRung;
    const settle = () => {
      this.#unsettled.delete(settle);
      if (hasRung) this.#isRinging = false;
      if (writes !== null) host.store.confirm(writes);
      confirm();
    };
    const release = () => {
      if (this.isGone) return;
      settle();
      for (const send of sent) send();
      if (!this.isReplaced) host.seeToAlarm();
    };
    if (isSlow || this.hasPending) {
      this.#unsettled.add(settle);
      world.at(this.#durableAtMs, null, release);
    } else release();
  }
}

function migrating(store: Store): Taps {
  return {
    "durable-objects/migrate.ts": ({ migrate }: { migrate: (...args: unknown[]) => void }) => ({
      migrate: (...args: unknown[]) => store.warmUp(() => migrate(...args)),
    }),
  };
}

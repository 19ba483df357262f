/** What the modules of one actor find as globals: its clock, its chance, its timers. Nothing of it is the process's own. */
import { hash } from "node:crypto";
import type { Globals } from "../load/program.ts";
import type { Actor, World } from "../world.ts";

/** What an actor says of itself. */
export interface Surroundings {
  readonly world: World;
  readonly actor: Actor;
  /** By the actor's clock. */
  readonly clock: () => number;
  /** Location cache; isolates have one. */
  readonly caches: unknown;
  readonly fetch: (url: string, timeoutMs: number) => Promise<unknown>;
  /** Does a digest take until another turn, so that others come between? */
  readonly isDigestSlow: () => boolean;
}

interface Signal {
  aborted: boolean;
  readonly timeoutMs: number;
  onabort: (() => void) | null;
  addEventListener(type: string, listener: () => void): void;
}

export function globalsOf(surroundings: Surroundings): Globals {
  const { world, actor, clock, caches } = surroundings;
  class OwnDate extends Date {
    static override now(): number {
      return clock();
    }
  }
  return {
    AbortController: OwnAbortController,
    AbortSignal: { timeout: (ms: number) => newSignal(ms) },
    Date: OwnDate,
    Math: Object.create(Math, { random: { value: world.chance.next } }),
    Response: OwnResponse,
    WebSocketPair: undefined,
    WebSocketRequestResponsePair: class {},
    caches,
    clearTimeout: (timer: { isCancelled: boolean }) => {
      timer.isCancelled = true;
    },
    console: quiet,
    crypto: { randomUUID: () => uuidOf(world), subtle: { digest: digestOf(surroundings) } },
    fetch: (url: string, { signal }: { readonly signal: Signal }) => surroundings.fetch(url, signal.timeoutMs),
    scheduler: {
      wait: (ms: number, options?: { readonly signal: Signal }) => waitFor(world, actor, ms, options?.signal),
    },
    setTimeout: (run: () => void, ms: number) => world.at(world.nowMs + ms, actor, run),
  };
}

const nothing = () => {};
const quiet = { log: nothing, warn: nothing, error: nothing };

function newSignal(timeoutMs: number): Signal {
  return {
    aborted: false,
    timeoutMs,
    onabort: null,
    addEventListener(_, listener) {
      this.onabort = listener;
    },
  };
}

class OwnAbortController {
  readonly signal = newSignal(Number.POSITIVE_INFINITY);

  abort(): void {
    this.signal.aborted = true;
    this.signal.onabort?.();
  }
}

/** As much of a `Response` as is put into a location's cache. */
class OwnResponse {
  readonly body: string;
  readonly maxAgeMs: number;

  constructor(body: string, { headers }: { readonly headers: Readonly<Record<string, string>> }) {
    this.body = body;
    this.maxAgeMs = Number(headers["cache-control"]!.replace("max-age=", "")) * 1_000;
  }

  async text(): Promise<string> {
    return this.body;
  }
}

const aborted = new Error("aborted");

function waitFor(world: World, actor: Actor, ms: number, signal: Signal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = world.at(world.nowMs + ms, actor, () => resolve());
    if (signal === undefined) return;
    signal.onabort = () => {
      timer.isCancelled = true;
      reject(aborted);
    };
  });
}

function uuidOf({ chance }: World): string {
  const part = () => chance.int(0, 0xffffffff).toString(16).padStart(8, "0");
  return `${part()}-${part()}`;
}

function digestOf({ world, actor, isDigestSlow }: Surroundings) {
  return (_: string, bytes: Uint8Array): Promise<ArrayBuffer> => {
    const result = new Uint8Array(hash("sha256", bytes, "buffer")).buffer;
    if (!isDigestSlow()) return Promise.resolve(result);
    return new Promise((resolve) => void world.at(world.nowMs + world.fate.int(0, 2), actor, () => resolve(result)));
  };
}

/** A location's cache, which its isolates share. What it gives may be missing, or not what was put there. */
import type { Faults } from "../faults.ts";
import type { World } from "../world.ts";

interface Entry {
  readonly body: string;
  readonly untilMs: number;
}

export class LocationCache {
  readonly #world: World;
  readonly #faults: () => Faults;
  readonly #entries = new Map<string, Entry>();

  constructor(world: World, faults: () => Faults) {
    this.#world = world;
    this.#faults = faults;
  }

  async match(key: string): Promise<{ text(): Promise<string> } | undefined> {
    const { fate, nowMs } = this.#world;
    const entry = this.#entries.get(key);
    if (entry === undefined || nowMs >= entry.untilMs) return undefined;
    const { cacheLoss } = this.#faults();
    if (fate.chance(cacheLoss)) return undefined;
    const body = fate.chance(cacheLoss) ? `${entry.body.slice(0, -2)}  ` : entry.body;
    return { text: async () => body };
  }

  async put(key: string, { body, maxAgeMs }: { readonly body: string; readonly maxAgeMs: number }): Promise<void> {
    if (this.#world.fate.chance(this.#faults().cacheLoss)) throw new Error("the cache takes nothing");
    this.#entries.set(key, { body, untilMs: this.#world.nowMs + maxAgeMs });
  }
}

/**
 * A simulated world: virtual time, an agenda, and turns. In one turn one actor (an isolate, or a start of an object) runs until
 * none of its promises goes on; actors reach each other only by what they put on the agenda. So one seed gives one run.
 */
import { agenda, type Random, seeded } from "../support/random.ts";

/** Whose code runs in a turn. */
export interface Actor {
  readonly name: string;
  /** It has vanished: whatever was to happen to it does not. */
  readonly isGone: boolean;
  /** Before its turn, and after. */
  begin(): void;
  end(): void;
}

/** Something on the agenda. */
export interface Appointment {
  isCancelled: boolean;
}

interface Entry extends Appointment {
  /** A function decides when it is time; null: nobody, `run` is the world's own. */
  readonly actor: Actor | null | (() => Actor | null);
  readonly run: (actor: Actor | null) => void;
}

/** The beginning of a minute. */
export const startMs = 1_700_000_040_000;

/** No schedule comes near it: who needs more goes round in circles. */
const turnsMax = 20_000;

export class World {
  nowMs = startMs;
  /** Turns so far. */
  turns = 0;
  /** What has been breached: `<invariant>: ...`. */
  readonly breaches: string[] = [];
  /** What happened, line by line; null: nobody wants to know. */
  readonly trace: string[] | null;
  /** Fates of messages and the like; the actors' own chance. */
  readonly fate: Random;
  readonly chance: Random;
  readonly #agenda = agenda<Entry>();

  constructor(seed: number, isTraced: boolean) {
    this.fate = seeded(seed ^ 0x51ab1e);
    this.chance = seeded(seed ^ 0xc0ffee);
    this.trace = isTraced ? [] : null;
  }

  /** Puts a turn on the agenda. */
  at(atMs: number, actor: Entry["actor"], run: Entry["run"]): Appointment {
    const entry = { actor, run, isCancelled: false };
    this.#agenda.add(Math.max(this.nowMs, Math.ceil(atMs)), entry);
    return entry;
  }

  /** Runs until nothing is left, or `endMs`, or the first breach. */
  async run(endMs: number): Promise<void> {
    for (let next = this.#agenda.take(); next !== undefined; next = this.#agenda.take()) {
      if (next.atMs > endMs || this.breaches.length > 0) break;
      if (next.event.isCancelled) continue;
      this.nowMs = next.atMs;
      if (this.turns >= turnsMax) this.breach(`endless: more than ${turnsMax} turns`);
      await this.#turn(next.event);
    }
    this.nowMs = endMs;
  }

  async #turn({ actor: of, run }: Entry): Promise<void> {
    const actor = typeof of === "function" ? of() : of;
    if (actor?.isGone || (actor === null && of !== null)) return;
    this.turns += 1;
    actor?.begin();
    run(actor);
    if (actor === null) return;
    await settled();
    actor.end();
  }

  breach(text: string): void {
    this.breaches.push(text);
    this.note(() => `BREACH ${text}`);
  }

  note(text: () => string): void {
    this.trace?.push(`${this.nowMs - startMs} ${text()}`);
  }
}

/** Resolves when every promise that can go on has done so: Node runs ticks when no microtask is left. */
function settled(): Promise<void> {
  return new Promise((resolve) => void process.nextTick(resolve));
}

/** What must hold of every operation on the book of a health object. */
import type { Book } from "../../../../src/core/breaking/book.ts";
import type { BreakerState, Forced, HealthEvent } from "../../../../src/core/breaking/types.ts";
import { countsOf } from "../../../../src/core/breaking/window.ts";
import type { Truth } from "./world-truth.ts";

/** A transition that is durable. */
export interface Shift {
  readonly atMs: number;
  readonly version: string;
  readonly state: BreakerState;
  readonly generation: number;
  readonly forced: Forced;
}

const stateAfter = { breaker_opened: "open", breaker_half_open: "half-open", breaker_closed: "closed" } as const;
const statesBefore = {
  breaker_opened: ["closed", "half-open"],
  breaker_half_open: ["open"],
  breaker_closed: ["half-open"],
};

type State = Pick<Shift, "state" | "generation" | "forced">;
type States = ReadonlyMap<string, State>;

/** The breakers of a book as they are now. */
export function statesOf({ breakers }: Book): States {
  return new Map(
    [...breakers].map(([version, { state, generation, forced }]) => [version, { state, generation, forced }]),
  );
}

/** Every state that an operation has passed through. `unseen`: that of a version that was not there before. */
export function shiftsOf(
  before: States,
  after: States,
  events: readonly HealthEvent[],
  unseen: State,
  atMs: number,
): Shift[] {
  const shifts: Shift[] = [];
  for (const [version, now] of after) {
    const was = before.get(version)?.generation ?? unseen.generation - 1;
    for (let generation = was + 1; generation <= now.generation; generation++) {
      const passed = events.find(
        (event) => "generation" in event && event.version === version && event.generation === generation,
      );
      const state = passed === undefined ? now.state : stateAfter[passed.type as keyof typeof stateAfter];
      shifts.push({ atMs, version, state, generation, forced: now.forced });
    }
  }
  return shifts;
}

/** B1: every transition is one of the machine's and raises the generation by one. B6: none while an order is in force. */
export function broken(before: States, after: States, events: readonly HealthEvent[], unseen: State): string[] {
  const found: string[] = [];
  for (const [version, now] of after) {
    let { state, generation, forced } = before.get(version) ?? unseen;
    for (const event of events) {
      if (!("generation" in event) || event.version !== version) continue;
      if (!statesBefore[event.type].includes(state)) found.push(`B1: ${event.type} from ${state}`);
      if (forced !== "auto") found.push(`B6: ${event.type} while ${forced}`);
      state = stateAfter[event.type];
      generation += 1;
      if (event.generation !== generation) found.push(`B1: ${event.type} not in generation ${generation}`);
    }
    if (now.forced !== forced) generation += 1;
    if (now.generation !== generation) found.push(`B1: generation ${now.generation}, not ${generation}`);
    if (now.forced === forced && now.state !== state) found.push(`B1: ${now.state}, not ${state}`);
  }
  return found;
}

/** B3: the window of a generation holds no more than has happened in it. */
export function overcounted(book: Book, truth: Truth, nowMs: number): string[] {
  const found: string[] = [];
  for (const { version, generation, window, successes } of book.breakers.values()) {
    const { ok, fail, slow, probesOk } = truth.of(version, generation);
    if (successes > probesOk) found.push(`B3: ${successes} successes of ${probesOk} good probes`);
    if (window === null) continue;
    const counts = countsOf(window, nowMs);
    const isMore = counts.requests > ok + fail || counts.failures > fail || counts.slow > slow;
    if (isMore)
      found.push(`B3: ${counts.requests} results counted of ${ok + fail}, ${counts.failures} failed of ${fail}`);
  }
  return found;
}

/**
 * Runs a program over a text: in all its states at once, so that the time is linear in the text whatever the expression
 * (Thompson 1968). A set of states that was met before is kept with where each character led (the lazy automaton of RE2).
 */
import type { Program, Step } from "./program.ts";
import type { Side } from "./types.ts";

/** States that the machine is in at once, before what costs no character has been followed. */
interface Place {
  readonly states: readonly number[];
  readonly before: Side;
  readonly next: Map<number, Place>;
}

/** Above so many states at once a set hardly comes twice, and to look it up costs more than to work it out. */
const keptStatesMax = 64;

/** What a place costs beside its states, and an edge to another: its object, map and key, in numbers of 8 bytes. */
const placeCells = 40;
const edgeCells = 5;

/** Says whether the program matches a whole text. It remembers at most about `cellsMax` numbers, and forgets all above that. */
export function matcherOf(program: Program, cellsMax: number): (text: string) => boolean {
  const { steps, start, hasAssertions } = program;
  const work = new Work(steps);
  let places = new Map<string, Place>();
  let cells = 0;

  const placeOf = (states: readonly number[], before: Side): Place => {
    const key = `${hasAssertions ? before : ""} ${states}`;
    const known = places.get(key);
    if (known) return known;
    const place: Place = { states, before, next: new Map() };
    places.set(key, place);
    cells += states.length + placeCells;
    return place;
  };
  let first = placeOf([start], "edge");
  const step = (place: Place, codePoint: number): Place => {
    const side = sideOf(codePoint);
    const states = work.after(work.reached(place, side), codePoint);
    if (Math.max(states.length, place.states.length) > keptStatesMax) return { states, before: side, next: new Map() };
    if (cells > cellsMax) {
      places = new Map();
      cells = 0;
      first = placeOf([start], "edge");
    }
    const next = placeOf(
      states.sort((a, b) => a - b),
      side,
    );
    place.next.set(codePoint, next);
    cells += edgeCells;
    return next;
  };

  return (text) => {
    let place = first;
    for (let at = 0; at < text.length; at++) {
      const codePoint = text.codePointAt(at)!;
      if (codePoint > 0xffff) at++;
      place = place.next.get(codePoint) ?? step(place, codePoint);
      if (place.states.length === 0) return false;
    }
    work.reached(place, "edge");
    return work.has(0);
  };
}

const word = /\w/;

function sideOf(codePoint: number): Side {
  if (codePoint === 10) return "newline";
  return codePoint < 128 && word.test(String.fromCharCode(codePoint)) ? "word" : "other";
}

/** Room to work in, used again for each character of each text: a match never waits. */
class Work {
  private readonly steps: readonly Step[];
  /** States that were reached, and the turn in which each was. */
  private readonly list: Int32Array;
  private readonly marks: Uint32Array;
  /** By step, which of the different sets it asks; by set, when it was asked last, and what it said. */
  private readonly setOf: Int32Array;
  private readonly sets: ((codePoint: number) => boolean)[] = [];
  private readonly asked: Uint32Array;
  private readonly said: Uint8Array;
  private turn = 0;

  constructor(steps: readonly Step[]) {
    this.steps = steps;
    this.list = new Int32Array(steps.length);
    this.marks = new Uint32Array(steps.length);
    this.setOf = new Int32Array(steps.length);
    const numbers = new Map<(codePoint: number) => boolean, number>();
    for (const [at, step] of steps.entries()) {
      if (step.kind !== "set") continue;
      if (!numbers.has(step.set)) numbers.set(step.set, this.sets.push(step.set) - 1);
      this.setOf[at] = numbers.get(step.set)!;
    }
    this.asked = new Uint32Array(this.sets.length);
    this.said = new Uint8Array(this.sets.length);
  }

  /** Finds every state that is reached without a character, when `side` comes next; how many they are. */
  reached({ states, before }: Place, side: Side): number {
    const { steps, list } = this;
    this.begin();
    let count = 0;
    for (const state of states) count = this.add(state, count);
    // What is added while the list is walked is walked too.
    for (let at = 0; at < count; at++) {
      const step = steps[list[at]!]!;
      if (step.kind === "fork") for (const to of step.to) count = this.add(to, count);
      else if (step.kind === "assertion" && step.holds(before, side)) count = this.add(step.to, count);
    }
    return count;
  }

  /** Was the state found last? */
  has(state: number): boolean {
    return this.marks[state] === this.turn;
  }

  /** Where a character leads from the `count` states that were found last. */
  after(count: number, codePoint: number): number[] {
    const { steps, list, marks } = this;
    this.begin();
    const found: number[] = [];
    for (let at = 0; at < count; at++) {
      const state = list[at]!;
      const step = steps[state]!;
      if (step.kind !== "set" || marks[step.to] === this.turn || !this.asks(this.setOf[state]!, codePoint)) continue;
      marks[step.to] = this.turn;
      found.push(step.to);
    }
    return found;
  }

  /** A set is asked once for a character, however many states ask it. */
  private asks(set: number, codePoint: number): boolean {
    if (this.asked[set] !== this.turn) {
      this.asked[set] = this.turn;
      this.said[set] = this.sets[set]!(codePoint) ? 1 : 0;
    }
    return this.said[set] === 1;
  }

  private add(state: number, count: number): number {
    if (this.marks[state] === this.turn) return count;
    this.marks[state] = this.turn;
    this.list[count] = state;
    return count + 1;
  }

  private begin(): void {
    if (this.turn === 0xffffffff) {
      this.marks.fill(0);
      this.asked.fill(0);
      this.turn = 0;
    }
    this.turn++;
  }
}

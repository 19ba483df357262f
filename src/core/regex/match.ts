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

/** Says whether the program matches a whole text. It remembers at most about `cellsMax` numbers, and forgets all above that. */
export function matcherOf(program: Program, cellsMax: number): (text: string) => boolean {
  const { steps, start, hasAssertions } = program;
  let places = new Map<string, Place>();
  let cells = 0;

  const placeOf = (states: readonly number[], before: Side): Place => {
    const key = `${hasAssertions ? before : ""} ${states}`;
    const known = places.get(key);
    if (known) return known;
    const place: Place = { states, before, next: new Map() };
    places.set(key, place);
    cells += states.length;
    return place;
  };
  let first = placeOf([start], "edge");
  const step = (place: Place, codePoint: number): Place => {
    const side = sideOf(codePoint);
    const states = after(steps, reached(steps, place, side), codePoint);
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
    cells += 1;
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
    return reached(steps, place, "edge").has(0);
  };
}

const word = /\w/;

function sideOf(codePoint: number): Side {
  if (codePoint === 10) return "newline";
  return codePoint < 128 && word.test(String.fromCharCode(codePoint)) ? "word" : "other";
}

/** Every state that is reached without a character, when `side` comes next. */
function reached(steps: readonly Step[], { states, before }: Place, side: Side): ReadonlySet<number> {
  const found = new Set(states);
  // What is added while the set is walked is walked too.
  for (const state of found) {
    const step = steps[state]!;
    if (step.kind === "fork") for (const to of step.to) found.add(to);
    if (step.kind === "assertion" && step.holds(before, side)) found.add(step.to);
  }
  return found;
}

/** Where a character leads. */
function after(steps: readonly Step[], states: ReadonlySet<number>, codePoint: number): number[] {
  const found = new Set<number>();
  for (const state of states) {
    const step = steps[state]!;
    if (step.kind === "set" && step.set(codePoint)) found.add(step.to);
  }
  return [...found];
}

/**
 * Is a history of concurrent calls linearizable: could each have taken effect at one moment between its call and its answer?
 * The search of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with the memory of Lowe ("Testing for
 * linearizability", 2017). Calls without an answer may have taken effect at any time after they were made, or never.
 */

/** One call. `answer` undefined: none came. Moments are turns of the world. */
export interface Operation<Ask, Answer> {
  readonly ask: Ask;
  readonly answer: Answer | undefined;
  readonly fromTurn: number;
  /** Infinite: no answer came. */
  readonly toTurn: number;
}

/** What an object should be. */
export interface Model<State, Ask, Answer> {
  readonly first: State;
  /** The state after a call that is answered like this; null: it cannot be answered so. Undefined: whatever the answer. */
  step(state: State, ask: Ask, answer: Answer | undefined): State | null;
  /** Equal states have equal texts. */
  textOf(state: State): string;
}

/** Most states that are looked at; a history that needs more is not judged. */
const statesMax = 200_000;

/** null: it is linearizable. Else the calls that fit in no order, of the longest prefix that was found. */
export function unexplained<State, Ask, Answer>(
  history: readonly Operation<Ask, Answer>[],
  model: Model<State, Ask, Answer>,
): readonly Operation<Ask, Answer>[] | null {
  const all = [...history].sort((a, b) => a.fromTurn - b.fromTurn);
  const isDone = new Array<boolean>(all.length).fill(false);
  /** From where nothing was found. */
  const seen = new Set<string>();
  let longest = -1;
  let left: readonly Operation<Ask, Answer>[] = all;

  const search = (state: State, done: number): boolean => {
    const open = all.filter((_, at) => !isDone[at]);
    if (open.every(({ answer }) => answer === undefined)) return true;
    if (done > longest) [longest, left] = [done, open];
    if (seen.size >= statesMax) return true;
    // A history that needs no second thought is not remembered at all.
    const name = () => `${isDone.map(Number).join("")} ${model.textOf(state)}`;
    if (seen.size > 0 && seen.has(name())) return false;
    const firstEnd = Math.min(...open.map(({ toTurn }) => toTurn));
    // What was answered first: what was not may have been for nothing.
    for (const isAnswered of [true, false]) {
      for (const [at, { ask, answer, fromTurn }] of all.entries()) {
        if (isDone[at] || (answer !== undefined) !== isAnswered) continue;
        // Whoever began after another had ended comes after it.
        if (fromTurn > firstEnd) break;
        const next = model.step(state, ask, answer);
        if (next === null || (next === state && !isAnswered)) continue;
        isDone[at] = true;
        if (search(next, done + 1)) return true;
        isDone[at] = false;
      }
    }
    seen.add(name());
    return false;
  };
  return search(model.first, 0) ? null : left;
}

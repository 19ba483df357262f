/** What was asked of one object and answered, call by call as the messages went: for `unexplained`. */
import type { Call } from "../fakes/network.ts";
import type { Observer, Town } from "../town.ts";
import { type Model, type Operation, unexplained } from "./linear.ts";

export interface Asked {
  readonly method: string;
  readonly args: readonly unknown[];
}

export class History implements Observer {
  readonly #town: Town;
  readonly #calls: Call[] = [];
  readonly #binding: string;
  readonly #writes: readonly string[];
  readonly #reads: readonly string[];

  constructor(town: Town, binding: string, writes: readonly string[], reads: readonly string[]) {
    this.#town = town;
    this.#binding = binding;
    this.#writes = writes;
    this.#reads = reads;
  }

  readonly onCall = (call: Call): void => {
    if (call.host.binding !== this.#binding) return;
    if (this.#writes.includes(call.method) || this.#reads.includes(call.method)) this.#calls.push(call);
  };

  /** Breaches when no order explains it. */
  check<State>(model: Model<State, Asked, unknown>): void {
    // A read that was told nothing says nothing.
    const judged = this.#calls.filter(
      ({ method, answeredAtTurn, value }) =>
        this.#writes.includes(method) || (answeredAtTurn !== null && !(method === "manifest" && value === null)),
    );
    const left = unexplained(judged.flatMap(operationsOf), model);
    if (left === null) return;
    const lines = left.map(({ ask, answer, fromTurn, toTurn }) => {
      return `[${fromTurn}..${toTurn}] ${ask.method} ${JSON.stringify(ask.args)} -> ${JSON.stringify(answer)}`;
    });
    this.#town.world.breach(`linear: no order explains\n  ${lines.join("\n  ")}`);
  }
}

/** The call, and what a second copy of its message did. */
function operationsOf(call: Call): Operation<Asked, unknown>[] {
  const { method, args, sentAtTurn: fromTurn, answeredAtTurn, value, arrivals } = call;
  const ask = { method, args };
  const unknown = { ask, answer: undefined, fromTurn, toTurn: Number.POSITIVE_INFINITY };
  const copies = Array.from({ length: arrivals }, () => unknown);
  if (answeredAtTurn === null) return copies;
  return [{ ...unknown, answer: value, toTurn: answeredAtTurn }, ...copies.slice(1)];
}

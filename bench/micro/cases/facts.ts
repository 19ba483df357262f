/** Requests and numbers for the cases. */
import type { RequestFacts } from "../../../src/core/facts.ts";

/** A request as a browser sends it, changed as `given` says. */
export function factsOf(given: Partial<RequestFacts> & { readonly headers?: Readonly<Record<string, string>> } = {}) {
  const { headers = {}, ...rest } = given;
  const facts: RequestFacts = {
    method: "GET",
    host: "api.example.com",
    path: "/",
    header: (name) => headers[name] ?? null,
    query: () => null,
    cookie: () => null,
    clientIp: "203.0.113.7",
    continent: "EU",
    country: "NO",
    region: "03",
    colo: "OSL",
    ...rest,
  };
  return facts;
}

/** Repeatable numbers in [0, 1): a linear congruential generator, cheap enough not to be what is measured. */
export function newRandom(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One of 256 prepared things by turns: the same one each time would be foreseen by the processor. */
export function byTurns<T>(make: (index: number) => T): (index: number) => T {
  const made = Array.from({ length: 256 }, (_, index) => make(index));
  return (index) => made[index & 255]!;
}

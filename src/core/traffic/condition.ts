/** `when`: the conditions of a traffic rule. */
import { type Criterion, meets, type RequestFacts } from "../facts.ts";

/** Compiled `when`: all parts must hold; of a set one member is enough. null: the part was not written. */
export interface Conditions {
  /** Headers, query parameters and cookies together. Empty: none was written. */
  readonly criteria: readonly Criterion[];
  readonly methods: ReadonlySet<string> | null;
  /** Upper case, as in RequestFacts; likewise the next two. A request whose place is unknown is in no place. */
  readonly countries: ReadonlySet<string> | null;
  readonly regions: ReadonlySet<string> | null;
  readonly colos: ReadonlySet<string> | null;
  /** Is the address (canonical text) in one of the rule's ranges? Not asked when the address is unknown. */
  readonly ipMatches: ((ip: string) => boolean) | null;
}

/** Do all conditions hold for the request? */
export function holds(conditions: Conditions, facts: RequestFacts): boolean {
  const { criteria, methods, countries, regions, colos, ipMatches } = conditions;
  // A fact is only asked for when it matters: a request may have to look its place up.
  return (
    (methods === null || methods.has(facts.method)) &&
    (countries === null || has(countries, facts.country)) &&
    (regions === null || has(regions, facts.region)) &&
    (colos === null || has(colos, facts.colo)) &&
    (ipMatches === null || (facts.clientIp !== null && ipMatches(facts.clientIp))) &&
    criteria.every((criterion) => meets(criterion, facts))
  );
}

function has(set: ReadonlySet<string>, value: string | null): boolean {
  return value !== null && set.has(value);
}

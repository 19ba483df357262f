/** Conditions that a request does not meet, in words. */
import { bounds } from "../bounds.ts";
import { type Criterion, type RequestFacts, readValue } from "./facts.ts";

/** How a text of the document is shown: what came from a variable, as its placeholder. */
export type Show = (text: string) => string;

/** `header x-tenant is absent, want exact acme`. Only for a criterion that is not met. */
export function unmetCriterion({ source, name, kind, expected }: Criterion, facts: RequestFacts, show: Show): string {
  const presence = expected === "true" ? "it present" : "it absent";
  const wanted = kind === "present" ? presence : `${kind} ${show(expected)}`;
  return `${source} ${show(name)} is ${quoted(readValue(facts, source, name))}, want ${wanted}`;
}

/** A value of the request; of a long one the beginning. */
export function quoted(value: string | null): string {
  if (value === null) return "absent";
  const { explainedTextMax: max } = bounds;
  return value.length > max ? `${JSON.stringify(value.slice(0, max))}...` : JSON.stringify(value);
}

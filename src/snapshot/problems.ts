/** Collects what is wrong with a document while it is compiled, so that a person sees everything at once. */
import { bounds } from "../bounds.ts";
import { type Issue, pointerOf } from "../errors.ts";

/** Place in the document: member names and indexes from its root. */
export type DocumentPath = readonly PropertyKey[];

/**
 * Errors refuse the document; warnings are answered with it. Of either, a place is listed once, with the first thing said
 * of it (what follows from a mistake is no news), and at most `issuesMax` places are; `errorsTotal` counts the others too.
 * Texts never quote a value of the document: it may have come from a secret.
 */
export interface Problems {
  readonly errors: readonly Issue[];
  readonly warnings: readonly Issue[];
  readonly errorsTotal: number;
  error(path: DocumentPath, detail: string): void;
  warn(path: DocumentPath, detail: string): void;
}

/** An empty collection. */
export function newProblems(): Problems {
  const errors = newList();
  const warnings = newList();
  return {
    errors: errors.listed,
    warnings: warnings.listed,
    get errorsTotal() {
      return errors.places.size;
    },
    error: errors.add,
    warn: warnings.add,
  };
}

function newList() {
  const listed: Issue[] = [];
  const places = new Set<string>();
  const add = (path: DocumentPath, detail: string) => {
    const pointer = pointerOf(path);
    if (!places.has(pointer) && listed.length < bounds.issuesMax) listed.push({ detail, pointer });
    places.add(pointer);
  };
  return { listed, places, add };
}

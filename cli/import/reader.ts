/**
 * Reads foreign documents and remembers what was read. Whatever nobody has read or noted becomes a note at the end, so an
 * importer cannot drop anything silently: to forget a member is to report it.
 */
import { isObject, keyOf, type Ledger, Part } from "./part.ts";
import type { Note } from "./types.ts";

export type { Part } from "./part.ts";

/** What a person can do about a member that no importer reads, by its name; undefined: nothing special. */
export type Hints = (name: string) => string | undefined;

/** The documents to read, the notes so far, and how to end. */
export interface Reader {
  readonly roots: readonly Part[];
  /** Notes of what nobody has read, added to the others; in the order of the original. */
  finish(): readonly Note[];
}

/** A reader of parsed documents. `hints` are for members that no importer reads. */
export function newReader(documents: readonly unknown[], hints: Hints): Reader {
  const ledger: Ledger = { notes: new Map(), settled: new Set(), dropped: new Set() };
  const roots = documents.map((value, document) => new Part(value, document, [], ledger));
  const finish = () => {
    for (const root of roots) noteUnread(root, ledger, hints);
    return [...ledger.notes.values()]
      .filter((note) => !isInsideDropped(note, ledger.dropped))
      .toSorted((a, b) => compare(a.source, b.source, documents));
  };
  return { roots, finish };
}

/** Is the note of something inside what is noted as missing altogether? It then says nothing new. */
function isInsideDropped({ source }: Note, dropped: ReadonlySet<string>): boolean {
  return source.path.some((_, index) => dropped.has(keyOf(source.document, source.path.slice(0, index))));
}

/** Notes the highest parts of which nothing was read. Says whether anything at or below was. */
function noteUnread(part: Part, ledger: Ledger, hints: Hints): void {
  if (isSettled(part, ledger) || isBare(part.value)) return;
  const children = childrenOf(part);
  if (!children.some((child) => isTouched(child, ledger))) {
    const name = part.path.findLast((step) => typeof step === "string") ?? "document";
    part.drop(`${name} has no counterpart`, hints(name) ?? "The result has nothing of it.");
    return;
  }
  for (const child of children) noteUnread(child, ledger, hints);
}

function isTouched(part: Part, ledger: Ledger): boolean {
  return isSettled(part, ledger) || childrenOf(part).some((child) => isTouched(child, ledger));
}

const isSettled = (part: Part, ledger: Ledger): boolean => ledger.settled.has(keyOf(part.document, part.path));

function childrenOf(part: Part): readonly Part[] {
  if (Array.isArray(part.value)) return part.items();
  return isObject(part.value) ? part.members().map(([, member]) => member) : [];
}

/** Nothing is said: absent, null, an empty list or object, and what is made of nothing but these. */
function isBare(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  return typeof value === "object" && Object.values(value).every(isBare);
}

/** Order of two places in the documents as they were written; what is absent comes first. */
function compare(a: Note["source"], b: Note["source"], documents: readonly unknown[]): number {
  if (a.document !== b.document) return a.document - b.document;
  let value = documents[a.document];
  for (const [index, step] of a.path.entries()) {
    const other = b.path[index];
    if (other === undefined) return 1;
    if (step !== other) return stepIndex(value, step) - stepIndex(value, other);
    value = Object(value)[step];
  }
  return a.path.length - b.path.length;
}

const stepIndex = (value: unknown, step: string | number): number =>
  typeof step === "number" ? step : Object.keys(Object(value)).indexOf(step);

import { viewOf } from "./events.ts";
import type { Book, Change, EventContent, Origin } from "./types.ts";

/** The book of a service that nobody has registered for. */
export function emptyBook(): Book {
  return { revision: 0, freeze: null, origins: new Map(), checkOrder: null, unhealthy: new Set() };
}

/** Nothing altered yet. */
export function noChange(): Change {
  return { touched: new Set(), events: [] };
}

/** Appends an event under the next revision (R1), once the book has what it tells of. */
export function append(book: Book, change: Change, content: EventContent): void {
  book.revision += 1;
  change.events.push({ ...content, revision: book.revision, after: viewOf(book, content.origin) });
}

/** Puts a row that must be stored; storage then has its deadline. */
export function store(book: Book, change: Change, origin: Origin): void {
  book.origins.set(origin.id, { ...origin, storedDeadlineMs: origin.deadlineMs });
  change.touched.add(origin.id);
}

/** Removes a row for the given cause. */
export function remove(book: Book, change: Change, id: string, type: "expire" | "drained" | "deregister"): void {
  book.origins.delete(id);
  book.unhealthy.delete(id);
  change.touched.add(id);
  append(book, change, { type, origin: id, body: null });
}

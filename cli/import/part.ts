/** A foreign document, value by value, with a ledger of what was read. */
import type { Note } from "./types.ts";

type Path = readonly (string | number)[];

/** What is known of the documents so far. `settled`: keys of places whose whole content is accounted for. `dropped`: keys of places
 * of which nothing is left, so notes of what was inside say nothing new. */
export interface Ledger {
  readonly notes: Map<string, Note>;
  readonly settled: Set<string>;
  readonly dropped: Set<string>;
}

/** Key of a place. */
export const keyOf = (document: number, path: Path): string => JSON.stringify([document, ...path]);

/** A value of the original at its place. Absent ones are parts too, so that one can ask for members of what is not there. */
export class Part {
  readonly value: unknown;
  readonly document: number;
  readonly path: Path;
  readonly #ledger: Ledger;

  constructor(value: unknown, document: number, path: Path, ledger: Ledger) {
    this.value = value ?? undefined;
    this.document = document;
    this.path = path;
    this.#ledger = ledger;
  }

  /** null counts as absent: exports write it for what is not set. */
  get exists(): boolean {
    return this.value !== undefined;
  }

  /** A member; to look at it is not to read it. */
  get(name: string): Part {
    const value = isObject(this.value) && Object.hasOwn(this.value, name) ? this.value[name] : undefined;
    return this.#child(name, value);
  }

  /** The text that is there. Another kind of value is noted. */
  text(): string | undefined {
    return this.#scalar("a string", (value) => typeof value === "string");
  }

  number(): number | undefined {
    return this.#scalar("a number", (value) => typeof value === "number" && Number.isFinite(value));
  }

  flag(): boolean | undefined {
    return this.#scalar("true or false", (value) => typeof value === "boolean");
  }

  /** The items of a list; none when it is absent. */
  items(): readonly Part[] {
    if (Array.isArray(this.value)) return this.value.map((item, index) => this.#child(index, item));
    if (this.exists) this.#unexpected("a list");
    return [];
  }

  /** Texts of a list. */
  texts(): string[] {
    return this.items().flatMap((item) => item.text() ?? []);
  }

  /** The members of an object, in their order. */
  members(): readonly (readonly [name: string, member: Part])[] {
    if (isObject(this.value)) return Object.entries(this.value).map(([name, item]) => [name, this.#child(name, item)]);
    if (this.exists) this.#unexpected("an object");
    return [];
  }

  /** Says that the result has all of this, without reading it. */
  use(): void {
    this.#ledger.settled.add(keyOf(this.document, this.path));
  }

  /** The result has nothing of this and all below. */
  drop(what: string, hint: string): void {
    this.lose(what, hint);
    this.#ledger.dropped.add(keyOf(this.document, this.path));
  }

  /** The same, where notes of what is inside say why. */
  lose(what: string, hint: string): void {
    this.use();
    this.#write("not supported", what, hint);
  }

  /** The result does something near to this and all below. */
  bend(what: string, hint: string): void {
    this.use();
    this.remark(what, hint);
  }

  /** A note beside what the result has of this; it settles nothing. */
  remark(what: string, hint: string): void {
    this.#write("approximated", what, hint);
  }

  /** The same of the same place is said once: a part may be read for several routes. */
  #write(why: Note["why"], what: string, hint: string): void {
    const source = { document: this.document, path: this.path };
    this.#ledger.notes.set(JSON.stringify([source, what, hint]), { source, what, why, hint });
  }

  #child(name: string | number, value: unknown): Part {
    return new Part(value, this.document, [...this.path, name], this.#ledger);
  }

  #scalar<T>(wanted: string, is: (value: unknown) => boolean): T | undefined {
    if (!this.exists) return undefined;
    if (!is(this.value)) {
      this.#unexpected(wanted);
      return undefined;
    }
    this.use();
    return this.value as T;
  }

  #unexpected(wanted: string): void {
    this.drop(`not ${wanted}`, "It was left out.");
  }
}

/** An object, not a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

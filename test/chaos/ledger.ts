/**
 * What the gateway was told, and what it has acknowledged. After a crash each thing that was written must be what was
 * last acknowledged, or what a write that got no answer would have made of it; anything else is a loss.
 */

/** What was written, and the revision that the gateway said it has by that; 0: nothing was ever written. */
export interface Entry<T> {
  readonly value: T;
  readonly revision: number;
}

interface Item<T> {
  acknowledged: Entry<T>;
  /** Written without an answer since the last crash. */
  readonly doubts: Set<T>;
}

/** One kind of thing, each under a name; values are compared with `===`. */
export class Ledger<T> {
  readonly what: string;
  /** Writes that were acknowledged, and those that got no answer. */
  acknowledged = 0;
  inDoubt = 0;
  readonly #items = new Map<string, Item<T>>();
  readonly #initial: T;

  constructor(what: string, initial: T) {
    this.what = what;
    this.#initial = initial;
  }

  get names(): readonly string[] {
    return [...this.#items.keys()];
  }

  /** What was last acknowledged. */
  entry(name: string): Entry<T> {
    return this.#items.get(name)?.acknowledged ?? { value: this.#initial, revision: 0 };
  }

  /** The values that the thing may have now: what was acknowledged, then what is in doubt. */
  possible(name: string): readonly T[] {
    return [this.entry(name).value, ...(this.#items.get(name)?.doubts ?? [])];
  }

  /** A write begins. To be followed by `acknowledge` or `refuse` when it is answered. */
  begin(name: string, value: T): void {
    this.#item(name).doubts.add(value);
    this.inDoubt++;
  }

  /** The gateway says that it is written. Writers may overtake each other: the newest revision counts. */
  acknowledge(name: string, entry: Entry<T>): void {
    const item = this.#item(name);
    this.#answered(item, entry.value);
    this.acknowledged++;
    if (entry.revision >= item.acknowledged.revision) item.acknowledged = entry;
  }

  /** The gateway says that it is not written. */
  refuse(name: string, value: T): void {
    this.#answered(this.#item(name), value);
  }

  /** Compares with what is there after a crash; what is lost, or null. From then on what is there is what counts. */
  settle(name: string, found: Entry<T>): string | null {
    const item = this.#item(name);
    const { acknowledged, doubts } = item;
    const isAcknowledged = found.value === acknowledged.value && found.revision >= acknowledged.revision;
    const isDoubted = doubts.has(found.value) && found.revision > acknowledged.revision;
    item.acknowledged = found;
    doubts.clear();
    if (isAcknowledged || isDoubted) return null;
    const told = ({ value, revision }: Entry<T>) => `${String(value)} of revision ${revision}`;
    return `${this.what} ${name}: ${told(acknowledged)} was acknowledged, ${told(found)} is there`;
  }

  #answered(item: Item<T>, value: T): void {
    if (item.doubts.delete(value)) this.inDoubt--;
  }

  #item(name: string): Item<T> {
    const item = this.#items.get(name) ?? {
      acknowledged: { value: this.#initial, revision: 0 },
      doubts: new Set<T>(),
    };
    this.#items.set(name, item);
    return item;
  }
}

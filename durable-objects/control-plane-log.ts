/** A log of entries under numbers that are never used again; the newest stay. */
import { bounds } from "../src/bounds.ts";

/** Entries after an id, oldest first. */
export interface LogPage<T> {
  readonly entries: readonly (T & { readonly id: number })[];
  /** `since` of the next page; the same as was asked for when there are no more yet. */
  readonly next: number;
  /** Id of the oldest entry that is kept; null: none is. Entries between `since` and it are gone. */
  readonly oldest: number | null;
}

/** Over one of the tables `(id INTEGER PRIMARY KEY AUTOINCREMENT, json TEXT)`. */
export class Log<T extends object> {
  readonly #sql: SqlStorage;
  readonly #table: "event" | "audit";
  readonly #keptMax: number;

  constructor(sql: SqlStorage, table: "event" | "audit", keptMax: number) {
    this.#sql = sql;
    this.#table = table;
    this.#keptMax = keptMax;
  }

  /** Appends; the oldest go when there are more than are kept. */
  append(entries: readonly T[]): void {
    if (entries.length === 0) return;
    const table = this.#table;
    for (const entry of entries) this.#sql.exec(`INSERT INTO ${table} (json) VALUES (?)`, JSON.stringify(entry));
    this.#sql.exec(`DELETE FROM ${table} WHERE id <= (SELECT max(id) FROM ${table}) - ?`, this.#keptMax);
  }

  /** Entries after the id `since` (0 = from the oldest), at most `limit` and at most `eventsPerCallMax`. */
  after(since: number, limit: number): LogPage<T> {
    const rows = this.#sql
      .exec<{ id: number; json: string }>(
        `SELECT id, json FROM ${this.#table} WHERE id > ? ORDER BY id LIMIT ?`,
        since,
        Math.min(limit, bounds.eventsPerCallMax),
      )
      .toArray();
    const { oldest } = this.#sql.exec<{ oldest: number | null }>(`SELECT min(id) AS oldest FROM ${this.#table}`).one();
    const entries = rows.map(({ id, json }) => ({ ...(JSON.parse(json) as T), id }));
    return { entries, next: entries.at(-1)?.id ?? since, oldest };
  }
}

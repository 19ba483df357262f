/**
 * What one object has stored, and what of it is durable. A turn's writes are atomic. With slow storage they are durable some
 * time later; a crash before that loses them and all later ones.
 */
import type { Database, Row } from "./database.ts";

/** Writes of one turn that may still be undone. */
export interface Pending {
  isDurable: boolean;
  readonly alarmBeforeMs: number | null;
}

/** Writes that are never undone. */
const durable: Pending = { isDurable: true, alarmBeforeMs: null };

/** The last alters nothing where the table is there already, which it is at nearly every start. */
const isRead = (query: string): boolean => /^SELECT|^CREATE TABLE IF NOT EXISTS/.test(query);

export class Store {
  readonly database: Database;
  /** By the clock of the object that set it; null: none. */
  alarmAtMs: number | null = null;
  /** Writes of the turn that runs, and of turns before it. */
  readonly #pending: Pending[] = [];
  #hasWritten = false;
  #isUndoable = true;
  /** Has anybody read or written since the turn began? */
  isTouched = false;

  constructor(database: Database) {
    this.database = database;
  }

  /** A turn begins. `isUndoable`: its writes may have to be undone, which costs two statements. */
  begin(isUndoable: boolean): void {
    this.#hasWritten = false;
    this.#isUndoable = isUndoable;
    this.isTouched = false;
  }

  exec(query: string, bindings: readonly unknown[]): Row[] {
    this.isTouched = true;
    if (!isRead(query)) this.#write();
    return this.database.exec(query, bindings);
  }

  setAlarm(atMs: number | null): void {
    this.#write();
    this.alarmAtMs = atMs;
  }

  deleteAll(): void {
    this.#write();
    const tables = this.database.exec(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
      [],
    );
    for (const { name } of tables) this.database.exec(`DROP TABLE ${name}`, []);
  }

  /** Rows of a table; 0: there is no such table. */
  count(table: string): number {
    const found = this.database.exec("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ?", [table]);
    return found.length === 0 ? 0 : this.database.exec(`SELECT * FROM ${table}`, []).length;
  }

  /** Runs migrations in a database that is used for the first time; they stay for all later uses. */
  warmUp(migrate: () => void): void {
    const wasWarm = this.database.isWarm;
    migrate();
    if (wasWarm) return;
    this.database.isWarm = true;
    this.database.begin();
  }

  /** The turn is over; null when it has written nothing, else what its writes are until they are durable. */
  end(): Pending | null {
    if (!this.#hasWritten) return null;
    return this.#isUndoable ? this.#pending.at(-1)! : durable;
  }

  /** The writes of a turn, and all before them, are durable now. */
  confirm(writes: Pending): void {
    if (writes === durable) return;
    const last = this.#pending.indexOf(writes);
    for (const pending of this.#pending.slice(0, last + 1)) pending.isDurable = true;
    this.#release();
  }

  /** Undoes what is not durable. */
  undo(): void {
    this.#undoFrom(this.#pending.findIndex(({ isDurable }) => !isDurable));
  }

  /** Undoes the writes of the turn that runs alone. */
  undoTurn(): void {
    if (this.#hasWritten) this.#undoFrom(this.#pending.length - 1);
  }

  #undoFrom(first: number): void {
    this.#hasWritten = false;
    if (first < 0) return;
    this.alarmAtMs = this.#pending[first]!.alarmBeforeMs;
    this.database.exec(`ROLLBACK TO w${first}`, []);
    this.database.exec(`RELEASE w${first}`, []);
    this.#pending.length = first;
    this.#release();
  }

  /** An outer savepoint cannot end before an inner one. */
  #release(): void {
    if (this.#pending.length === 0 || this.#pending.some(({ isDurable }) => !isDurable)) return;
    this.database.exec("RELEASE w0", []);
    this.#pending.length = 0;
  }

  #write(): void {
    if (this.#hasWritten || !this.database.isWarm) return;
    this.#hasWritten = true;
    if (this.#isUndoable) this.database.exec(`SAVEPOINT w${this.#pending.length}`, []);
    if (this.#isUndoable) this.#pending.push({ isDurable: false, alarmBeforeMs: this.alarmAtMs });
  }
}

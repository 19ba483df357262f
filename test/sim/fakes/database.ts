/**
 * SQLite for one object at a time. Databases are used again and again: each use is one transaction that is rolled back, so
 * that the tables need not be made anew.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

export type Row = Readonly<Record<string, unknown>>;

export class Database {
  readonly #db = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, StatementSync | null>();
  /** Are its tables there from an earlier use? */
  isWarm = false;

  /** Runs one statement, or several without bindings. */
  exec(query: string, bindings: readonly unknown[]): Row[] {
    const statement = this.#statement(query);
    if (statement !== null) return statement.all(...(bindings as SQLInputValue[])) as Row[];
    this.#db.exec(query);
    return [];
  }

  begin(): void {
    this.exec("BEGIN", []);
  }

  /** Forgets everything since `begin`. */
  reset(): void {
    this.exec("ROLLBACK", []);
  }

  /** null: more than one statement. */
  #statement(query: string): StatementSync | null {
    let statement = this.#statements.get(query);
    if (statement === undefined) {
      statement = /;\s*\S/.test(query) ? null : this.#db.prepare(query);
      this.#statements.set(query, statement);
    }
    return statement;
  }
}

/** Databases by class of objects. */
export class DatabasePool {
  readonly #free = new Map<string, Database[]>();

  take(className: string): Database {
    const database = this.#free.get(className)?.pop() ?? new Database();
    if (database.isWarm) database.begin();
    return database;
  }

  giveBack(className: string, database: Database): void {
    if (!database.isWarm) return;
    database.reset();
    const free = this.#free.get(className);
    if (free) free.push(database);
    else this.#free.set(className, [database]);
  }
}

/** The log of the manifest's changes, for watchers. */
import { bounds } from "../src/bounds.ts";
import type { Entry } from "../src/core/leasing/log.ts";
import type { WatchedLog } from "./watchers.ts";

/** Migration of the table that is read and written here. */
export const changeTable = `CREATE TABLE change (
  version INTEGER PRIMARY KEY, revision INTEGER NOT NULL, section TEXT NOT NULL, hash TEXT NOT NULL
) STRICT`;

/** A section was put in force. */
export type SectionChange = {
  /** Of the manifest, after the change. */
  readonly version: number;
  /** Of the configuration in force then; 0 = none yet. */
  readonly revision: number;
  readonly section: string;
  /** SHA-256 of the section's text, in hex. */
  readonly hash: string;
};

export class Changes implements WatchedLog {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Appends a change; the oldest goes when there are more than are kept. To be called once for each version. */
  append({ version, revision, section, hash }: SectionChange): void {
    this.#sql.exec("INSERT INTO change VALUES (?, ?, ?, ?)", version, revision, section, hash);
    this.#sql.exec("DELETE FROM change WHERE version <= ?", version - bounds.manifestChangesKeptMax);
  }

  head(): number {
    return this.#sql.exec<{ version: number }>("SELECT version FROM meta").one().version;
  }

  after(position: number, limit: number): Entry<object>[] {
    return this.#sql
      .exec<SectionChange>("SELECT * FROM change WHERE version > ? ORDER BY version LIMIT ?", position, limit)
      .toArray()
      .map((change) => ({ position: change.version, event: change }));
  }
}

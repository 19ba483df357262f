/** What the control plane remembers: the revisions that there were, and who refused one. */
import { bounds } from "../src/bounds.ts";

/** A revision of the configuration; `author` is the role of the token that made it. */
export interface RevisionInfo {
  readonly number: number;
  readonly hash: string;
  readonly timeMs: number;
  readonly author: string;
  readonly note: string | null;
  /** Deployed Workers whose isolates could not compile it, and stayed with the revision before. */
  readonly rejectedBy: readonly Rejection[];
}

export interface Rejection {
  /** Version of the deployed Worker. */
  readonly worker: string;
  readonly timeMs: number;
  /** The first problem. */
  readonly detail: string;
}

/** Migration of the tables that are read and written here. */
export const historyTables = `
  CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, json TEXT NOT NULL) STRICT;
  CREATE TABLE rejection (
    revision INTEGER NOT NULL, worker TEXT NOT NULL, time_ms INTEGER NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (revision, worker)
  ) STRICT;`;

export class History {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Revisions before the number `before` (null = from the newest), newest first. */
  revisions(before: number | null, limit: number): RevisionInfo[] {
    const rows = this.#sql
      .exec<Row>(
        "SELECT number, hash, time_ms, author, note FROM revision WHERE number < ? ORDER BY number DESC LIMIT ?",
        before ?? Number.MAX_SAFE_INTEGER,
        limit,
      )
      .toArray();
    return rows.map((row) => this.#infoOf(row));
  }

  /** One revision; null when there is none of that number, or none any more. */
  revision(number: number): RevisionInfo | null {
    const [row] = this.#sql
      .exec<Row>("SELECT number, hash, time_ms, author, note FROM revision WHERE number = ?", number)
      .toArray();
    return row ? this.#infoOf(row) : null;
  }

  /** Notes that isolates of a Worker cannot compile a revision; the last time counts. */
  reject(revision: number, { worker, timeMs, detail }: Rejection): void {
    this.#sql.exec("INSERT OR REPLACE INTO rejection VALUES (?, ?, ?, ?)", revision, worker, timeMs, detail);
    this.#sql.exec(
      `DELETE FROM rejection WHERE rowid NOT IN (SELECT rowid FROM rejection ORDER BY time_ms DESC LIMIT ?)`,
      bounds.rejectionsKeptMax,
    );
  }

  #infoOf({ number, hash, time_ms, author, note }: Row): RevisionInfo {
    const rejectedBy = this.#sql
      .exec<{ worker: string; time_ms: number; detail: string }>(
        "SELECT worker, time_ms, detail FROM rejection WHERE revision = ? ORDER BY time_ms",
        number,
      )
      .toArray()
      .map(({ worker, time_ms: timeMs, detail }) => ({ worker, timeMs, detail }));
    return { number, hash, timeMs: time_ms, author, note, rejectedBy };
  }
}

type Row = { number: number; hash: string; time_ms: number; author: string; note: string | null };

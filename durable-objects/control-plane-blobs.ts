/** Texts under their SHA-256, in parts that fit a row. */
import { bounds } from "../src/bounds.ts";

/** A text stays as long as a section or a revision names it. */
export class Blobs {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  write(hash: string, text: string): void {
    for (let part = 0, at = 0; at < text.length || part === 0; part++) {
      const end = pieceEnd(text, at);
      this.#sql.exec("INSERT OR IGNORE INTO blob VALUES (?, ?, ?)", hash, part, text.slice(at, end));
      at = end;
    }
  }

  /** null: it is not, or no longer, kept. */
  read(hash: string): string | null {
    const parts = this.#sql
      .exec<{ text: string }>("SELECT text FROM blob WHERE hash = ? ORDER BY part", hash)
      .toArray();
    return parts.length === 0 ? null : parts.map(({ text }) => text).join("");
  }

  /** To be called when something names it no longer. */
  deleteUnused(hash: string): void {
    this.#sql.exec(
      `DELETE FROM blob WHERE hash = ?1 AND NOT EXISTS (SELECT 1 FROM section WHERE hash = ?1)
       AND NOT EXISTS (SELECT 1 FROM revision WHERE hash = ?1)`,
      hash,
    );
  }
}

/** Where the piece that starts at `at` ends; a surrogate pair is never cut, since SQLite stores UTF-8. */
function pieceEnd(text: string, at: number): number {
  const end = Math.min(at + bounds.blobPartLengthMax, text.length);
  const last = text.charCodeAt(end - 1);
  return end < text.length && last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

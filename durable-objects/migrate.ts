/**
 * Brings an object's SQLite tables to the shape that its code expects. Migrations are append-only: one that has been
 * deployed is never altered, removed or reordered.
 *
 * Storage may also be ahead of the code: after a rollback, and for minutes during a deploy. That is no error, so the
 * code of one version before must work on the new tables: a migration adds, and removes only what the version before no
 * longer reads or writes.
 *
 * A class whose objects are many and small begins with a migration that may be run again, `CREATE TABLE IF NOT EXISTS`. While
 * that is its only one nothing is noted, which spares each object three rows. A class has that form from its first release on:
 * code that notes would make the table once more after a rollback.
 */

/** Runs the migrations that this object has not seen, each in its own transaction; call it in the constructor. */
export function migrate(storage: DurableObjectStorage, migrations: readonly string[]): void {
  const { sql } = storage;
  const [first, ...others] = migrations;
  if (others.length === 0 && first?.startsWith("CREATE TABLE IF NOT EXISTS")) return void sql.exec(first);
  sql.exec("CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY) STRICT");
  const { applied } = sql.exec<{ applied: number }>("SELECT count(*) AS applied FROM migration").one();
  if (applied > migrations.length) {
    console.warn({ message: "tables are newer than the code", applied, known: migrations.length });
  }
  for (let version = applied; version < migrations.length; version++) {
    storage.transactionSync(() => {
      sql.exec(migrations[version]!);
      sql.exec("INSERT INTO migration VALUES (?)", version + 1);
    });
  }
}

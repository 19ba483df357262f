/** The tables of a ServiceHealth; docs in README.md. */
import { bounds } from "../src/bounds.ts";
import type { BookRow } from "../src/core/breaking/book.ts";
import type { HealthEvent } from "../src/core/breaking/types.ts";

export const healthMigrations = [
  `CREATE TABLE health (
     id INTEGER PRIMARY KEY CHECK (id = 1), service TEXT NOT NULL, json TEXT NOT NULL, published_revision INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, revision INTEGER NOT NULL, json TEXT NOT NULL) STRICT;`,
];

const selectHealth = "SELECT service, json, published_revision FROM health";
const upsertHealth = "INSERT INTO health VALUES (1, ?, ?, 0) ON CONFLICT (id) DO UPDATE SET json = excluded.json";
const insertEvent = "INSERT INTO event (revision, json) VALUES (?, ?)";
const dropOldEvents = "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?";
const selectEvents = "SELECT revision, json FROM event ORDER BY id";

/** An event as it is told to the control plane. */
export type ToldEvent = HealthEvent & { readonly time: string; readonly service: string };

/** What was last stored. */
export interface StoredHealth {
  readonly service: string;
  readonly row: BookRow;
  /** The last revision that the control plane is known to have; 0 = none. */
  readonly publishedRevision: number;
}

/** null: nothing was ever stored. */
export function loadHealth(sql: SqlStorage): StoredHealth | null {
  const [found] = sql.exec<{ service: string; json: string; published_revision: number }>(selectHealth).toArray();
  if (found === undefined) return null;
  const { service, json, published_revision: publishedRevision } = found;
  return { service, row: JSON.parse(json) as BookRow, publishedRevision };
}

/** Revision of what was last stored; 0: nothing ever was. */
export function readHealthRevision(sql: SqlStorage): number {
  const [found] = sql.exec<{ revision: number }>("SELECT json ->> '$.revision' AS revision FROM health").toArray();
  return found?.revision ?? 0;
}

/** Stores the book and the events that led to it, in one transaction. */
export function saveHealth(
  storage: DurableObjectStorage,
  service: string,
  row: BookRow,
  events: readonly HealthEvent[],
  nowMs: number,
): void {
  const { sql } = storage;
  storage.transactionSync(() => {
    sql.exec(upsertHealth, service, JSON.stringify(row));
    if (events.length === 0) return;
    const time = new Date(nowMs).toISOString();
    for (const event of events) sql.exec(insertEvent, row.revision, JSON.stringify({ time, service, ...event }));
    sql.exec(dropOldEvents, bounds.unpublishedEventsMax);
  });
}

/** Events that the control plane is not known to have, oldest first. */
export function unpublishedEvents(sql: SqlStorage): { readonly revision: number; readonly event: ToldEvent }[] {
  return sql
    .exec<{ revision: number; json: string }>(selectEvents)
    .toArray()
    .map(({ revision, json }) => ({ revision, event: JSON.parse(json) as ToldEvent }));
}

/** Notes what the control plane has; its events are not needed here any more. */
export function savePublished(storage: DurableObjectStorage, revision: number): void {
  storage.transactionSync(() => {
    storage.sql.exec("UPDATE health SET published_revision = max(published_revision, ?)", revision);
    storage.sql.exec("DELETE FROM event WHERE revision <= ?", revision);
  });
}

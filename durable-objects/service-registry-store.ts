/** The tables of a ServiceRegistry; docs in README.md. */
import { bounds } from "../src/bounds.ts";
import type { StoredBook } from "../src/core/leasing/restart.ts";
import type { Book, Change, EventContent, Origin, RegistryEvent } from "../src/core/leasing/types.ts";

export const registryMigrations = [
  `CREATE TABLE meta (
     id INTEGER PRIMARY KEY CHECK (id = 1), service TEXT, revision INTEGER NOT NULL, compact_revision INTEGER NOT NULL,
     published_revision INTEGER NOT NULL, frozen_since_ms INTEGER, next_pass_ms INTEGER
   ) STRICT;
   INSERT INTO meta VALUES (1, NULL, 0, 0, 0, NULL, NULL);
   CREATE TABLE origin (
     id TEXT PRIMARY KEY, url TEXT NOT NULL, version TEXT, weight REAL NOT NULL, zone TEXT, metadata TEXT NOT NULL,
     ttl_ms INTEGER NOT NULL, lease_id TEXT NOT NULL, deadline_ms INTEGER NOT NULL, state TEXT NOT NULL,
     drain_until_ms INTEGER, create_revision INTEGER NOT NULL, mod_revision INTEGER NOT NULL, extensions INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE event (revision INTEGER PRIMARY KEY, type TEXT NOT NULL, origin TEXT, body TEXT NOT NULL) STRICT;`,
];

const upsertOrigin = `INSERT OR REPLACE INTO origin
  (id, url, version, weight, zone, metadata, ttl_ms, lease_id, deadline_ms, state, drain_until_ms, create_revision,
   mod_revision, extensions) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const deleteOrigin = "DELETE FROM origin WHERE id = ?";
const insertEvent = "INSERT INTO event (revision, type, origin, body) VALUES (?, ?, ?, ?)";
const updateMeta = `UPDATE meta SET service = coalesce(?, service), revision = ?, frozen_since_ms = ?, next_pass_ms = ?,
  compact_revision = max(compact_revision, ?)`;
const compactEvents = "DELETE FROM event WHERE revision <= (SELECT compact_revision FROM meta)";
const selectEvents = "SELECT revision, type, origin, body FROM event WHERE revision > ? ORDER BY revision LIMIT ?";

type MetaRow = {
  service: string | null;
  revision: number;
  compact_revision: number;
  published_revision: number;
  frozen_since_ms: number | null;
  next_pass_ms: number | null;
};
type OriginRow = {
  id: string;
  url: string;
  version: string | null;
  weight: number;
  zone: string | null;
  metadata: string;
  ttl_ms: number;
  lease_id: string;
  deadline_ms: number;
  state: string;
  drain_until_ms: number | null;
  create_revision: number;
  mod_revision: number;
  extensions: number;
};
type EventRow = { revision: number; type: string; origin: string | null; body: string };

const metaOf = (sql: SqlStorage): MetaRow => sql.exec<MetaRow>("SELECT * FROM meta").one();

/** The book as it was last stored. */
export function loadBook(sql: SqlStorage): StoredBook {
  const { revision, frozen_since_ms: sinceMs, next_pass_ms: nextPassMs } = metaOf(sql);
  const freeze = sinceMs === null || nextPassMs === null ? null : { sinceMs, nextPassMs };
  return { revision, freeze, origins: sql.exec<OriginRow>("SELECT * FROM origin").toArray().map(originOf) };
}

/**
 * Stores a change, its events, the revision and the freeze in one transaction (R1); old events are compacted.
 *
 * @param service the service's name, when the object knows it.
 */
export function saveChange(
  storage: DurableObjectStorage,
  service: string | undefined,
  book: Book,
  change: Change,
): void {
  const { sql } = storage;
  storage.transactionSync(() => {
    for (const id of change.touched) {
      const origin = book.origins.get(id);
      if (origin === undefined) sql.exec(deleteOrigin, id);
      else sql.exec(upsertOrigin, ...rowOf(origin));
    }
    if (change.events.length === 0) return;
    for (const { revision, type, origin, body } of change.events) {
      sql.exec(insertEvent, revision, type, origin, JSON.stringify(body));
    }
    const compacted = book.revision - bounds.registryEventsKeptMax;
    const { sinceMs = null, nextPassMs = null } = book.freeze ?? {};
    sql.exec(updateMeta, service ?? null, book.revision, sinceMs, nextPassMs, compacted);
    sql.exec(compactEvents);
  });
}

/**
 * Events after a revision, oldest first; null when some of them have been compacted, or when the revision is not one of
 * this registry's, so that the watcher has to list anew (R3).
 */
export function readEvents(sql: SqlStorage, fromRevision: number, limit: number): RegistryEvent[] | null {
  const meta = metaOf(sql);
  if (fromRevision < meta.compact_revision || fromRevision > meta.revision) return null;
  return sql
    .exec<EventRow>(selectEvents, fromRevision, limit)
    .toArray()
    .map(({ revision, type, origin, body }) => ({
      ...({ type, origin, body: JSON.parse(body) } as EventContent),
      revision,
    }));
}

/** The service's name, null before the first change, and the revision that the control plane last took, 0 = none. */
export function readPublication(sql: SqlStorage): { service: string | null; publishedRevision: number } {
  const { service, published_revision: publishedRevision } = metaOf(sql);
  return { service, publishedRevision };
}

/** Notes what the control plane took. */
export function savePublished(sql: SqlStorage, revision: number): void {
  sql.exec("UPDATE meta SET published_revision = max(published_revision, ?)", revision);
}

function rowOf(origin: Origin): (string | number | null)[] {
  return [
    origin.id,
    origin.url,
    origin.version,
    origin.weight,
    origin.zone,
    JSON.stringify(origin.metadata),
    origin.ttlMs,
    origin.leaseId,
    origin.deadlineMs,
    origin.state,
    origin.drainUntilMs,
    origin.createRevision,
    origin.modRevision,
    origin.extensions,
  ];
}

function originOf(row: OriginRow): Origin {
  return {
    id: row.id,
    url: row.url,
    version: row.version,
    weight: row.weight,
    zone: row.zone,
    metadata: JSON.parse(row.metadata) as Record<string, string>,
    ttlMs: row.ttl_ms,
    leaseId: row.lease_id,
    deadlineMs: row.deadline_ms,
    storedDeadlineMs: row.deadline_ms,
    state: row.state as Origin["state"],
    drainUntilMs: row.drain_until_ms,
    createRevision: row.create_revision,
    modRevision: row.mod_revision,
    extensions: row.extensions,
  };
}

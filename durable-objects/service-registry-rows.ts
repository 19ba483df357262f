/** The tables of a ServiceRegistry and what their rows mean; docs in README.md. */
import type { AdoptedOrder, CheckOrder } from "../src/core/checking/types.ts";
import type { Origin } from "../src/core/leasing/types.ts";

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
  `ALTER TABLE event ADD COLUMN time_ms INTEGER;
   CREATE TABLE check_order (
     id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL, digest TEXT NOT NULL, settings TEXT NOT NULL,
     returns_ejected INTEGER NOT NULL, since_ms INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE check_origin (id TEXT PRIMARY KEY, url TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE unhealthy (origin TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;`,
  "ALTER TABLE event ADD COLUMN shown TEXT",
];

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
type CheckOrderRow = { revision: number; digest: string; settings: string; returns_ejected: number; since_ms: number };

const upsertOrigin = `INSERT OR REPLACE INTO origin
  (id, url, version, weight, zone, metadata, ttl_ms, lease_id, deadline_ms, state, drain_until_ms, create_revision,
   mod_revision, extensions) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const insertOrder = "INSERT INTO check_order VALUES (1, ?, ?, ?, ?, ?)";

export function loadOrigins(sql: SqlStorage): Origin[] {
  return sql.exec<OriginRow>("SELECT * FROM origin").toArray().map(originOf);
}

/** Writes the row of an origin, or deletes it. */
export function saveOrigin(sql: SqlStorage, id: string, origin: Origin | undefined): void {
  if (origin === undefined) sql.exec("DELETE FROM origin WHERE id = ?", id);
  else sql.exec(upsertOrigin, ...rowOf(origin));
}

/** The order of checks. When it was last confirmed is not stored. */
export function loadOrder(sql: SqlStorage): AdoptedOrder | null {
  const [row] = sql.exec<CheckOrderRow>("SELECT * FROM check_order").toArray();
  if (row === undefined) return null;
  return {
    revision: row.revision,
    digest: row.digest,
    settings: JSON.parse(row.settings) as CheckOrder["settings"],
    staticOrigins: sql.exec<{ id: string; url: string }>("SELECT id, url FROM check_origin").toArray(),
    returnsEjected: row.returns_ejected === 1,
    sinceMs: row.since_ms,
    confirmedMs: row.since_ms,
  };
}

/** A row for each static origin: a thousand of the longest URLs would not fit into one. */
export function saveOrder(sql: SqlStorage, order: AdoptedOrder | null): void {
  sql.exec("DELETE FROM check_order");
  sql.exec("DELETE FROM check_origin");
  if (order === null) return;
  const { revision, digest, settings, staticOrigins, returnsEjected, sinceMs } = order;
  sql.exec(insertOrder, revision, digest, JSON.stringify(settings), returnsEjected ? 1 : 0, sinceMs);
  for (const { id, url } of staticOrigins) sql.exec("INSERT INTO check_origin VALUES (?, ?)", id, url);
}

/** Ids of origins that are marked as unhealthy. */
export function loadMarks(sql: SqlStorage): string[] {
  const rows = sql.exec<{ origin: string }>("SELECT origin FROM unhealthy").toArray();
  return rows.map(({ origin }) => origin);
}

export function saveMark(sql: SqlStorage, origin: string, isHealthy: boolean): void {
  if (isHealthy) sql.exec("DELETE FROM unhealthy WHERE origin = ?", origin);
  else sql.exec("INSERT OR IGNORE INTO unhealthy VALUES (?)", origin);
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

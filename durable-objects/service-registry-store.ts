/** What a ServiceRegistry reads from its tables and writes to them. */
import { bounds } from "../src/bounds.ts";
import { type WatchEvent, watchEventOf } from "../src/core/leasing/events.ts";
import type { Entry } from "../src/core/leasing/log.ts";
import type { StoredBook } from "../src/core/leasing/restart.ts";
import type { Book, Change, EventContent, OriginView, RegistryEvent } from "../src/core/leasing/types.ts";
import { loadMarks, loadOrder, loadOrigins, saveMark, saveOrder, saveOrigin } from "./service-registry-rows.ts";

type MetaRow = {
  service: string | null;
  revision: number;
  compact_revision: number;
  published_revision: number;
  frozen_since_ms: number | null;
  next_pass_ms: number | null;
};
type EventRow = { revision: number; type: string; origin: string | null; body: string };
type WatchRow = { revision: number; type: RegistryEvent["type"]; origin: string | null; shown: string | null };
type NoticeRow = { revision: number; type: keyof typeof noticeTypes; origin: string | null; time_ms: number };

/** What the operator is told of, by the type of the registry's event. */
const noticeTypes = {
  unhealthy: "origin_unhealthy",
  healthy: "origin_healthy",
  freeze: "registry_frozen",
  thaw: "registry_thawed",
} as const;

const insertEvent = "INSERT INTO event (revision, type, origin, body, time_ms, shown) VALUES (?, ?, ?, ?, ?, ?)";
const updateMeta = `UPDATE meta SET service = coalesce(?, service), revision = ?, frozen_since_ms = ?, next_pass_ms = ?,
  compact_revision = max(compact_revision, ?)`;
const compactEvents = "DELETE FROM event WHERE revision <= (SELECT compact_revision FROM meta)";
const selectEvents = "SELECT revision, type, origin, body FROM event WHERE revision > ? ORDER BY revision LIMIT ?";
const selectWatched = "SELECT revision, type, origin, shown FROM event WHERE revision > ? ORDER BY revision LIMIT ?";
// The version before this one writes events without a time.
const selectNotices = `SELECT revision, type, origin, coalesce(time_ms, ?) AS time_ms FROM event
  WHERE revision > (SELECT published_revision FROM meta)
  AND type IN (${Object.keys(noticeTypes).map((type) => `'${type}'`)}) ORDER BY revision DESC LIMIT ?`;

const metaOf = (sql: SqlStorage): MetaRow => sql.exec<MetaRow>("SELECT * FROM meta").one();

/** The book as it was last stored. */
export function loadBook(sql: SqlStorage): StoredBook {
  const { revision, frozen_since_ms: sinceMs, next_pass_ms: nextPassMs } = metaOf(sql);
  const freeze = sinceMs === null || nextPassMs === null ? null : { sinceMs, nextPassMs };
  return { revision, freeze, origins: loadOrigins(sql), checkOrder: loadOrder(sql), unhealthy: loadMarks(sql) };
}

/**
 * Stores a change, its events, the revision, the freeze and what is checked in one transaction (R1); old events are
 * compacted.
 *
 * @param service the service's name, when the object knows it. @param nowMs when the events happened.
 */
export function saveChange(
  storage: DurableObjectStorage,
  service: string | undefined,
  book: Book,
  change: Change,
  nowMs: number,
): void {
  const { sql } = storage;
  storage.transactionSync(() => {
    for (const id of change.touched) saveOrigin(sql, id, book.origins.get(id));
    if (change.events.length === 0) return;
    for (const { revision, type, origin, body, after } of change.events) {
      sql.exec(insertEvent, revision, type, origin, JSON.stringify(body), nowMs, after && JSON.stringify(after));
      // Every change of a mark has an event.
      if (origin !== null) saveMark(sql, origin, !book.unhealthy.has(origin));
    }
    if (change.events.some(({ type }) => type === "checks")) saveOrder(sql, book.checkOrder);
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

/** The oldest events after a revision that are kept, as watchers read them; `shown` is new, so older events tell less. */
export function readWatched(sql: SqlStorage, fromRevision: number, limit: number): Entry<WatchEvent>[] {
  return sql
    .exec<WatchRow>(selectWatched, fromRevision, limit)
    .toArray()
    .map(({ shown, ...row }) => ({
      position: row.revision,
      event: watchEventOf(row, shown === null ? null : (JSON.parse(shown) as OriginView)),
    }));
}

/** The revision as it is stored. */
export const readRevision = (sql: SqlStorage): number => metaOf(sql).revision;

/** Something for the operator to know. */
export interface RegistryNotice {
  readonly revision: number;
  readonly type: (typeof noticeTypes)[keyof typeof noticeTypes];
  /** null: of the whole registry. */
  readonly origin: string | null;
  readonly timeMs: number;
}

/** What the control plane has not taken yet, oldest first; of more than `eventsPerPublicationMax` the newest. */
export function readNotices(sql: SqlStorage, nowMs: number): RegistryNotice[] {
  const rows = sql.exec<NoticeRow>(selectNotices, nowMs, bounds.eventsPerPublicationMax).toArray();
  return rows
    .reverse()
    .map(({ revision, type, origin, time_ms: timeMs }) => ({ revision, type: noticeTypes[type], origin, timeMs }));
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

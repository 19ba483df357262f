/**
 * ControlPlane: the configuration's revisions, the manifest that isolates follow, and the gateway's events. One per
 * gateway.
 *
 * Isolates ask for the manifest, never for a request's sake; so this object sees isolates, not requests. What it hands
 * out are immutable blobs under their SHA-256, so that a reader can check what it got and any cache may keep it.
 */
import { DurableObject } from "cloudflare:workers";
import { bounds } from "../src/bounds.ts";
import { diffJson } from "../src/core/json/diff.ts";
import { sha256Hex } from "../src/digest.ts";
import { migrate } from "./migrate.ts";

const migrations = [
  `CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL) STRICT;
   INSERT INTO meta VALUES (1, 0);
   CREATE TABLE revision (
     number INTEGER PRIMARY KEY, hash TEXT NOT NULL, time_ms INTEGER NOT NULL, author TEXT NOT NULL, note TEXT
   ) STRICT;
   CREATE TABLE section (name TEXT PRIMARY KEY, hash TEXT NOT NULL, source_revision INTEGER NOT NULL) STRICT;
   CREATE TABLE blob (hash TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (hash, part)) STRICT;`,
  "CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, json TEXT NOT NULL) STRICT;",
];

/** A change of the configuration. `text` is a JSON document that has already been compiled. */
export interface ApplyRequest {
  readonly text: string;
  /** Head revision that the writer expects; null = whatever it is. 0 = no configuration yet. */
  readonly ifRevision: number | null;
  /** Says what would happen and changes nothing. */
  readonly dryRun: boolean;
  /** Role of the token that asks. */
  readonly author: string;
  readonly note: string | null;
}

/** `diff` is the JSON text of a `JsonDiff`: the recursive type of a JSON value is too deep for a typed RPC. */
export type ApplyResult =
  | { readonly ok: true; readonly revision: number; readonly hash: string; readonly diff: string }
  | { readonly ok: false; readonly code: "revision_conflict"; readonly revision: number };

/** The configuration in force. */
export interface CurrentConfig {
  readonly revision: number;
  readonly hash: string;
  readonly text: string;
  readonly timeMs: number;
}

/** Which blobs make up the state. `version` rises with every change; `revision` is the configuration's, 0 = none yet. */
export interface Manifest {
  readonly version: number;
  readonly revision: number;
  /** `config`, `origins/<service>` and `health/<service>` -> SHA-256 of the section's text, in hex. */
  readonly sections: Readonly<Record<string, string>>;
}

export interface Publication {
  readonly section: string;
  /** The publisher's own revision: an older or equal one than the last is not accepted. */
  readonly revision: number;
  readonly body: string;
  /**
   * What led here, oldest first; those that came with an earlier publication may be among them again. Left out by
   * publishers that have no events.
   */
  readonly events?: readonly PublishedEvent[];
}

/** Something that happened, for the operator. */
export interface GatewayEvent {
  /** ISO 8601. */
  readonly time: string;
  readonly service: string;
  readonly type: string;
  /** What else there is to say. */
  readonly [detail: string]: string | number | null;
}

export interface PublishedEvent {
  /** The publisher's revision that the event belongs to; at most that of the publication. */
  readonly revision: number;
  readonly event: GatewayEvent;
}

export interface EventsPage {
  /** After `since`, oldest first. */
  readonly events: readonly (GatewayEvent & { readonly id: number })[];
  /** `since` of the next page. */
  readonly next: number;
  /** Id of the oldest event that is kept; null: none is. Events between `since` and it are gone. */
  readonly oldest: number | null;
}

export class ControlPlane extends DurableObject<Env> {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    migrate(ctx.storage, migrations);
  }

  /** Makes `text` the configuration in force, as a new revision; a document equal to the one in force makes none. */
  async apply(request: ApplyRequest): Promise<ApplyResult> {
    const hash = await sha256Hex(request.text);
    // From here on nothing awaits: compare and swap are one step.
    const head = this.#head();
    const revision = head?.number ?? 0;
    if (request.ifRevision !== null && request.ifRevision !== revision) {
      return { ok: false, code: "revision_conflict", revision };
    }
    const before = head ? JSON.parse(this.#readBlob(head.hash) ?? "{}") : {};
    const diff = diffJson(before, JSON.parse(request.text), bounds.changesListedMax);
    if (head && diff.changes.length === 0) return { ok: true, revision, hash: head.hash, diff: JSON.stringify(diff) };
    const next = revision + 1;
    if (!request.dryRun) {
      this.ctx.storage.transactionSync(() => {
        this.#writeBlob(hash, request.text);
        this.#sql.exec(
          "INSERT INTO revision VALUES (?, ?, ?, ?, ?)",
          next,
          hash,
          Date.now(),
          request.author,
          request.note,
        );
        this.#setSection("config", hash, next);
        this.#deleteOldRevisions(next);
      });
    }
    return { ok: true, revision: next, hash, diff: JSON.stringify(diff) };
  }

  /** The configuration in force; null before the first. */
  current(): CurrentConfig | null {
    const head = this.#head();
    if (!head) return null;
    const text = this.#readBlob(head.hash);
    if (text === null) throw new Error(`the blob of revision ${head.number} is missing`);
    return { revision: head.number, hash: head.hash, text, timeMs: head.time_ms };
  }

  /** The manifest, or null when its version is `ifVersion`. */
  manifest(ifVersion: number): Manifest | null {
    const { version } = this.#sql.exec<{ version: number }>("SELECT version FROM meta").one();
    if (version === ifVersion) return null;
    const rows = this.#sql.exec<{ name: string; hash: string }>("SELECT name, hash FROM section").toArray();
    return {
      version,
      revision: this.#head()?.number ?? 0,
      sections: Object.fromEntries(rows.map(({ name, hash }) => [name, hash])),
    };
  }

  /** Texts of sections by hash, at most `sectionsPerCallMax`; one that has been replaced meanwhile is left out. */
  sections(hashes: readonly string[]): Record<string, string> {
    const found: Record<string, string> = {};
    for (const hash of hashes.slice(0, bounds.sectionsPerCallMax)) {
      const text = this.#readBlob(hash);
      if (text !== null) found[hash] = text;
    }
    return found;
  }

  /** Takes a section from the object that owns it, and the events that it does not have yet. */
  async publish(publication: Publication): Promise<{ accepted: boolean }> {
    const { section, revision, body, events = [] } = publication;
    const hash = await sha256Hex(body);
    const [known] = this.#sql
      .exec<{ source_revision: number }>("SELECT source_revision FROM section WHERE name = ?", section)
      .toArray();
    if (known && known.source_revision >= revision) return { accepted: false };
    this.ctx.storage.transactionSync(() => {
      this.#writeBlob(hash, body);
      this.#setSection(section, hash, revision);
      this.#addEvents(events.filter((event) => event.revision > (known?.source_revision ?? 0)));
    });
    return { accepted: true };
  }

  /** Events after the id `since` (0 = from the oldest), at most `limit` and at most `eventsPerCallMax`. */
  events({ since, limit }: { readonly since: number; readonly limit: number }): EventsPage {
    const rows = this.#sql
      .exec<{ id: number; json: string }>(
        "SELECT id, json FROM event WHERE id > ? ORDER BY id LIMIT ?",
        since,
        Math.min(limit, bounds.eventsPerCallMax),
      )
      .toArray();
    const { oldest } = this.#sql.exec<{ oldest: number | null }>("SELECT min(id) AS oldest FROM event").one();
    const events = rows.map(({ id, json }) => ({ ...(JSON.parse(json) as GatewayEvent), id }));
    return { events, next: events.at(-1)?.id ?? since, oldest };
  }

  #head(): { number: number; hash: string; time_ms: number } | undefined {
    return this.#sql
      .exec<{ number: number; hash: string; time_ms: number }>(
        "SELECT number, hash, time_ms FROM revision ORDER BY number DESC LIMIT 1",
      )
      .toArray()[0];
  }

  #setSection(name: string, hash: string, sourceRevision: number): void {
    const [old] = this.#sql.exec<{ hash: string }>("SELECT hash FROM section WHERE name = ?", name).toArray();
    this.#sql.exec("INSERT OR REPLACE INTO section VALUES (?, ?, ?)", name, hash, sourceRevision);
    this.#sql.exec("UPDATE meta SET version = version + 1");
    if (old) this.#deleteUnusedBlob(old.hash);
  }

  #addEvents(events: readonly PublishedEvent[]): void {
    if (events.length === 0) return;
    for (const { event } of events) this.#sql.exec("INSERT INTO event (json) VALUES (?)", JSON.stringify(event));
    this.#sql.exec("DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?", bounds.eventsKeptMax);
  }

  #deleteOldRevisions(head: number): void {
    const old = this.#sql
      .exec<{ hash: string }>("DELETE FROM revision WHERE number <= ? RETURNING hash", head - bounds.revisionsKeptMax)
      .toArray();
    for (const { hash } of old) this.#deleteUnusedBlob(hash);
  }

  #writeBlob(hash: string, text: string): void {
    for (let part = 0, at = 0; at < text.length || part === 0; part++) {
      const end = pieceEnd(text, at);
      this.#sql.exec("INSERT OR IGNORE INTO blob VALUES (?, ?, ?)", hash, part, text.slice(at, end));
      at = end;
    }
  }

  #readBlob(hash: string): string | null {
    const parts = this.#sql
      .exec<{ text: string }>("SELECT text FROM blob WHERE hash = ? ORDER BY part", hash)
      .toArray();
    return parts.length === 0 ? null : parts.map(({ text }) => text).join("");
  }

  #deleteUnusedBlob(hash: string): void {
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

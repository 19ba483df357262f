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
import { Blobs } from "./control-plane-blobs.ts";
import { Changes, changeTable } from "./control-plane-changes.ts";
import { History, historyTables, type RevisionInfo } from "./control-plane-history.ts";
import { Log, type LogPage } from "./control-plane-log.ts";
import { migrate } from "./migrate.ts";
import { Watchers } from "./watchers.ts";

const migrations = [
  `CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL) STRICT;
   INSERT INTO meta VALUES (1, 0);
   CREATE TABLE revision (
     number INTEGER PRIMARY KEY, hash TEXT NOT NULL, time_ms INTEGER NOT NULL, author TEXT NOT NULL, note TEXT
   ) STRICT;
   CREATE TABLE section (name TEXT PRIMARY KEY, hash TEXT NOT NULL, source_revision INTEGER NOT NULL) STRICT;
   CREATE TABLE blob (hash TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (hash, part)) STRICT;`,
  "CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, json TEXT NOT NULL) STRICT;",
  historyTables,
  changeTable,
  "CREATE TABLE canary (id INTEGER PRIMARY KEY CHECK (id = 1), percent INTEGER NOT NULL) STRICT;",
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
  /** A canary that runs is ended by this; else nothing can be applied beside it. Left out: false. */
  readonly endsCanary?: boolean;
}

/** A revision that is to be tried on so many percent of the clients. `ifRevision` is the one in force, or the canary's. */
export interface CanaryRequest extends ApplyRequest {
  readonly percent: number;
}

/** `diff` is the JSON text of a `JsonDiff`: the recursive type of a JSON value is too deep for a typed RPC. */
export type ApplyResult =
  | { readonly ok: true; readonly revision: number; readonly hash: string; readonly diff: string }
  | {
      readonly ok: false;
      readonly code: "revision_conflict" | "canary_running" | "unconfigured";
      readonly revision: number;
    };

/** How a canary ends. */
export interface EndRequest {
  readonly promote: boolean;
  readonly ifRevision: number | null;
}

/** A revision that is tried on some clients, and since when. */
export interface Canary {
  readonly revision: number;
  readonly percent: number;
  readonly timeMs: number;
  /** Versions of deployed Workers that cannot compile it. */
  readonly rejectedBy: readonly string[];
}

type Stored = { readonly number: number; readonly hash: string; readonly time_ms: number };

/** The configuration in force. */
export interface CurrentConfig {
  readonly revision: number;
  readonly hash: string;
  readonly text: string;
  readonly timeMs: number;
  /** Versions of deployed Workers that cannot compile it. Left out by objects of the version before. */
  readonly rejectedBy?: readonly string[];
}

/** A revision and its document. */
export interface StoredRevision extends RevisionInfo {
  readonly text: string;
}

/** What changed between two revisions, as in `ApplyResult`; `missing` is one that does not exist, or no longer. */
export type DiffResult =
  | { readonly ok: true; readonly diff: string }
  | { readonly ok: false; readonly missing: number };

/** An isolate's refusal. `worker`: version of its Worker. `detail`: the first problem. */
export interface RejectRequest {
  readonly revision: number;
  readonly worker: string;
  readonly detail: string;
}

/** Which blobs make up the state. `version` rises with every change; `revision` is the configuration's, 0 = none yet. */
export interface Manifest {
  readonly version: number;
  readonly revision: number;
  /** The revision of the section `canary`, and its share; left out when none runs. */
  readonly canary?: Pick<Canary, "revision" | "percent">;
  /** `config`, `canary`, `origins/<service>` and `health/<service>` -> SHA-256 of the section's text, in hex. */
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

/** A page of the events. */
export type EventsPage = Omit<LogPage<GatewayEvent>, "entries"> & { readonly events: LogPage<GatewayEvent>["entries"] };

/** One write of the admin API, whether it was accepted or not. */
export interface AuditEntry {
  /** ISO 8601. */
  readonly time: string;
  /** Of the token. */
  readonly role: string;
  /** The client's; null: not known. */
  readonly address: string | null;
  readonly method: string;
  /** Below `/_sluice`, with the query. */
  readonly target: string;
  readonly status: number;
  /** The error code of a refusal. */
  readonly code: string | null;
  /** Of what was written, after the call: the ETag. */
  readonly revision: number | null;
  readonly requestId: string;
}

export class ControlPlane extends DurableObject<Env> {
  readonly #sql: SqlStorage;
  readonly #history: History;
  readonly #events: Log<GatewayEvent>;
  readonly #audit: Log<AuditEntry>;
  readonly #blobs: Blobs;
  readonly #changes: Changes;
  readonly #watchers: Watchers;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#history = new History(this.#sql);
    this.#events = new Log(this.#sql, "event", bounds.eventsKeptMax);
    this.#audit = new Log(this.#sql, "audit", bounds.auditKeptMax);
    this.#blobs = new Blobs(this.#sql);
    migrate(ctx.storage, migrations);
    this.#changes = new Changes(this.#sql);
    this.#watchers = new Watchers(ctx, this.#changes);
  }

  /** For who watches the manifest; see `Watchers`. */
  override fetch(request: Request): Promise<Response> {
    return this.#watchers.fetch(request);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#watchers.message(socket, message);
  }

  override webSocketClose(socket: WebSocket): void {
    this.#watchers.left(socket);
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
    const running = this.#canary();
    if (running && !request.endsCanary) return { ok: false, code: "canary_running", revision: running.revision };
    const diff = diffJson(this.#documentOf(head?.hash), JSON.parse(request.text), bounds.changesListedMax);
    const isSame = head !== undefined && diff.changes.length === 0;
    const next = isSame ? revision : this.#newest() + 1;
    if (!request.dryRun) {
      this.ctx.storage.transactionSync(() => {
        this.#endCanary();
        if (!isSame) this.#store("config", next, hash, request);
      });
    }
    return { ok: true, revision: next, hash: isSame ? head.hash : hash, diff: JSON.stringify(diff) };
  }

  /**
   * Serves `text` to a share of the clients, as a new revision beside the one in force. The document of the canary that runs
   * keeps its revision and gets the new share; another replaces it only by its revision in `ifRevision`.
   */
  async applyCanary(request: CanaryRequest): Promise<ApplyResult> {
    const { ifRevision, percent, text } = request;
    const hash = await sha256Hex(text);
    // From here on nothing awaits: compare and swap are one step.
    const [head, running] = [this.#head(), this.#canary()];
    if (!head) return { ok: false, code: "unconfigured", revision: 0 };
    const isExpected = ifRevision === null || ifRevision === head.number || ifRevision === running?.revision;
    if (!isExpected) return { ok: false, code: "revision_conflict", revision: running?.revision ?? head.number };
    const document = JSON.parse(text);
    const diff = diffJson(this.#documentOf(head.hash), document, bounds.changesListedMax);
    const isRamp = running !== null && diffJson(this.#documentOf(running.hash), document, 1).changes.length === 0;
    if (running && !isRamp && ifRevision !== running.revision) {
      return { ok: false, code: "canary_running", revision: running.revision };
    }
    if (diff.changes.length === 0)
      return { ok: true, revision: head.number, hash: head.hash, diff: JSON.stringify(diff) };
    const next = isRamp ? running.revision : this.#newest() + 1;
    if (!request.dryRun) {
      this.ctx.storage.transactionSync(() => {
        if (isRamp) this.#raiseVersion("canary", running.hash);
        else {
          this.#endCanary();
          this.#store("canary", next, hash, request);
        }
        this.#sql.exec("INSERT OR REPLACE INTO canary VALUES (1, ?)", percent);
      });
    }
    return { ok: true, revision: next, hash: isRamp ? running.hash : hash, diff: JSON.stringify(diff) };
  }

  #documentOf(hash: string | undefined) {
    return JSON.parse((hash && this.#blobs.read(hash)) || "{}");
  }

  #newest(): number {
    return this.#sql.exec<{ newest: number | null }>("SELECT max(number) AS newest FROM revision").one().newest ?? 0;
  }

  #store(section: "config" | "canary", number: number, hash: string, { text, author, note }: ApplyRequest): void {
    this.#blobs.write(hash, text);
    this.#sql.exec("INSERT INTO revision VALUES (?, ?, ?, ?, ?)", number, hash, Date.now(), author, note);
    this.#setSection(section, hash, number);
    this.#deleteOldRevisions(number);
  }

  /** The canary that runs; null: none does. */
  canary(): Canary | null {
    const canary = this.#canary();
    if (!canary) return null;
    const { revision, percent, timeMs } = canary;
    return { revision, percent, timeMs, rejectedBy: this.#rejectersOf(revision) };
  }

  /**
   * Ends the canary: its revision comes into force (`promote`), or the one in force stays. Null when there is none.
   * `ifRevision`: the canary's that is expected; null = whichever runs.
   */
  endCanary({ promote, ifRevision }: EndRequest): ApplyResult | null {
    const [head, canary] = [this.#head(), this.#canary()];
    if (!head || !canary) return null;
    if (ifRevision !== null && ifRevision !== canary.revision) {
      return { ok: false, code: "revision_conflict", revision: canary.revision };
    }
    const after = this.#documentOf(promote ? canary.hash : head.hash);
    const diff = diffJson(this.#documentOf(head.hash), after, bounds.changesListedMax);
    this.ctx.storage.transactionSync(() => {
      if (promote) this.#setSection("config", canary.hash, canary.revision);
      this.#endCanary();
    });
    const { revision, hash } = promote ? canary : { revision: head.number, hash: head.hash };
    return { ok: true, revision, hash, diff: JSON.stringify(diff) };
  }

  /** The configuration in force; null before the first. */
  current(): CurrentConfig | null {
    const head = this.#head();
    if (!head) return null;
    const text = this.#blobs.read(head.hash);
    if (text === null) throw new Error(`the blob of revision ${head.number} is missing`);
    const rejectedBy = this.#rejectersOf(head.number);
    return { revision: head.number, hash: head.hash, text, timeMs: head.time_ms, rejectedBy };
  }

  /** Revisions before the number `before` (null = from the newest), newest first, at most `limit`. */
  revisions({ before, limit }: { readonly before: number | null; readonly limit: number }): RevisionInfo[] {
    return this.#history.revisions(before, Math.min(limit, bounds.revisionsPerPageMax));
  }

  /** One revision with its document; null when there is none of that number, or none any more. */
  revision(number: number): StoredRevision | null {
    const info = this.#history.revision(number);
    return info && { ...info, text: this.#blobs.read(info.hash) ?? "" };
  }

  /** What changed from one revision to another, in either direction. 0 = before the first: the empty document. */
  diff({ from, to }: { readonly from: number; readonly to: number }): DiffResult {
    const texts = [from, to].map((number) => (number === 0 ? "{}" : (this.revision(number)?.text ?? null)));
    const [before, after] = texts;
    if (typeof before !== "string") return { ok: false, missing: from };
    if (typeof after !== "string") return { ok: false, missing: to };
    return { ok: true, diff: JSON.stringify(diffJson(JSON.parse(before), JSON.parse(after), bounds.changesListedMax)) };
  }

  /** Takes an isolate's word that it cannot compile a revision. */
  reject({ revision, worker, detail }: RejectRequest): void {
    this.#history.reject(revision, { worker, timeMs: Date.now(), detail });
  }

  /** Appends to the audit log. */
  audit(entry: AuditEntry): void {
    this.#audit.append([entry]);
  }

  /** Entries of the audit log after the id `since` (0 = from the oldest), at most `limit` and `eventsPerCallMax`. */
  audited({ since, limit }: { readonly since: number; readonly limit: number }): LogPage<AuditEntry> {
    return this.#audit.after(since, limit);
  }

  /** The manifest, or null when its version is `ifVersion`. */
  manifest(ifVersion: number): Manifest | null {
    const { version } = this.#sql.exec<{ version: number }>("SELECT version FROM meta").one();
    if (version === ifVersion) return null;
    const rows = this.#sql.exec<{ name: string; hash: string }>("SELECT name, hash FROM section").toArray();
    const canary = this.#canary();
    return {
      version,
      revision: this.#head()?.number ?? 0,
      ...(canary && { canary: { revision: canary.revision, percent: canary.percent } }),
      sections: Object.fromEntries(rows.map(({ name, hash }) => [name, hash])),
    };
  }

  /** Texts of sections by hash, at most `sectionsPerCallMax`; one that has been replaced meanwhile is left out. */
  sections(hashes: readonly string[]): Record<string, string> {
    const found: Record<string, string> = {};
    for (const hash of hashes.slice(0, bounds.sectionsPerCallMax)) {
      const text = this.#blobs.read(hash);
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
      this.#blobs.write(hash, body);
      this.#setSection(section, hash, revision);
      const fresh = events.filter((event) => event.revision > (known?.source_revision ?? 0));
      this.#events.append(fresh.map(({ event }) => event));
    });
    return { accepted: true };
  }

  /** Events after the id `since` (0 = from the oldest), at most `limit` and at most `eventsPerCallMax`. */
  events({ since, limit }: { readonly since: number; readonly limit: number }): EventsPage {
    const { entries, ...rest } = this.#events.after(since, limit);
    return { events: entries, ...rest };
  }

  /** The revision in force. It need not be the newest: that may be a canary, or have been one. */
  #head(): Stored | undefined {
    return this.#revisionOf("config");
  }

  #revisionOf(section: "config" | "canary"): Stored | undefined {
    return this.#sql
      .exec<Stored>(
        `SELECT number, revision.hash, time_ms FROM revision JOIN section ON number = source_revision WHERE name = ?`,
        section,
      )
      .toArray()[0];
  }

  #rejectersOf(revision: number): string[] {
    return this.#history.revision(revision)?.rejectedBy.map(({ worker }) => worker) ?? [];
  }

  #canary(): (Omit<Canary, "rejectedBy"> & { readonly hash: string }) | null {
    const revision = this.#revisionOf("canary");
    const [row] = this.#sql.exec<{ percent: number }>("SELECT percent FROM canary").toArray();
    if (!revision || !row) return null;
    return { revision: revision.number, hash: revision.hash, percent: row.percent, timeMs: revision.time_ms };
  }

  #endCanary(): void {
    const canary = this.#canary();
    this.#sql.exec("DELETE FROM canary");
    this.#sql.exec("DELETE FROM section WHERE name = 'canary'");
    if (!canary) return;
    this.#raiseVersion("canary", "");
    this.#blobs.deleteUnused(canary.hash);
  }

  #setSection(name: string, hash: string, sourceRevision: number): void {
    const [old] = this.#sql.exec<{ hash: string }>("SELECT hash FROM section WHERE name = ?", name).toArray();
    this.#sql.exec("INSERT OR REPLACE INTO section VALUES (?, ?, ?)", name, hash, sourceRevision);
    this.#raiseVersion(name, hash);
    if (old) this.#blobs.deleteUnused(old.hash);
  }

  #raiseVersion(section: string, hash: string): void {
    this.#sql.exec("UPDATE meta SET version = version + 1");
    this.#changes.append({ version: this.#changes.head(), revision: this.#head()?.number ?? 0, section, hash });
    // After the transaction: what it does not store is not told.
    queueMicrotask(() => this.#watchers.notify());
  }

  #deleteOldRevisions(newest: number): void {
    const old = this.#sql
      .exec<{ hash: string }>(
        `DELETE FROM revision WHERE number <= ? AND number NOT IN (SELECT source_revision FROM section
         WHERE name IN ('config', 'canary')) RETURNING hash`,
        newest - bounds.revisionsKeptMax,
      )
      .toArray();
    for (const { hash } of old) this.#blobs.deleteUnused(hash);
  }
}

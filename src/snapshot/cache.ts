/**
 * The isolate's snapshot: the one piece of state that every request reads.
 *
 * An isolate cannot be told of a change, so it asks, at most once per `snapshotFreshMs` and never for one request's sake
 * alone: a request uses what is there while a refresh runs in `waitUntil`, unless the snapshot is so old that an origin
 * in it may have lost its lease.
 */
import { bounds } from "../bounds.ts";
import { type Manifest, readManifest, readSections } from "../clients/control-plane.ts";
import type { PublishedHealth } from "../core/breaking/types.ts";
import { sha256Hex } from "../digest.ts";
import { within } from "../within.ts";
import { compileDocument } from "./compile.ts";
import type { Variables } from "./placeholders.ts";
import type { CompiledConfig, Snapshot, SnapshotStatus } from "./types.ts";
import { buildSnapshot, type PublishedOrigins } from "./view.ts";

/** A published section as the isolate keeps it, so that only what changed is read again, and keeps its identity if not. */
interface Kept {
  readonly hash: string;
  readonly value: unknown;
}

interface State {
  snapshot: Snapshot | null;
  /** When the control plane last confirmed or replaced the snapshot. */
  checkedAtMs: number;
  /** When a refresh last failed or kept a request waiting too long; null when one has gone well since. */
  failedAtMs: number | null;
  /**
   * The newest document that was compiled, whether or not it could be. Objects go by the newest revision that anybody has
   * told them, so the same document is compiled anew when a rollback has given it another revision.
   */
  compiled: { readonly hash: string; readonly revision: number } | null;
  /** Revision of that document if it did not compile, so that an older one is in use; else null. */
  rejectedRevision: number | null;
  /** The newest document that did compile. */
  config: { readonly revision: number; readonly value: CompiledConfig } | null;
  /** By the section's name. */
  published: ReadonlyMap<string, Kept>;
  flight: { readonly startedAtMs: number; readonly done: Promise<void> } | null;
}

const state: State = {
  snapshot: null,
  checkedAtMs: 0,
  failedAtMs: null,
  compiled: null,
  rejectedRevision: null,
  config: null,
  published: new Map(),
  flight: null,
};

/** The snapshot that a request should use; null before the first configuration. `waiting` is told before it waits. */
export async function currentSnapshot(
  env: Env,
  ctx: ExecutionContext,
  waiting: () => void = () => {},
): Promise<Snapshot | null> {
  const nowMs = Date.now();
  const ageMs = nowMs - state.checkedAtMs;
  if (ageMs <= bounds.snapshotFreshMs) return state.snapshot;
  const sinceFailureMs = nowMs - (state.failedAtMs ?? Number.NEGATIVE_INFINITY);
  // A control plane that fails is asked no more often than one that answers.
  if (sinceFailureMs <= bounds.snapshotFreshMs) return state.snapshot;
  const flight = refreshOnce(env, ctx, nowMs);
  // While it is away nothing is gained by waiting for it: the last good snapshot serves (C7).
  if (!state.snapshot || (ageMs > bounds.snapshotStaleMaxMs && sinceFailureMs > bounds.snapshotOutageMsMax)) {
    waiting();
    const { snapshotWaitMsMax: ms } = bounds;
    // Every waiter has a timer of its own, since the request that runs the flight may end before it.
    await within(flight, ms, () => failed(`no answer within ${ms} ms`));
  }
  return state.snapshot;
}

/** Refreshes now, whatever the age, and waits: for the isolate that has just made a change. Throws when it cannot. */
export async function refreshSnapshot(env: Env): Promise<void> {
  await refresh(env);
}

/** What the isolate knows; asks nobody. */
export function snapshotStatus(): SnapshotStatus {
  const ageMs = state.snapshot ? Date.now() - state.checkedAtMs : 0;
  const problems: string[] = [];
  if (state.failedAtMs !== null) problems.push("the control plane could not be read");
  if (state.rejectedRevision !== null) problems.push(`revision ${state.rejectedRevision} does not compile here`);
  return { snapshot: state.snapshot, ageMs, problems };
}

/** Starts a refresh unless one is under way. It belongs to no request: a promise that does dies with its request. */
function refreshOnce(env: Env, ctx: ExecutionContext, nowMs: number): Promise<void> {
  if (state.flight && nowMs - state.flight.startedAtMs < bounds.snapshotFlightMsMax) return state.flight.done;
  const done = refresh(env)
    .catch((error: unknown) => failed(String(error)))
    .finally(() => {
      if (state.flight?.done === done) state.flight = null;
    });
  state.flight = { startedAtMs: nowMs, done };
  ctx.waitUntil(done);
  return done;
}

/** Notes a failure, and logs the first of an outage. */
function failed(reason: string): void {
  if (state.failedAtMs === null) console.error(`the control plane could not be read: ${reason}`);
  state.failedAtMs = Date.now();
}

async function refresh(env: Env): Promise<void> {
  for (let tries = 0; tries < bounds.snapshotRefreshTriesMax; tries++) {
    const askedAtMs = Date.now();
    const manifest = await readManifest(env, state.snapshot?.version ?? -1);
    if (manifest === null || (await adopt(env, manifest, await readSections(env, missingOf(manifest))))) {
      state.checkedAtMs = Math.max(state.checkedAtMs, askedAtMs);
      state.failedAtMs = null;
      return;
    }
  }
  throw new Error("sections were replaced faster than they could be read");
}

function missingOf(manifest: Manifest): string[] {
  return Object.entries(manifest.sections)
    .filter(([name, hash]) =>
      name === "config" ? !isCompiled(manifest, hash) : state.published.get(name)?.hash !== hash,
    )
    .map(([, hash]) => hash);
}

function isCompiled({ revision }: Manifest, hash: string): boolean {
  return state.compiled?.hash === hash && state.compiled.revision === revision;
}

/** Swaps to what the manifest describes. False when a section is missing: it was replaced, so the manifest is old. */
async function adopt(env: Env, manifest: Manifest, texts: ReadonlyMap<string, string>): Promise<boolean> {
  for (const [hash, text] of texts) {
    if ((await sha256Hex(text)) !== hash) throw new Error(`the section ${hash} does not have that hash`);
  }
  // From here on nothing awaits: another refresh cannot come between, and an older manifest never wins over a newer (C1).
  if (state.snapshot && manifest.version <= state.snapshot.version) return true;
  const hashOfConfig = manifest.sections.config;
  const published = new Map<string, Kept>();
  for (const [section, hash] of Object.entries(manifest.sections)) {
    if (section === "config") continue;
    const kept = state.published.get(section);
    const current = kept?.hash === hash ? kept : read(texts, hash);
    if (!current) return false;
    published.set(section, current);
  }
  if (hashOfConfig !== undefined && !isCompiled(manifest, hashOfConfig)) {
    const text = texts.get(hashOfConfig);
    if (text === undefined) return false;
    compileInto(env, hashOfConfig, text, manifest.revision);
  }
  state.published = published;
  if (state.config) {
    const { revision, value } = state.config;
    const origins = valuesOf<PublishedOrigins>(published, "origins/");
    const health = valuesOf<PublishedHealth>(published, "health/");
    state.snapshot = buildSnapshot(manifest.version, revision, value, origins, health);
  }
  return true;
}

function read(texts: ReadonlyMap<string, string>, hash: string): Kept | undefined {
  const text = texts.get(hash);
  return text === undefined ? undefined : { hash, value: JSON.parse(text) };
}

/** Compiles before anything is swapped (C3); a document that does not compile here leaves the last good one in use. */
function compileInto(env: Env, hash: string, text: string, revision: number): void {
  const compiled = compileDocument(text, env as unknown as Variables, revision);
  state.compiled = { hash, revision };
  if (compiled.ok) {
    state.config = { revision, value: compiled.config };
    state.rejectedRevision = null;
  } else {
    state.rejectedRevision = revision;
    console.error(JSON.stringify({ message: "a revision does not compile here", revision, issues: compiled.issues }));
  }
}

/** Values of the sections `<prefix><service>`, by service. Its publisher vouches for a section's shape. */
function valuesOf<T>(published: ReadonlyMap<string, Kept>, prefix: string): Map<string, T> {
  const some = [...published].filter(([section]) => section.startsWith(prefix));
  return new Map(some.map(([section, { value }]) => [section.slice(prefix.length), value as T]));
}

/**
 * The isolate's snapshot: the one piece of state that every request reads.
 *
 * An isolate cannot be told of a change, so it asks, at most once per `snapshotFreshMs` and never for one request's sake
 * alone: a request uses what is there while a refresh runs in `waitUntil`, unless the snapshot is so old that an origin
 * in it may have lost its lease.
 */
import { bounds } from "../bounds.ts";
import { type Manifest, rejectRevision } from "../clients/control-plane.ts";
import { readManifestNear, readSectionsNear } from "../clients/location-cache.ts";
import type { PublishedHealth } from "../core/breaking/types.ts";
import type { Issue } from "../errors.ts";
import { within } from "../within.ts";
import { canaryDocument } from "./canary.ts";
import { compileDocument } from "./compile.ts";
import type { Variables } from "./placeholders.ts";
import type { CompiledConfig, Snapshot, SnapshotStatus } from "./types.ts";
import { buildSnapshot, type PublishedOrigins, withCanary } from "./view.ts";

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
  compiled: { readonly hash: string; readonly revision: number; readonly text: string } | null;
  /** The newest canary that was compiled, with the document in force that it was compiled with; `value` null: it does not. */
  canary: { readonly of: string; readonly value: CompiledConfig | null } | null;
  /** That document if it did not compile, so that an older one is in use; else null. */
  rejected: { readonly revision: number; readonly detail: string; isTold: boolean } | null;
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
  canary: null,
  rejected: null,
  config: null,
  published: new Map(),
  flight: null,
};

/**
 * The snapshot that a request should use; null before the first configuration. `waiting` is told before it waits. It is a
 * promise only then: a request that needs not wait does not.
 */
export function currentSnapshot(
  env: Env,
  ctx: ExecutionContext,
  waiting: () => void = () => {},
): Snapshot | null | Promise<Snapshot | null> {
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
    return within(flight, ms, () => failed(`no answer within ${ms} ms`)).then(() => state.snapshot);
  }
  return state.snapshot;
}

/** Refreshes now, whatever the age, and waits: for the isolate that has just made a change. Throws when it cannot. */
export async function refreshSnapshot(env: Env): Promise<void> {
  await refresh(env, Number.POSITIVE_INFINITY);
}

/** Time since the control plane last confirmed the snapshot; 0 without one. */
export function snapshotAgeMs(): number {
  return state.snapshot ? Date.now() - state.checkedAtMs : 0;
}

/** What the isolate knows; asks nobody. */
export function snapshotStatus(): SnapshotStatus {
  const problems: string[] = [];
  if (state.failedAtMs !== null) problems.push("the control plane could not be read");
  if (state.rejected !== null) problems.push(`revision ${state.rejected.revision} does not compile here`);
  return { snapshot: state.snapshot, ageMs: snapshotAgeMs(), problems };
}

/** Starts a refresh unless one is under way. It belongs to no request: a promise that does dies with its request. */
function refreshOnce(env: Env, ctx: ExecutionContext, nowMs: number): Promise<void> {
  if (state.flight && nowMs - state.flight.startedAtMs < bounds.snapshotFlightMsMax) return state.flight.done;
  const done = refresh(env, state.checkedAtMs)
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

/** Follows what was published; what other isolates have learned later than `sinceMs` is good enough. */
async function refresh(env: Env, sinceMs: number): Promise<void> {
  for (let tries = 0; tries < bounds.snapshotRefreshTriesMax; tries++) {
    // A manifest that was shared may name sections that are gone.
    const { manifest, askedAtMs } = await readManifestNear(env, tries === 0 ? sinceMs : Date.now(), Math.random);
    if (adopt(env, manifest, await readSectionsNear(env, missingOf(manifest)))) {
      state.checkedAtMs = Math.max(state.checkedAtMs, askedAtMs);
      state.failedAtMs = null;
      await tellRejected(env);
      return;
    }
  }
  throw new Error("sections were replaced faster than they could be read");
}

/** Tells the control plane of a document that does not compile here, once; when that fails, with the next refresh. */
async function tellRejected(env: Env): Promise<void> {
  const { rejected } = state;
  if (rejected === null || rejected.isTold) return;
  rejected.isTold = true;
  await rejectRevision(env, rejected.revision, rejected.detail).catch(() => {
    rejected.isTold = false;
  });
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
function adopt(env: Env, manifest: Manifest, texts: ReadonlyMap<string, string>): boolean {
  // Nothing awaits: another refresh cannot come between, and an older manifest never wins over a newer (C1).
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
    const build = (of: number, config: CompiledConfig) => buildSnapshot(manifest.version, of, config, origins, health);
    const tried = compiledCanary(env, manifest);
    const inForce = build(revision, value);
    state.snapshot = tried ? withCanary(inForce, tried.percent, build(tried.revision, tried.value)) : inForce;
  }
  return true;
}

/** The canary, compiled for what is in force; null when none runs, or it does not compile here. */
function compiledCanary(env: Env, { revision: inForce, canary }: Manifest) {
  // What was said of a canary that is over is over too.
  if (![inForce, canary?.revision].includes(state.rejected?.revision)) state.rejected = null;
  const kept = state.published.get("canary");
  if (!canary || !kept || !state.compiled) return null;
  const { hash, revision, text } = state.compiled;
  const of = [hash, revision, kept.hash, canary.revision].join(" ");
  if (state.canary?.of !== of) {
    const document = canaryDocument(JSON.parse(text), kept.value as Record<string, unknown>);
    // By the revision in force, so that objects go on by its settings.
    const compiled = compileDocument(JSON.stringify(document), env as unknown as Variables, revision);
    if (!compiled.ok) rejected(canary.revision, compiled.issues);
    state.canary = { of, value: compiled.ok ? compiled.config : null };
  }
  const { value } = state.canary;
  return value && { ...canary, value };
}

function read(texts: ReadonlyMap<string, string>, hash: string): Kept | undefined {
  const text = texts.get(hash);
  return text === undefined ? undefined : { hash, value: JSON.parse(text) };
}

/** Compiles before anything is swapped (C3); a document that does not compile here leaves the last good one in use. */
function compileInto(env: Env, hash: string, text: string, revision: number): void {
  const compiled = compileDocument(text, env as unknown as Variables, revision);
  state.compiled = { hash, revision, text };
  if (compiled.ok) {
    state.config = { revision, value: compiled.config };
    state.rejected = null;
  } else {
    rejected(revision, compiled.issues);
  }
}

function rejected(revision: number, issues: readonly Issue[]): void {
  const [first] = issues;
  state.rejected = { revision, detail: first ? `${first.pointer}: ${first.detail}` : "no detail", isTold: false };
  console.error(JSON.stringify({ message: "a revision does not compile here", revision, issues }));
}

/** Values of the sections `<prefix><service>`, by service. Its publisher vouches for a section's shape. */
function valuesOf<T>(published: ReadonlyMap<string, Kept>, prefix: string): Map<string, T> {
  const some = [...published].filter(([section]) => section.startsWith(prefix));
  return new Map(some.map(([section, { value }]) => [section.slice(prefix.length), value as T]));
}

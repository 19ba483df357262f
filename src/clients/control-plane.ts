/** The control plane as isolates and the admin API see it. */
import { bounds } from "../bounds.ts";
import type { JsonDiff } from "../core/json/diff.ts";
import { callObject } from "./call.ts";

type ControlPlaneStub = ReturnType<Env["CONTROL_PLANE"]["getByName"]>;
export type ApplyRequest = Parameters<ControlPlaneStub["apply"]>[0];
export type AuditEntry = Parameters<ControlPlaneStub["audit"]>[0];
export type Manifest = NonNullable<Awaited<ReturnType<ControlPlaneStub["manifest"]>>>;

/** A stub fails when it outlives its request, so each call makes its own. */
const stubOf = (env: Env): ControlPlaneStub => env.CONTROL_PLANE.getByName("control-plane");

/** A new revision, or why not. Not made again after an error, since the first call may have been carried out. */
export async function applyConfig(env: Env, request: ApplyRequest, canary: number | null = null) {
  const result = await callObject(false, async () => {
    const stub = stubOf(env);
    // A method of its own: an object of the version before knows none, and must not serve it to all.
    return canary === null ? await stub.apply(request) : await stub.applyCanary({ ...request, percent: canary });
  });
  return result.ok ? { ...result, diff: JSON.parse(result.diff) as JsonDiff } : result;
}

/** The configuration in force; null before the first. */
export function currentConfig(env: Env) {
  return callObject(true, async () => await stubOf(env).current());
}

/** The canary that runs; null: none. */
export function readCanary(env: Env) {
  return callObject(true, async () => await stubOf(env).canary());
}

/** Ends the canary: `promote` puts it in force. Null when none runs. Not made again after an error. */
export async function endCanary(env: Env, request: Parameters<ControlPlaneStub["endCanary"]>[0]) {
  const result = await callObject(false, async () => await stubOf(env).endCanary(request));
  return result?.ok ? { ...result, diff: JSON.parse(result.diff) as JsonDiff } : result;
}

/** Revisions before a number (null = from the newest), newest first. */
export function readRevisions(env: Env, before: number | null, limit: number) {
  return callObject(true, async () => await stubOf(env).revisions({ before, limit }));
}

/** One revision with its document; null when it is not kept. */
export function readRevision(env: Env, number: number) {
  return callObject(true, async () => await stubOf(env).revision(number));
}

/** What changed between two revisions, or which of them is not kept. */
export async function diffRevisions(env: Env, from: number, to: number) {
  const result = await callObject(true, async () => await stubOf(env).diff({ from, to }));
  return result.ok ? { ...result, diff: JSON.parse(result.diff) as JsonDiff } : result;
}

/** Tells that this isolate cannot compile a revision. */
export async function rejectRevision(env: Env, revision: number, detail: string): Promise<void> {
  const worker = env.VERSION_METADATA.id;
  await callObject(true, async () => await stubOf(env).reject({ revision, worker, detail }));
}

/** Appends to the audit log. Not made again after an error, since the first call may have been carried out. */
export async function writeAudit(env: Env, entry: AuditEntry): Promise<void> {
  await callObject(false, async () => await stubOf(env).audit(entry));
}

/** Entries of the audit log after an id, oldest first. */
export function readAudit(env: Env, since: number, limit: number) {
  return callObject(true, async () => await stubOf(env).audited({ since, limit }));
}

/** The manifest; null when its version is still `ifVersion`. */
export function readManifest(env: Env, ifVersion: number): Promise<Manifest | null> {
  return callObject(true, async () => await stubOf(env).manifest(ifVersion));
}

/** Texts of sections by hash; those that have been replaced meanwhile are missing. */
export async function readSections(env: Env, hashes: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (let at = 0; at < hashes.length; at += bounds.sectionsPerCallMax) {
    const some = hashes.slice(at, at + bounds.sectionsPerCallMax);
    const texts = await callObject(true, async () => await stubOf(env).sections(some));
    for (const [hash, text] of Object.entries(texts)) found.set(hash, text);
  }
  return found;
}

/** Events after an id, oldest first. */
export function readEvents(env: Env, since: number, limit: number) {
  return callObject(true, async () => await stubOf(env).events({ since, limit }));
}

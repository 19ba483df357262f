/** The control plane as isolates and the admin API see it. */
import { bounds } from "../bounds.ts";
import type { JsonDiff } from "../core/json/diff.ts";
import { callObject } from "./call.ts";

type ControlPlaneStub = ReturnType<Env["CONTROL_PLANE"]["getByName"]>;
export type ApplyRequest = Parameters<ControlPlaneStub["apply"]>[0];
export type Manifest = NonNullable<Awaited<ReturnType<ControlPlaneStub["manifest"]>>>;

/** A stub fails when it outlives its request, so each call makes its own. */
const stubOf = (env: Env): ControlPlaneStub => env.CONTROL_PLANE.getByName("control-plane");

/** A new revision, or why not. Not made again after an error, since the first call may have been carried out. */
export async function applyConfig(env: Env, request: ApplyRequest) {
  const result = await callObject(false, async () => await stubOf(env).apply(request));
  return result.ok ? { ...result, diff: JSON.parse(result.diff) as JsonDiff } : result;
}

/** The configuration in force; null before the first. */
export function currentConfig(env: Env) {
  return callObject(true, async () => await stubOf(env).current());
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

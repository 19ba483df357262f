/**
 * What the isolates of one location share of the control plane, in the location's cache, so that it sees locations and not
 * isolates. Nothing here may make a refresh fail: a cache that does not answer is an empty one.
 */
import { bounds } from "../bounds.ts";
import { sha256Hex } from "../digest.ts";
import { type Manifest, readManifest, readSections } from "./control-plane.ts";

/** A manifest, and when the control plane was asked for it: at that time nothing newer was there. */
export interface DatedManifest {
  readonly manifest: Manifest;
  readonly askedAtMs: number;
}

/**
 * The manifest: from the cache when another isolate has asked for it later than `sinceMs` and not longer ago than a part of
 * `manifestSharedMsMax`, drawn anew each time so that isolates do not ask all at once; else from the control plane.
 * `sinceMs` infinite = from the control plane in any case. Throws as `readManifest` does.
 */
export async function readManifestNear(env: Env, sinceMs: number, random: () => number): Promise<DatedManifest> {
  const key = keyOf(env, "manifest");
  const shared = await cachedManifest(key);
  const askedAtMs = Date.now();
  const sharedMs = bounds.manifestSharedMsMax * (0.5 + 0.5 * random());
  // A clock that is ahead of this one makes nothing young.
  const ageMs = Math.abs(askedAtMs - (shared?.askedAtMs ?? 0));
  if (shared && shared.askedAtMs > sinceMs && ageMs <= sharedMs) return shared;
  const newer = await readManifest(env, shared?.manifest.version ?? -1);
  // Unchanged is an answer only where there was a manifest.
  const dated = { manifest: newer ?? shared!.manifest, askedAtMs };
  await store(key, JSON.stringify(dated), bounds.manifestCachedSeconds);
  return dated;
}

/**
 * Texts of sections by hash, as `readSections` gives them, each with that hash (C4). When there are few they may come from
 * the cache. Throws when the control plane gives a text that has another hash.
 */
export async function readSectionsNear(env: Env, hashes: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const isNear = hashes.length <= bounds.sectionsNearMax;
  const found = new Map<string, string>();
  for (const hash of isNear ? hashes : []) {
    const text = await cachedText(keyOf(env, `section/${hash}`));
    if (text !== null && (await sha256Hex(text)) === hash) found.set(hash, text);
  }
  const missing = hashes.filter((hash) => !found.has(hash));
  if (missing.length === 0) return found;
  for (const [hash, text] of await readSections(env, missing)) {
    if ((await sha256Hex(text)) !== hash) throw new Error(`the section ${hash} does not have that hash`);
    found.set(hash, text);
    if (isNear) await store(keyOf(env, `section/${hash}`), text, bounds.sectionCachedSeconds);
  }
  return found;
}

/** The cache is that of the whole account's zone: each gateway has keys of its own. */
function keyOf(env: Env, path: string): string {
  return `https://sluice.internal/${env.CONTROL_PLANE.idFromName("control-plane")}/${path}`;
}

async function cachedManifest(key: string): Promise<DatedManifest | null> {
  try {
    return JSON.parse((await cachedText(key)) ?? "null") as DatedManifest | null;
  } catch {
    return null;
  }
}

async function cachedText(key: string): Promise<string | null> {
  try {
    const response = await (await caches.open("sluice")).match(key);
    return response ? await response.text() : null;
  } catch {
    return null;
  }
}

async function store(key: string, text: string, seconds: number): Promise<void> {
  const response = new Response(text, { headers: { "cache-control": `max-age=${seconds}` } });
  try {
    await (await caches.open("sluice")).put(key, response);
  } catch {
    // The next isolate asks for itself.
  }
}

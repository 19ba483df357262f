/** JSON Merge Patch (RFC 7396). */
import { isArray, type JsonValue } from "./types.ts";

type Members = { readonly [name: string]: JsonValue };

/**
 * `target` as `patch` changes it: members of objects one by one, `null` removes one, everything else (arrays too) is replaced
 * whole. Neither is modified. Both must have passed `scanJson`, which bounds their depth and refuses `__proto__`.
 */
export function mergePatch(target: JsonValue, patch: JsonValue): JsonValue {
  if (!isMembers(patch)) return patch;
  const merged = new Map(isMembers(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name) ?? null, value));
  }
  return Object.fromEntries(merged);
}

function isMembers(value: JsonValue): value is Members {
  return typeof value === "object" && value !== null && !isArray(value);
}

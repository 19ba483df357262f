import type { JsonValue } from "../../../../src/core/json/types.ts";

/** One text for one JSON value, whatever the order of its members (RFC 8785): the oracle for equality. */
export function canonicalJson(value: JsonValue): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = value as { readonly [name: string]: JsonValue };
  const texts = Object.keys(members)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(members[name]!)}`);
  return `{${texts.join(",")}}`;
}

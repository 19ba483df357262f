/** A JSON value each part of which knows where it stands. What is joined or changed keeps the places of its parts. */
import type { JsonValue } from "../../src/core/json/types.ts";
import type { Place } from "./place.ts";

/** A value with its place. No part is nested deeper than `bounds.jsonDepthMax`, so recursion is safe. */
export type Part = ScalarPart | ListPart | ObjectPart;

export interface ScalarPart {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  readonly at: Place;
}

export interface ListPart {
  readonly kind: "list";
  readonly items: readonly Part[];
  readonly at: Place;
}

/** `members` never has the name `__proto__`. */
export interface ObjectPart {
  readonly kind: "object";
  readonly members: ReadonlyMap<string, Member>;
  readonly at: Place;
}

/** The value of a member, and where its name stands. */
export interface Member {
  readonly key: Place;
  readonly value: Part;
}

/** The plain value of a part. */
export function jsonOf(part: Part): JsonValue {
  if (part.kind === "scalar") return part.value;
  if (part.kind === "list") return part.items.map(jsonOf);
  return Object.fromEntries([...part.members].map(([name, { value }]) => [name, jsonOf(value)]));
}

/** The parts directly in a part. */
export function childrenOf(part: Part): readonly Part[] {
  if (part.kind === "scalar") return [];
  return part.kind === "list" ? part.items : [...part.members.values()].map(({ value }) => value);
}

/** Members by which the items of a list are told apart, as in the diff of two documents: routes have the first, origins the second. */
export const identityKeys = ["name", "id"] as const;
export type IdentityKey = (typeof identityKeys)[number];

/** What the item is called under `key`; undefined unless it is an object with a string there. */
export function identityOf(item: Part, key: IdentityKey): string | undefined {
  const value = item.kind === "object" ? item.members.get(key)?.value : undefined;
  return value?.kind === "scalar" && typeof value.value === "string" ? value.value : undefined;
}

/** One text for one value (RFC 8785): no white space, members in the order of their names' UTF-16 units. */
export function canonicalText(part: Part): string {
  if (part.kind === "scalar") return JSON.stringify(part.value);
  if (part.kind === "list") return `[${part.items.map(canonicalText).join(",")}]`;
  const members = [...part.members].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, { value }]) => `${JSON.stringify(name)}:${canonicalText(value)}`).join(",")}}`;
}

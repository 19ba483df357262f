/** YAML aliases: copies of what was written before, standing where the alias stands. */
import { bounds } from "../../src/bounds.ts";
import { limits } from "./limits.ts";
import { childrenOf, type Member, type Part } from "./part.ts";
import type { Place } from "./place.ts";

/** What the aliases of a document may refer to. */
export interface Anchors {
  /** What each name stands for so far; null while that is being read. */
  readonly anchors: Map<string, Part | null>;
  /** Parts copied so far, in all documents of the file. */
  readonly copies: { parts: number };
}

/**
 * A copy of what `name` stands for, each part of it at the alias, with the place where it is written; or why there is
 * none. Parts are counted before they are copied, so aliases of aliases (a "billion laughs") end at `limits.aliasPartsMax`.
 */
export function resolveAlias(name: string, at: Place, depth: number, { anchors, copies }: Anchors): Part | string {
  const target = anchors.get(name);
  if (target === undefined) return `there is no anchor &${name} before this alias`;
  if (target === null) return `this alias is part of what it stands for, &${name}`;
  // That it is too much was said at the first alias that was.
  if (copies.parts > limits.aliasPartsMax) return { kind: "object", members: new Map(), at };
  copies.parts += sizeOf(target);
  if (copies.parts > limits.aliasPartsMax) {
    return `the aliases of this file stand for more than ${limits.aliasPartsMax} values`;
  }
  if (depth + heightOf(target) - 1 > bounds.jsonDepthMax) return `nested more than ${bounds.jsonDepthMax} deep`;
  return copyAt(target, at);
}

/** How many parts there are in a part, itself included. */
function sizeOf(part: Part): number {
  return childrenOf(part).reduce((sum, child) => sum + sizeOf(child), 1);
}

/** How many containers are nested in a part, itself included; 0 for a scalar. */
function heightOf(part: Part): number {
  return part.kind === "scalar" ? 0 : 1 + childrenOf(part).reduce((max, child) => Math.max(max, heightOf(child)), 0);
}

function copyAt(part: Part, alias: Place): Part {
  const at = placeAt(part.at, alias);
  if (part.kind === "scalar") return { ...part, at };
  if (part.kind === "list") return { ...part, at, items: part.items.map((item) => copyAt(item, alias)) };
  const members = [...part.members].map(([name, { key, value }]): [string, Member] => [
    name,
    { key: placeAt(key, alias), value: copyAt(value, alias) },
  ]);
  return { ...part, at, members: new Map(members) };
}

/** The place of the alias, with where its target is really written if that came by alias too. */
function placeAt(target: Place, alias: Place): Place {
  return { ...alias, written: target.written ?? target };
}

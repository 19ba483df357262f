/**
 * An overlay: what a document says otherwise in one environment.
 *
 * - Objects merge, and null takes a member away, whether or not it is there (as in RFC 7396).
 * - A list whose items all have a `name`, or all an `id`, each another, merges with such a list, or where there is none: an
 *   item merges with the one called the same; new ones are appended in their order; one with `"$remove": true` is taken away.
 * - All else, an empty list too, replaces what was there.
 */
import type { Changed } from "./join.ts";
import type { ListPart, Member, ObjectPart, Part } from "./part.ts";
import { childrenOf, type IdentityKey, identityKeys, identityOf } from "./part.ts";
import { locationText, type Place } from "./place.ts";
import { stepText } from "./pointer.ts";
import type { Problem } from "./problems.ts";

const removal = "$remove";
const removalMisplaced = `${removal} is for an item of a list that merges by name or id`;

/** Where the overlay is being applied. */
interface Context {
  readonly path: string;
  readonly problems: Problem[];
}

/** The document as the overlay wants it. What the overlay says stands where it does there, all else where it stood. */
export function applyOverlay(document: Part, overlay: Part): Changed {
  const problems: Problem[] = [];
  const context: Context = { path: "", problems };
  if (overlay.kind !== "object") refuse(context, "an overlay is an object; {} changes nothing", overlay.at);
  return { document: merge(document, overlay, context), problems };
}

function refuse({ path, problems }: Context, detail: string, at: Place): void {
  problems.push({ detail, at, path });
}

function within({ path, problems }: Context, step: string): Context {
  return { path: path + stepText(step), problems };
}

/** `base` is undefined where there is nothing yet. */
function merge(base: Part | undefined, overlay: Part, context: Context): Part {
  if (overlay.kind === "object") return mergeObjects(base?.kind === "object" ? base : undefined, overlay, context);
  if (overlay.kind === "list") return mergeLists(base?.kind === "list" ? base : undefined, overlay, context);
  return overlay;
}

function mergeObjects(base: ObjectPart | undefined, overlay: ObjectPart, context: Context): ObjectPart {
  const members = new Map<string, Member>(base?.members);
  for (const [name, { key, value }] of overlay.members) {
    const there = members.get(name);
    if (name === removal) refuse(context, removalMisplaced, key);
    else if (value.kind === "scalar" && value.value === null) members.delete(name);
    else {
      const merged = merge(there?.value, value, within(context, name));
      members.set(name, { key: there?.value.at === merged.at ? there.key : key, value: merged });
    }
  }
  return { kind: "object", members, at: (base ?? overlay).at };
}

function mergeLists(base: ListPart | undefined, overlay: ListPart, context: Context): ListPart {
  const baseKey = base && keyOf(base);
  const key = baseKey ?? keyOf(overlay);
  if (overlay.items.length === 0 || key === undefined) {
    refuseNonsense(overlay, context);
    return overlay;
  }
  const merging = base && baseKey ? base : { ...overlay, items: [] };
  const items = new Map(merging.items.map((item) => [identityOf(item, key), item]));
  const seen = new Map<string, Place>();
  for (const item of overlay.items) {
    const name = identityOf(item, key);
    if (name === undefined) {
      refuse(context, `an item without the ${key} by which this list merges`, item.at);
      continue;
    }
    const inside = within(context, name);
    const first = seen.get(name);
    if (first) refuse(inside, `this is in ${locationText(first)} already`, item.at);
    else if (isRemoval(item, key, inside)) {
      if (!items.delete(name)) refuse(inside, "there is no such item to take away", item.at);
    } else items.set(name, merge(items.get(name), item, inside));
    seen.set(name, first ?? item.at);
  }
  return { ...merging, items: [...items.values()] };
}

/** The member by which the items of a list are told apart; undefined if there is none, or no item. */
function keyOf({ items }: ListPart): IdentityKey | undefined {
  return identityKeys.find((key) => {
    const names = new Set(items.map((item) => identityOf(item, key)));
    return items.length > 0 && names.size === items.length && !names.has(undefined);
  });
}

/** Whether the item is to be taken away. */
function isRemoval(item: Part, key: IdentityKey, context: Context): boolean {
  if (item.kind !== "object") return false;
  const marker = item.members.get(removal)?.value;
  if (marker === undefined) return false;
  if (marker.kind !== "scalar" || marker.value !== true) refuse(context, `${removal} must be true`, marker.at);
  for (const [name, member] of item.members) {
    if (name !== removal && name !== key) refuse(context, `beside ${removal} there is only the ${key}`, member.key);
  }
  return true;
}

/** What makes no sense in a list that does not merge: some items that are told apart and some not, and removals. */
function refuseNonsense(list: ListPart, context: Context): void {
  for (const key of identityKeys) {
    const nameless = list.items.filter((item) => identityOf(item, key) === undefined);
    if (nameless.length === 0 || nameless.length === list.items.length) continue;
    for (const { at } of nameless) refuse(context, `an item without ${key}, which others have`, at);
  }
  refuseRemovals(list, context);
}

function refuseRemovals(part: Part, context: Context): void {
  const marker = part.kind === "object" ? part.members.get(removal) : undefined;
  if (marker) refuse(context, removalMisplaced, marker.key);
  for (const child of childrenOf(part)) refuseRemovals(child, context);
}

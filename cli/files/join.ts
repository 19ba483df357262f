/** Several documents -> one. What stands in two of them is a problem that names both places. */
import { identityOf, type ListPart, type Member, type ObjectPart, type Part } from "./part.ts";
import { locationText, type Place } from "./place.ts";
import { stepText } from "./pointer.ts";
import type { Problem } from "./problems.ts";

/** A document with what is wrong with it, which must be nothing before it is used. */
export interface Changed {
  readonly document: Part;
  readonly problems: readonly Problem[];
}

/** The members of a document that several files may add to, and what they are. */
const shared: ReadonlyMap<string, "object" | "list"> = new Map([
  ["gateway", "object"],
  ["services", "object"],
  ["rateLimits", "object"],
  ["routes", "list"],
] as const);

/**
 * Joins documents, at least one. `services`, `rateLimits` and `gateway` are joined member by member, `routes` one after the
 * other in the order of the documents; every part keeps its place. Of `$schema`, which is for editors, the first counts.
 */
export function joinDocuments(documents: readonly [Part, ...Part[]]): Changed {
  const problems: Problem[] = [];
  const members = new Map<string, Member>();
  for (const document of documents) {
    if (document.kind !== "object") {
      problems.push({ detail: "a configuration is an object; an empty one is {}", at: document.at });
      continue;
    }
    for (const [name, member] of document.members) {
      const first = members.get(name);
      members.set(name, first === undefined ? member : joinMembers(name, first, member, problems));
    }
  }
  return { document: { kind: "object", members, at: documents[0].at }, problems };
}

function joinMembers(name: string, first: Member, second: Member, problems: Problem[]): Member {
  if (name === "$schema") return first;
  const kind = shared.get(name);
  const [a, b] = [first.value, second.value];
  const path = stepText(name);
  if (kind === "object" && a.kind === kind && b.kind === kind)
    return { ...first, value: joinObjects(path, a, b, problems) };
  if (kind === "list" && a.kind === kind && b.kind === kind)
    return { ...first, value: joinLists(path, a, b, problems) };
  const place = locationText(first.key);
  const detail = kind ? `must be ${kind === "list" ? "a list" : "an object"}, here and in ${place}` : inBoth(first.key);
  problems.push({ detail, at: second.key, path });
  return first;
}

function joinObjects(path: string, first: ObjectPart, second: ObjectPart, problems: Problem[]): ObjectPart {
  const members = new Map(first.members);
  for (const [name, member] of second.members) {
    const other = members.get(name);
    if (other === undefined) members.set(name, member);
    else problems.push({ detail: inBoth(other.key), at: member.key, path: path + stepText(name) });
  }
  return { ...first, members };
}

function joinLists(path: string, first: ListPart, second: ListPart, problems: Problem[]): ListPart {
  const others = new Map(first.items.map((item) => [identityOf(item, "name"), item.at]));
  for (const item of second.items) {
    const name = identityOf(item, "name");
    const other = name === undefined ? undefined : others.get(name);
    if (name !== undefined && other) problems.push({ detail: inBoth(other), at: item.at, path: path + stepText(name) });
  }
  return { ...first, items: [...first.items, ...second.items] };
}

function inBoth(first: Place): string {
  return `this is in ${locationText(first)} already`;
}

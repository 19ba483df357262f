/**
 * What `apply` makes of the document in force and the files. A service, rate limit, route or member of `gateway` that the
 * files name is theirs as a whole: what a file does not say of it any more is gone, unlike with an overlay, so that
 * nothing of a named thing can stay behind unseen. What they do not name stays as it is.
 */
import { identityOf, type ListPart, type Member, type ObjectPart, type Part } from "./files/part.ts";
import { stepText } from "./files/pointer.ts";

const maps = ["gateway", "services", "rateLimits"] as const;

/** The document in force with what the files name. Each part keeps its place; of the wrong shape it is taken as it is. */
export function mergeKnown(current: Part, files: Part): Part {
  if (current.kind !== "object" || files.kind !== "object") return files;
  const members = new Map<string, Member>(current.members);
  for (const [name, member] of files.members) {
    const there = members.get(name)?.value;
    members.set(name, there ? { ...member, value: mergeMember(name, there, member.value) } : member);
  }
  return { ...files, members };
}

/** Pointers, with names for indexes, to what the files do not name: what `apply` keeps and `sync` removes. */
export function unnamedIn(current: Part, files: Part): string[] {
  return [...maps, "routes"].flatMap((member) => {
    const named = new Set(namesOf(memberOf(files, member)));
    const others = namesOf(memberOf(current, member)).filter((name) => !named.has(name));
    return others.map((name) => stepText(member) + stepText(name ?? ""));
  });
}

function mergeMember(name: string, there: Part, given: Part): Part {
  const isMap = (maps as readonly string[]).includes(name);
  if (isMap && there.kind === "object" && given.kind === "object") return mergeMaps(there, given);
  if (name === "routes" && there.kind === "list" && given.kind === "list") return mergeRoutes(there, given);
  return given;
}

function mergeMaps(there: ObjectPart, given: ObjectPart): ObjectPart {
  return { ...given, members: new Map([...there.members, ...given.members]) };
}

/** Routes of the files stand in their order, at the places that those of them have which are there; others stay where they are. */
function mergeRoutes(there: ListPart, given: ListPart): ListPart {
  const named = new Set(namesOf(given));
  const known = new Set(namesOf(there).filter((name) => named.has(name)));
  const items: Part[] = [];
  let next = 0;
  for (const item of there.items) {
    if (!named.has(identityOf(item, "name"))) {
      items.push(item);
      continue;
    }
    // The next one that is there already, and before it what is new.
    const from = next;
    while (next < given.items.length && !known.has(identityOf(given.items[next]!, "name"))) next++;
    next++;
    items.push(...given.items.slice(from, next));
  }
  return { ...given, items: [...items, ...given.items.slice(next)] };
}

function memberOf(part: Part, name: string): Part | undefined {
  return part.kind === "object" ? part.members.get(name)?.value : undefined;
}

/** What the members or items are called. */
function namesOf(part: Part | undefined): (string | undefined)[] {
  if (part?.kind === "object") return [...part.members.keys()];
  return part?.kind === "list" ? part.items.map((item) => identityOf(item, "name")) : [];
}

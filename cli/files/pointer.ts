/** JSON pointers (RFC 6901) into documents whose parts know where they stand. */
import { identityKeys, identityOf, type Member, type Part } from "./part.ts";
import type { Place } from "./place.ts";

/** What a pointer leads to. */
export interface Found {
  /** The part, or the nearest parent that exists. */
  readonly part: Part;
  readonly isExact: boolean;
  /** Where the part's name stands; null if it is no member of an object. */
  readonly key: Place | null;
  /** The whole pointer with names for indexes where items have one: `/routes/users/service`. */
  readonly path: string;
}

/** Follows a pointer, which may begin with `#`, as far as it goes. */
export function find(root: Part, pointer: string): Found {
  const steps = pointer.replace(/^#/, "").split("/").slice(1).map(unescaped);
  let found: Member | { readonly key: null; readonly value: Part } = { key: null, value: root };
  let path = "";
  for (const [index, step] of steps.entries()) {
    const next = childOf(found.value, step);
    if (next === undefined) {
      return {
        part: found.value,
        isExact: false,
        key: found.key,
        path: path + steps.slice(index).map(stepText).join(""),
      };
    }
    path += stepText(found.value.kind === "list" ? (nameOf(next.value) ?? step) : step);
    found = next;
  }
  return { part: found.value, isExact: true, key: found.key, path };
}

/** One step of a pointer, with its slash. */
export function stepText(step: string): string {
  return `/${step.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function unescaped(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}

function childOf(part: Part, step: string): Member | { readonly key: null; readonly value: Part } | undefined {
  if (part.kind === "object") return part.members.get(step);
  const item = part.kind === "list" && /^(?:0|[1-9]\d*)$/.test(step) ? part.items[Number(step)] : undefined;
  return item && { key: null, value: item };
}

function nameOf(item: Part): string | undefined {
  return identityKeys.map((key) => identityOf(item, key)).find((name) => name !== undefined);
}

/** The reader of a diff: makes the new value of the old, by what the documentation of `JsonChange` says. */
import type { JsonChange } from "../../../../src/core/json/diff.ts";
import type { JsonValue } from "../../../../src/core/json/types.ts";

type Node = Record<string, unknown> | unknown[];

const stepsOf = (pointer: string): string[] =>
  pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

export function applyChanges(from: JsonValue, changes: readonly JsonChange[]): JsonValue {
  const holder: { root: unknown } = { root: structuredClone(from) };
  const at = (steps: readonly string[]): Node =>
    steps.reduce<unknown>((node, step) => (node as Record<string, unknown>)[step], holder.root) as Node;
  const removals = changes.filter(({ op }) => op === "remove").map(({ path }) => stepsOf(path));
  for (const steps of removals.sort(lastFirst)) {
    const container = at(steps.slice(0, -1));
    if (Array.isArray(container)) container.splice(Number(steps.at(-1)), 1);
    else delete container[steps.at(-1)!];
  }
  for (const change of changes.filter(({ op }) => op !== "remove").sort(fromTheRoot)) {
    const steps = stepsOf(change.path);
    if (change.op === "reorder") reorder(at(steps) as Record<string, unknown>[], change);
    else if (change.op === "remove") continue;
    else if (steps.length === 0) holder.root = structuredClone(change.to);
    else put(at(steps.slice(0, -1)), steps.at(-1)!, change);
  }
  return holder.root as JsonValue;
}

function put(container: Node, step: string, { op, to }: JsonChange & { readonly to: unknown }): void {
  if (Array.isArray(container)) container.splice(Number(step), op === "add" ? 0 : 1, structuredClone(to));
  else container[step] = structuredClone(to);
}

function reorder(items: Record<string, unknown>[], { by, from, to }: JsonChange & { readonly op: "reorder" }): void {
  const start = items.findIndex((item) => from.includes(item[by] as string));
  const moved = new Map(items.map((item) => [item[by], item]));
  items.splice(start, from.length, ...to.map((identity) => moved.get(identity)!));
}

/** Deeper and later items first, so that the paths of the others stay what they were. */
function lastFirst(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    if (a[at] !== b[at]) return Number(b[at]) - Number(a[at]) || (a[at]! < b[at]! ? 1 : -1);
  }
  return b.length - a.length;
}

/** By the depth of what takes a new shape; there the order first, then what is added, by index, then what is replaced. */
function fromTheRoot(a: JsonChange, b: JsonChange): number {
  const ranks = ["reorder", "add", "replace"];
  const depth = ({ op, path }: JsonChange) => stepsOf(path).length - (op === "reorder" ? 0 : 1);
  const index = ({ path }: JsonChange) => Number(stepsOf(path).at(-1)) || 0;
  return depth(a) - depth(b) || ranks.indexOf(a.op) - ranks.indexOf(b.op) || index(a) - index(b);
}

/** Changes of a configuration, for people. */
import { diffJson, type JsonChange } from "../src/core/json/diff.ts";
import { jsonOf, type Part } from "./files/part.ts";
import { find } from "./files/pointer.ts";
import { type Paint, plain } from "./output.ts";

/** All that changes from one document to the other. */
export function changesOf(from: Part, to: Part): readonly JsonChange[] {
  return diffJson(jsonOf(from), jsonOf(to), Number.POSITIVE_INFINITY).changes;
}

/** One paragraph a change: a sign and the place, with names for indexes, then the values. */
export function changesText(changes: readonly JsonChange[], from: Part, to: Part, paint: Paint): string {
  return changes.map((change) => changeText(change, from, to, paint)).join("\n");
}

function changeText(change: JsonChange, from: Part, to: Part, paint: Paint): string {
  const { path } = find(change.op === "remove" ? from : to, change.path);
  const place = plain(path || "/");
  const minus = (value: unknown) => paint("red", marked("-", value));
  const plus = (value: unknown) => paint("green", marked("+", value));
  switch (change.op) {
    case "add":
      return `${paint("green", `+ ${place}`)}\n${plus(change.to)}`;
    case "remove":
      return `${paint("red", `- ${place}`)}\n${minus(change.from)}`;
    case "replace":
      return `${paint("yellow", `~ ${place}`)}\n${minus(change.from)}\n${plus(change.to)}`;
    case "reorder":
      return `${paint("yellow", `~ ${place} (order)`)}\n${minus(change.from)}\n${plus(change.to)}`;
  }
}

/** A value as indented JSON, each line behind a sign. */
function marked(sign: string, value: unknown): string {
  const lines = JSON.stringify(value, null, 2).split("\n");
  return lines.map((line) => `    ${sign} ${plain(line)}`).join("\n");
}

/** `1 change`, `2 changes`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

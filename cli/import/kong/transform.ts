/** `request-transformer` and `response-transformer`: their header edits; the rest is noted. */
import { EditsBuilder, type HeaderEdits, type Side } from "../headers.ts";
import type { Part } from "../reader.ts";

interface Entry {
  readonly name: string;
  readonly value: string;
  readonly at: Part;
}

/** The edits of headers; undefined when none is left. */
export function transformHeaders(config: Part, side: Side): HeaderEdits | undefined {
  const builder = new EditsBuilder(side);
  const entries = (member: string) => config.get(member).get("headers").items().flatMap(entryOf);
  for (const { name, at } of entries("remove")) builder.remove(name, at);
  const replaced = entries("replace").filter(isLiteral);
  const added = entries("add").filter(isLiteral);
  const isIn = (list: readonly Entry[], { name, value }: Entry) =>
    list.some((entry) => entry.name.toLowerCase() === name.toLowerCase() && entry.value === value);
  for (const entry of replaced) {
    if (!isIn(added, entry)) entry.at.remark(`replaced header ${entry.name}`, "It is set also when it was not there.");
    builder.set(entry.name, entry.value, entry.at);
  }
  for (const entry of added) {
    if (isIn(replaced, entry)) continue;
    if (replaced.some(({ name }) => name.toLowerCase() === entry.name.toLowerCase())) {
      entry.at.drop(`added header ${entry.name}`, "It is set to the value for replacing.");
      continue;
    }
    entry.at.remark(`added header ${entry.name}`, "It is set also when it was there with another value.");
    builder.set(entry.name, entry.value, entry.at);
  }
  for (const { name, value, at } of entries("append").filter(isLiteral)) builder.add(name, value, at);
  return builder.done();
}

/** `name:value`, or a name alone. */
function entryOf(at: Part): Entry[] {
  const text = at.text();
  if (text === undefined) return [];
  const colon = text.indexOf(":");
  if (colon === -1) return [{ name: text, value: "", at }];
  return [{ name: text.slice(0, colon), value: text.slice(colon + 1).trim(), at }];
}

/** A value that Kong, or a script before it, would fill in cannot be taken as it stands. */
function isLiteral({ name, value, at }: Entry): boolean {
  if (!value.includes("$")) return true;
  at.drop(`header ${name} with a template`, "Write its value, or a placeholder for a variable of the Worker.");
  return false;
}

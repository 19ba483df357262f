/** What changed between two JSON values: the `changes` of a configuration. */
import { isArray, type JsonValue } from "./types.ts";

/**
 * One change. `path` is a JSON pointer (RFC 6901): into the old value for `remove`, into the new one for all else.
 * `from` and `to` are the values there. `reorder`: the items of an array that both values have stand in another order;
 * `from` and `to` are the identities, which are under the key `by`, of those that moved among each other.
 *
 * The changes make the new value of the old: first take out what is removed, by its path into the old value, the last first;
 * then, from the root on, put the items of each array in order, add by rising index, and replace.
 */
export type JsonChange =
  | { readonly op: "add"; readonly path: string; readonly to: JsonValue }
  | { readonly op: "remove"; readonly path: string; readonly from: JsonValue }
  | { readonly op: "replace"; readonly path: string; readonly from: JsonValue; readonly to: JsonValue }
  | {
      readonly op: "reorder";
      readonly path: string;
      readonly by: Identity;
      readonly from: readonly string[];
      readonly to: readonly string[];
    };

/** Keys that items of an array may be known by. */
type Identity = "name" | "id";

/** The first changes; `truncated` when there are more. */
export interface JsonDiff {
  readonly changes: readonly JsonChange[];
  readonly truncated: boolean;
}

interface Output {
  readonly changes: JsonChange[];
  readonly changesMax: number;
  truncated: boolean;
}

type Members = { readonly [name: string]: JsonValue };

/** A value together with its pointer. The old value and the new one have each their own, since items change places. */
interface Place<T extends JsonValue> {
  readonly value: T;
  readonly path: string;
}

/**
 * Compares by structure; no changes exactly when the values are equal but for the order of members. Items of an array are
 * compared with the item of the same `name` or `id` when all items of both arrays have one and none has it twice, else by
 * index once the common beginning and end are set aside. Both values must have passed `scanJson`, which bounds their depth.
 */
export function diffJson(from: JsonValue, to: JsonValue, changesMax: number): JsonDiff {
  const output: Output = { changes: [], changesMax, truncated: false };
  compare({ value: from, path: "" }, { value: to, path: "" }, output);
  return { changes: output.changes, truncated: output.truncated };
}

function emit(output: Output, change: JsonChange): void {
  if (output.changes.length < output.changesMax) output.changes.push(change);
  else output.truncated = true;
}

function compare(from: Place<JsonValue>, to: Place<JsonValue>, output: Output): void {
  if (from.value === to.value || output.truncated) return;
  if (isPlaceOf(from, isArray) && isPlaceOf(to, isArray)) compareArrays(from, to, output);
  else if (isPlaceOf(from, isMembers) && isPlaceOf(to, isMembers)) compareMembers(from, to, output);
  else emit(output, { op: "replace", path: to.path, from: from.value, to: to.value });
}

function compareMembers(from: Place<Members>, to: Place<Members>, output: Output): void {
  for (const name of Object.keys(from.value)) {
    if (Object.hasOwn(to.value, name)) compare(memberOf(from, name), memberOf(to, name), output);
    else emitRemove(memberOf(from, name), output);
  }
  for (const name of Object.keys(to.value)) {
    if (!Object.hasOwn(from.value, name)) emitAdd(memberOf(to, name), output);
  }
}

type Items = Place<readonly JsonValue[]>;

function compareArrays(from: Items, to: Items, output: Output): void {
  for (const key of ["name", "id"] as const) {
    const fromIndexes = indexesBy(key, from.value);
    const toIndexes = indexesBy(key, to.value);
    if (fromIndexes === null || toIndexes === null) continue;
    compareIdentified(from, to, fromIndexes, toIndexes, output);
    compareOrder(key, fromIndexes, toIndexes, to.path, output);
    return;
  }
  compareByIndex(from, to, output);
}

type Indexes = ReadonlyMap<string, number>;

/** Index of every item by its identity; null unless every item is an object with a string under `key`, each another. */
function indexesBy(key: Identity, items: readonly JsonValue[]): Indexes | null {
  const indexes = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const identity = isMembers(item) && Object.hasOwn(item, key) ? item[key] : undefined;
    if (typeof identity !== "string" || indexes.has(identity)) return null;
    indexes.set(identity, index);
  }
  return indexes;
}

function compareIdentified(from: Items, to: Items, fromIndexes: Indexes, toIndexes: Indexes, output: Output): void {
  for (const [identity, index] of fromIndexes) {
    if (!toIndexes.has(identity)) emitRemove(itemOf(from, index), output);
  }
  for (const [identity, index] of toIndexes) {
    const fromIndex = fromIndexes.get(identity);
    if (fromIndex === undefined) emitAdd(itemOf(to, index), output);
    else compare(itemOf(from, fromIndex), itemOf(to, index), output);
  }
}

function compareOrder(by: Identity, fromIndexes: Indexes, toIndexes: Indexes, path: string, output: Output): void {
  const fromOrder = [...fromIndexes.keys()].filter((identity) => toIndexes.has(identity));
  const toOrder = [...toIndexes.keys()].filter((identity) => fromIndexes.has(identity));
  const { start, end } = differingPart(fromOrder, toOrder, (a, b) => a === b);
  const stop = fromOrder.length - end;
  if (start < stop)
    emit(output, { op: "reorder", path, by, from: fromOrder.slice(start, stop), to: toOrder.slice(start, stop) });
}

function compareByIndex(from: Items, to: Items, output: Output): void {
  const { start, end } = differingPart(from.value, to.value, isEqual);
  const fromStop = from.value.length - end;
  const toStop = to.value.length - end;
  const both = Math.min(fromStop, toStop);
  for (let index = start; index < both; index++) compare(itemOf(from, index), itemOf(to, index), output);
  for (let index = both; index < fromStop; index++) emitRemove(itemOf(from, index), output);
  for (let index = both; index < toStop; index++) emitAdd(itemOf(to, index), output);
}

function emitRemove({ path, value }: Place<JsonValue>, output: Output): void {
  emit(output, { op: "remove", path, from: value });
}

function emitAdd({ path, value }: Place<JsonValue>, output: Output): void {
  emit(output, { op: "add", path, to: value });
}

/** A member by its name, which the pointer escapes (RFC 6901 3). */
function memberOf({ path, value }: Place<Members>, name: string): Place<JsonValue> {
  return { value: value[name]!, path: `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}` };
}

function itemOf({ path, value }: Items, index: number): Place<JsonValue> {
  return { value: value[index]!, path: `${path}/${index}` };
}

function isPlaceOf<T extends JsonValue>(
  place: Place<JsonValue>,
  is: (value: JsonValue) => value is T,
): place is Place<T> {
  return is(place.value);
}

/** How many items at the start, and then at the end, are the same in both. */
function differingPart<T>(
  from: readonly T[],
  to: readonly T[],
  same: (a: T, b: T) => boolean,
): { start: number; end: number } {
  const shorter = Math.min(from.length, to.length);
  let start = 0;
  while (start < shorter && same(from[start]!, to[start]!)) start++;
  let end = 0;
  while (end < shorter - start && same(from[from.length - 1 - end]!, to[to.length - 1 - end]!)) end++;
  return { start, end };
}

/** Apart from `compare`, which calls it at every level: comparing by diffing would take time exponential in the depth. */
function isEqual(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (isArray(a) && isArray(b)) return a.length === b.length && a.every((item, index) => isEqual(item, b[index]!));
  if (!isMembers(a) || !isMembers(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isEqual(a[name]!, b[name]!))
  );
}

function isMembers(value: JsonValue): value is Members {
  return typeof value === "object" && value !== null && !isArray(value);
}

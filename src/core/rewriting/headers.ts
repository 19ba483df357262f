/** Changes to headers: first `remove`, then `set` (replaces every value), then `add` (one more value), each in order. */
export interface HeaderEdits {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
  readonly remove: readonly string[];
}

/** What is needed of a `Headers` object; names without case. */
export interface HeaderBag {
  get(name: string): string | null;
  set(name: string, value: string): void;
  append(name: string, value: string): void;
  delete(name: string): void;
}

/** One edit that does what `first` and after it `second` would do: `second` undoes what it sets or removes itself. */
export function mergeHeaderEdits(first: HeaderEdits, second: HeaderEdits): HeaderEdits {
  const decided = new Set([...second.remove, ...second.set.map(([name]) => name)].map((name) => name.toLowerCase()));
  const stays = ([name]: readonly [string, string]): boolean => !decided.has(name.toLowerCase());
  return {
    remove: [...first.remove, ...second.remove],
    set: [...first.set.filter(stays), ...second.set],
    add: [...first.add.filter(stays), ...second.add],
  };
}

export function applyHeaderEdits(edits: HeaderEdits, headers: HeaderBag): void {
  for (const name of edits.remove) headers.delete(name);
  for (const [name, value] of edits.set) headers.set(name, value);
  for (const [name, value] of edits.add) {
    const before = headers.get(name);
    // RFC 9110 5.3: one line, comma-joined; Set-Cookie alone cannot be (RFC 6265 3).
    if (before === null || name.toLowerCase() === "set-cookie") headers.append(name, value);
    else headers.set(name, `${before}, ${value}`);
  }
}

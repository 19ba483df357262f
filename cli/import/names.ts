/** Names of the original, made to fit ours. */
import { bounds } from "../../src/bounds.ts";

/** Gives each text a name by our rule that nothing else has got from the same giver. */
export type NameGiver = (text: string) => string;

/** `fallback` is what a text without any usable character becomes. */
export function newNames(fallback: string): NameGiver {
  const taken = new Set<string>();
  return (text) => {
    const base = nameOf(text) || fallback;
    let name = base;
    for (let count = 2; taken.has(name); count++) {
      const suffix = `-${count}`;
      name = base.slice(0, bounds.nameLengthMax - suffix.length) + suffix;
    }
    taken.add(name);
    return name;
  };
}

/** Letters, digits, ".", "_" and "-", a letter or digit first; other characters become one "-". "" when nothing is left. */
export function nameOf(text: string): string {
  return text
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+|-+$/g, "")
    .slice(0, bounds.nameLengthMax);
}

/** Notes for a person: what is said of many places is said once. */
import type { Note, Place } from "./types.ts";

/** Notes that say the same, with all their places in the order of the original. */
export interface NoteGroup extends Pick<Note, "what" | "why" | "hint"> {
  readonly places: readonly Place[];
}

/** Groups notes by what they say; the groups are in the order of their first places. */
export function summarize(notes: readonly Note[]): readonly NoteGroup[] {
  const groups = Map.groupBy(notes, ({ what, why, hint }) => JSON.stringify([what, why, hint]));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { what, why, hint } = first;
    return [{ what, why, hint, places: group.map(({ source }) => source) }];
  });
}

import type { HealthEvent } from "./types.ts";

/** What an operation altered. */
export interface Change {
  readonly events: HealthEvent[];
  /** Must be stored before anybody is told. */
  changed: boolean;
  /** Changes of the published view: by so much the book's revision rises. */
  shown: number;
}

/** Nothing altered yet. */
export function noChange(): Change {
  return { events: [], changed: false, shown: 0 };
}

/** Notes an alteration of the published view, which must be stored, and its event if there is one. */
export function show(change: Change, event?: HealthEvent): void {
  change.shown += 1;
  change.changed = true;
  if (event !== undefined) change.events.push(event);
}

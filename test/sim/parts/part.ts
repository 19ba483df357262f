/** A part of a schedule: what it does, and what must hold of it. */
import type { Step } from "../plan.ts";
import type { Observer } from "../town.ts";

export interface Part extends Observer {
  /** Does a step; false: it is another part's. */
  play(step: Step): boolean;
  /** Checks what must hold when the schedule is over. */
  finish(): void;
}

import type { Justification } from "../justification.ts";

/** Of the files that are in no room. */
export const core: readonly Justification[] = [
  {
    file: "src/core/rolling.ts",
    in: "advance",
    reason: "A shortcut: where no slot has passed none is emptied.",
    changes: ["passed <= 0 → (passed) < (0)"],
  },
];

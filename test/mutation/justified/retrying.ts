import type { Justification } from "../justification.ts";

export const retrying: readonly Justification[] = [
  {
    file: "src/core/retrying/retry-after.ts",
    in: "retryAfterMs",
    reason: "A text that is neither a number nor a date says as little as none.",
    changes: ['"" → "mutated"'],
  },
];

import type { Justification } from "../justification.ts";

export const cors: readonly Justification[] = [
  {
    file: "src/core/cors/cors.ts",
    in: "responseHeaders",
    reason: "Without an origin only a plain * gets here, which names none: the compiler alone asks.",
    changes: ['"*" → ""'],
  },
];

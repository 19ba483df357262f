import type { Justification } from "../justification.ts";

export const routing: readonly Justification[] = [
  {
    file: "src/core/routing/entry.ts",
    in: "conditionKey",
    reason: "A shorter text for most entries; the longer tells them apart as well.",
    changes: [
      "entry.methods === null && entry.criteria.length === 0 → false",
      "entry.methods === null → false",
      "entry.criteria.length === 0 → false",
    ],
  },
];

import type { Justification } from "../justification.ts";

export const checking: readonly Justification[] = [
  {
    file: "src/core/checking/order.ts",
    in: "digestOf",
    reason: "No two have the same id.",
    changes: ["a! < b! → (a!) <= (b!)"],
  },
  {
    file: "src/core/checking/schedule.ts",
    in: "start",
    reason: "Without settings no origin has a record: the compiler alone asks.",
    changes: ["settings === null → false"],
  },
  {
    file: "src/core/checking/schedule.ts",
    in: "start",
    reason: "No two have the same id.",
    changes: ["idA < idB → (idA) <= (idB)"],
  },
  {
    file: "src/core/checking/schedule.ts",
    in: "isSame",
    reason: "A shortcut: without it the long way gives the same answer, later.",
    changes: ["a === b → false"],
  },
];

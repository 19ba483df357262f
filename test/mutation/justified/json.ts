import type { Justification } from "../justification.ts";

export const json: readonly Justification[] = [
  {
    file: "src/core/json/diff.ts",
    in: "differingPart",
    reason: "One turn more, behind the shorter one: where both end there, the part that differs is empty all the same.",
    changes: ["start < shorter → (start) <= (shorter)"],
  },
  {
    file: "src/core/json/scan.ts",
    in: "depthOf",
    reason: "One turn more, which finds nothing.",
    changes: ["at < text.length → (at) <= (text.length)"],
  },
  {
    file: "src/core/json/scan.ts",
    in: "scanJson",
    reason: "One turn more, which finds nothing.",
    changes: ["at < text.length → (at) <= (text.length)"],
  },
  {
    file: "src/core/json/scan.ts",
    in: "scanJson",
    reason: "The first name takes its place, and nothing is reported before it.",
    changes: ['"" → "mutated"'],
  },
  {
    file: "src/core/json/scan.ts",
    in: "readString",
    reason: "Only an object expects a name, and it has a set of them: the compiler alone asks.",
    changes: ["frame.names?.has(value) → frame.names.has(value)", "frame.names?.add(value) → frame.names.add(value)"],
  },
  {
    file: "src/core/json/scan.ts",
    in: "isEscaped",
    reason: "Sum and difference are both odd or both even.",
    changes: ["at - before → (at) + (before)"],
  },
  {
    file: "src/core/json/scan.ts",
    in: "endOfContainer",
    reason: "One turn more, which finds nothing.",
    changes: ["at < text.length → (at) <= (text.length)"],
  },
];

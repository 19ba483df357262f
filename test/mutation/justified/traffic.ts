import type { Justification } from "../justification.ts";

export const traffic: readonly Justification[] = [
  {
    file: "src/core/traffic/accept.ts",
    in: "acceptVersion",
    reason: "One turn more, which finds nothing.",
    changes: ["start < accept.length → (start) <= (accept.length)"],
  },
  {
    file: "src/core/traffic/accept.ts",
    in: "endOfPart",
    reason: "One turn more, which finds nothing.",
    changes: ["index < accept.length → (index) <= (accept.length)"],
  },
  {
    file: "src/core/traffic/accept.ts",
    in: "versionOf",
    reason: "What has passed is quoted at both ends or at none.",
    changes: ["raw.startsWith('\"') → raw.endsWith('\"')"],
  },
  {
    file: "src/core/traffic/condition.ts",
    in: "has",
    reason: "No set has null; only the types ask.",
    changes: ["value !== null → true"],
  },
  {
    file: "src/core/traffic/explain.ts",
    in: "unmetText",
    reason: "No set has null; only the types ask.",
    changes: ["value !== null → true"],
  },
  {
    file: "src/core/traffic/hash.ts",
    in: "murmur3",
    reason: "A shortcut that is taken less often: the long way gives the same hash.",
    changes: [
      "index + 4 <= text.length → false",
      "index + 4 <= text.length → (index + 4) < (text.length)",
      "(a | b | c | d) > 0x7f → true",
      "(a | b | c | d) > 0x7f → (a | b | c | d) >= (0x7f)",
    ],
  },
  {
    file: "src/core/traffic/select.ts",
    in: "requestedVersion",
    reason: "A header without a version says as little as none.",
    changes: ['"" → "mutated"'],
  },
];

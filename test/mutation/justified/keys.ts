import type { Justification } from "../justification.ts";

export const keys: readonly Justification[] = [
  {
    file: "src/core/keys/ip-group.ts",
    in: "ipGroup",
    reason: "A shortcut: without it the long way gives the same answer, later.",
    changes: ['!ip.includes(":") → false', '":" → ""'],
  },
  {
    file: "src/core/keys/ip-group.ts",
    in: "ipGroup",
    reason: "Ends what would else never end, if a canonical address could be one that has no groups; there is none.",
    changes: ["address === ip → false"],
  },
];

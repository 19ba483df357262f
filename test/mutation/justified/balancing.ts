import type { Justification } from "../justification.ts";

export const balancing: readonly Justification[] = [
  {
    file: "src/core/balancing/consistent-hash.ts",
    in: "rememberedOwner",
    reason: "The place after the bucket has a key of another bucket, or there is none.",
    changes: ["place < end → (place) <= (end)"],
  },
  {
    file: "src/core/balancing/consistent-hash.ts",
    in: "ownerOf",
    reason: "A shortcut that spares the logarithm: without it the score is not higher either.",
    changes: [
      "hash <= bestHash && weight <= candidates[best]!.weight → false",
      "hash <= bestHash → false",
      "hash <= bestHash → (hash) < (bestHash)",
      "weight <= candidates[best]!.weight → false",
      "weight <= candidates[best]!.weight → (weight) < (candidates[best]!.weight)",
    ],
  },
  {
    file: "src/core/balancing/consistent-hash.ts",
    in: "ownerOf",
    reason: "Who has the same score has the same weight and hash, and was passed over before.",
    changes: ["score <= bestScore → (score) < (bestScore)"],
  },
  {
    file: "src/core/balancing/ewma.ts",
    in: "noteResponse",
    reason:
      "A latency in whole milliseconds is what is left of a cost only when nothing has faded, and then both give it.",
    changes: ["latencyMs > fadedMs → (latencyMs) >= (fadedMs)"],
  },
  {
    file: "src/core/balancing/index.ts",
    in: "chooseOrigin",
    reason: "A shortcut: each pass gives the owner of the key again.",
    changes: ["hashKey === null → true"],
  },
  {
    file: "src/core/balancing/index.ts",
    in: "chooseOrigin",
    reason: "One pass more before the origins that are left are looked up, with the same chances.",
    changes: ["passes < passesMax → (passes) <= (passesMax)"],
  },
  {
    file: "src/core/balancing/least-request.ts",
    in: "leastRequest",
    reason: "A shortcut: who has none under way is never left for another.",
    changes: ["firstInFlight === 0 → false"],
  },
  {
    file: "src/core/balancing/pool.ts",
    in: "newPool",
    reason: "One turn more, which writes behind the end: nothing.",
    changes: ["part < guide.length → (part) <= (guide.length)"],
  },
  {
    file: "src/core/balancing/random.ts",
    in: "ownerAt",
    reason: "The next line takes the step back.",
    changes: ["at < ends[index - 1]! → (at) <= (ends[index - 1]!)"],
  },
  {
    file: "src/core/balancing/random.ts",
    in: "ownerAt",
    reason: "It spares a read before the first end or behind the last, with which no number compares.",
    changes: [
      "index > 0 → true",
      "index > 0 → (index) >= (0)",
      "index < ends.length → true",
      "index < ends.length → (index) <= (ends.length)",
    ],
  },
  {
    file: "src/core/balancing/usable.ts",
    in: "usableAmong",
    reason: "A shortcut: of no tries none was there, and a zone that is near has an origin.",
    changes: ["tried.size > 0 → true", "tried.size > 0 → (tried.size) >= (0)"],
  },
  {
    file: "src/core/balancing/zone.ts",
    in: "of",
    reason: "No place has null for its name: the compiler alone asks.",
    changes: ["place === null → false"],
  },
];

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
  {
    file: "src/core/routing/explain.ts",
    in: "",
    reason: "The prefix of no characters is the prefix /.",
    changes: ['"/" → ""'],
  },
  {
    file: "src/core/routing/explain.ts",
    in: "distance",
    reason: "What is not among the criteria is found at -1 as well: the compiler alone asks.",
    changes: ["failed === null → false"],
  },
  {
    file: "src/core/routing/explain.ts",
    in: "failureOf",
    reason: "A shortcut: without it the long way gives the same answer, later.",
    changes: ["!hosts.has(host) → true"],
  },
  {
    file: "src/core/routing/path.ts",
    in: "",
    reason: "Characters that are encoded one by one make the same text.",
    changes: ["/[\\u{80}-\\u{10ffff}]+/gu → /[\\u{80}-\\u{10ffff}]/gu"],
  },
  {
    file: "src/core/routing/path.ts",
    in: "normalizePath",
    reason: "A shortcut: in such a path nothing is replaced.",
    changes: ["!needsWork.test(path) → false"],
  },
  {
    file: "src/core/routing/precedence.ts",
    in: "compareKeys",
    reason: "One turn more, which finds nothing.",
    changes: ["place < a.length → (place) <= (a.length)"],
  },
  {
    file: "src/core/routing/regex.ts",
    in: "mayAlternateAtTop",
    reason: "Only parentheses and | are looked for: it does not matter what stands in the place of the rest.",
    changes: ['"_" → ""', '"_" → ""'],
  },
  {
    file: "src/core/routing/table.ts",
    in: "matchRoute",
    reason: "It may look up one text more, which begins with no dot, so that no wildcard is under it.",
    changes: ['"." → ""'],
  },
  {
    file: "src/core/routing/trie.ts",
    in: "placeOf",
    reason: "A pattern has a segment at least: the compiler alone asks.",
    changes: ["path.segments.at(-1)?.kind → path.segments.at(-1).kind"],
  },
  {
    file: "src/core/routing/trie.ts",
    in: "mayImprove",
    reason: "No two have the same rank, and no part of the trie is visited twice.",
    changes: ["rank < search.best.rank → (rank) <= (search.best.rank)"],
  },
];

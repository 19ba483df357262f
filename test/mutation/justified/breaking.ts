import type { Justification } from "../justification.ts";

const shortcut = "A shortcut: without it the long way gives the same answer, later.";

export const breaking: readonly Justification[] = [
  {
    file: "src/core/breaking/bulkhead.ts",
    in: "levelOf",
    reason:
      "Where they are equal everybody gets what it wants, with a level of that or with none: nobody says that it holds more than it runs or wants.",
    changes: ["demand * left > rest → (demand * left) >= (rest)"],
  },
  {
    file: "src/core/breaking/cells.ts",
    in: "counted",
    reason: "0 gives 0 both ways.",
    changes: ["value > 0 → (value) >= (0)"],
  },
  {
    file: "src/core/breaking/concurrency.ts",
    in: "askOf",
    reason: "No peak is a half: counts are whole, and what has faded for whole milliseconds is no rational number.",
    changes: ["state.peak < 0.5 → (state.peak) <= (0.5)"],
  },
  {
    file: "src/core/breaking/concurrency.ts",
    in: "settle",
    reason: "Without a reply there is no grant: the compiler alone asks.",
    changes: ["reply === null → false"],
  },
  {
    file: "src/core/breaking/gradient.ts",
    in: "judge",
    reason: "Where they are equal there is nothing to move.",
    changes: ["meanMs < usualMs → (meanMs) <= (usualMs)"],
  },
  {
    file: "src/core/breaking/report.ts",
    in: "settleAll",
    reason: "Without a breaker in the settings none is half-open, so no permit is out: the compiler alone asks.",
    changes: ["settings === null → false"],
  },
  {
    file: "src/core/breaking/report.ts",
    in: "grantAll",
    reason: "Without a breaker in the settings none is half-open, so no permit is given: the compiler alone asks.",
    changes: ["settings === null → false"],
  },
  {
    file: "src/core/breaking/sense-admit.ts",
    in: "admit",
    reason: "A shortcut for who is well: the careful way admits as well, without a draw.",
    changes: [
      "known.closedAtMs === null && (local === undefined || (!local.isOpen && local.attempts === 0)) → false",
      "known.closedAtMs === null → false",
      "local === undefined || (!local.isOpen && local.attempts === 0) → false",
      "!local.isOpen && local.attempts === 0 → false",
      "!local.isOpen → local.isOpen",
      "local.attempts === 0 → false",
      "isWell → false",
    ],
  },
  {
    file: "src/core/breaking/sense-adopt.ts",
    in: "adopt",
    reason: shortcut,
    changes: ["published === sense.seen → false"],
  },
  {
    file: "src/core/breaking/sense-adopt.ts",
    in: "dropVoid",
    reason: "Of no permits none are left, both ways.",
    changes: [
      "sense.unused.length > 0 → true",
      "sense.unused.length > 0 → (sense.unused.length) >= (0)",
      "sense.running.length > 0 → true",
      "sense.running.length > 0 → (sense.running.length) >= (0)",
      "sense.results.length > 0 → true",
      "sense.results.length > 0 → (sense.results.length) >= (0)",
    ],
  },
  {
    file: "src/core/breaking/sense-adopt.ts",
    in: "ejectedOf",
    reason: shortcut,
    changes: ["nowMs >= sense.ejectedUntilMs → true"],
  },
  {
    file: "src/core/breaking/sense-record.ts",
    in: "record",
    reason: "Without a breaker nothing is slow, and the outcome stays: the compiler alone asks.",
    changes: ["breaker === null → false"],
  },
  {
    file: "src/core/breaking/sense-record.ts",
    in: "record",
    reason: "A shortcut: no request under way has a permit that is null.",
    changes: ["permit.probe !== null → true"],
  },
  {
    file: "src/core/breaking/sense-state.ts",
    in: "newSense",
    reason: "Nobody looks at the ejections before a view has come and put others in their place.",
    changes: ['[] → ["mutated"]'],
  },
  {
    file: "src/core/breaking/view.ts",
    in: "sorted",
    reason: "No two have the same name.",
    changes: ["a.version < b.version → (a.version) <= (b.version)"],
  },
  {
    file: "src/core/breaking/view.ts",
    in: "ejectedOf",
    reason: "No two have the same name.",
    changes: ["a.origin < b.origin → (a.origin) <= (b.origin)"],
  },
];

import type { Justification } from "../justification.ts";

export const regex: readonly Justification[] = [
  {
    file: "src/core/regex/match.ts",
    in: "placeOf",
    reason: "Any text will do: it is the same in all keys.",
    changes: ['"" → "mutated"'],
  },
  {
    file: "src/core/regex/match.ts",
    in: "step",
    reason: "In which order states stand in a key decides what is worked out anew, not what comes of it.",
    changes: ["states.sort((a, b) => a - b) → states", "a - b → (a) + (b)", "a - b → undefined"],
  },
  {
    file: "src/core/regex/match.ts",
    in: "step",
    reason: "From how many states on nothing is kept, and of how many numbers all is forgotten, is about so many.",
    changes: [
      "Math.max(states.length, place.states.length) > keptStatesMax → false",
      "Math.max(states.length, place.states.length) > keptStatesMax → (Math.max(states.length, place.states.length)) >= (keptStatesMax)",
      "Math.max(states.length, place.states.length) → Math.min(states.length, place.states.length)",
      "cells > cellsMax → (cells) >= (cellsMax)",
    ],
  },
  {
    file: "src/core/regex/match.ts",
    in: "matcherOf",
    reason: "A shortcut: who is in no state stays in none to the end of the text.",
    changes: ["place.states.length === 0 → false"],
  },
  {
    file: "src/core/regex/match.ts",
    in: "sideOf",
    reason: "U+0080 is no part of a word.",
    changes: ["codePoint < 128 → (codePoint) <= (128)"],
  },
  {
    file: "src/core/regex/match.ts",
    in: "sideOf",
    reason: "No assertion asks for this side: any text will do that is none of the others.",
    changes: ['"other" → ""'],
  },
  {
    file: "src/core/regex/match.ts",
    in: "",
    reason: "Sets are found by the place that they are put at, so one before them is no matter.",
    changes: ['[] → ["mutated"]'],
  },
  {
    file: "src/core/regex/match.ts",
    in: "constructor",
    reason: "A step that has no set gets a number that is never asked for.",
    changes: ['step.kind !== "set" → false'],
  },
  {
    file: "src/core/regex/match.ts",
    in: "after",
    reason: "A state that is entered twice is entered once when the list of it is followed.",
    changes: ["marks[step.to] === this.turn → false"],
  },
  {
    file: "src/core/regex/match.ts",
    in: "begin",
    reason: "Turns may begin anew at any time; that they must is so after four billion of them.",
    changes: [
      "this.turn === 0xffffffff → true",
      "this.turn === 0xffffffff → false",
      "this.turn === 0xffffffff → (this.turn) !== (0xffffffff)",
      "{ this.marks.fill(0); this.asked.fill(0); this.turn = 0; } → {}",
    ],
  },
  {
    file: "src/core/regex/parse.ts",
    in: "",
    reason: "A flag that is not there is not set.",
    changes: ["{ ignoresCase: false, isMultiline: false, dotIsAll: false } → {}"],
  },
  {
    file: "src/core/regex/program.ts",
    in: "programOf",
    reason: "The last step is known by its place; its kind only must not be another's.",
    changes: ['{ kind: "match" } → {}', '"match" → ""'],
  },
  {
    file: "src/core/regex/sets.ts",
    in: "readNamed",
    reason: "The letter is one of d, s and w, of either case.",
    changes: ['letter < "a" → (letter) <= ("a")'],
  },
];

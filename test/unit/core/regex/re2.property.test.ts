import fc from "fast-check";
import { expect, test } from "vitest";
import { bothOf } from "./oracle.ts";

const tokens = [
  ...[
    "a",
    "b",
    "k",
    "K",
    "Z",
    "0",
    "_",
    " ",
    "\n",
    "é",
    "ſ",
    "\u212a",
    "😀",
    "Ω",
    "σ",
    "ς",
    ".",
    "^",
    "$",
    "|",
    "-",
    "{",
    "}",
    "]",
  ],
  ...[
    "(",
    ")",
    "(?:",
    "(?i)",
    "(?i:",
    "(?s)",
    "(?m)",
    "(?-i)",
    "(?U)",
    "(?i-s:",
    "(?-)",
    "(?P<n>",
    "(?<m>",
    "(?=a)",
    "(?<=a)",
  ],
  ...["*", "+", "?", "*?", "+?", "{2}", "{0,2}", "{1,}", "{,2}", "{0}", "{3}?", "{01}", "{2,1}", "{1001}"],
  ...[
    "[ab]",
    "[^ab]",
    "[a-k]",
    "[^\\n]",
    "[]a]",
    "[[:alpha:]]",
    "[[:^lower:]b]",
    "[[:punct:]]",
    "[\\d_]",
    "[^\\W]",
    "[\\pL-]",
    "[a-",
    "[",
    "[z-a]",
  ],
  ...[
    "\\d",
    "\\D",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    "\\b",
    "\\B",
    "\\A",
    "\\z",
    "\\pL",
    "\\PL",
    "\\p{Lu}",
    "\\p{^Greek}",
    "\\p{Nope}",
  ],
  ...[
    "\\x41",
    "\\x{1F600}",
    "\\x{110000}",
    "\\x4",
    "\\101",
    "\\1",
    "\\0",
    "\\n",
    "\\.",
    "\\-",
    "\\C",
    "\\Z",
    "\\Qa.b\\E",
    "\\Q(",
    "\\",
  ],
];
const characters = [..."abkKsSZz0_ \n\t\v.-({]éÉſ\u212aΩωσς😀", "\ud800"];

const sources = fc.array(fc.constantFrom(...tokens), { minLength: 1, maxLength: 8 }).map((parts) => parts.join(""));
const texts = fc.array(
  fc.array(fc.constantFrom(...characters), { maxLength: 5 }).map((parts) => parts.join("")),
  { minLength: 10, maxLength: 10 },
);

test("RE2 accepts the same expressions, and they match the same texts", () => {
  let accepted = 0;
  let matched = 0;
  fc.assert(
    fc.property(sources, texts, (source, some) => {
      const { own, oracle } = bothOf(source);
      expect(own !== null).toBe(oracle !== null);
      if (own === null || oracle === null) return;
      accepted += 1;
      for (const text of some) {
        const expected = oracle(text);
        if (expected) matched += 1;
        expect(own(text), text).toBe(expected);
      }
    }),
    { seed: 16, numRuns: 20_000 },
  );
  // The alphabets must keep overlapping, or the test would compare nothing with nothing.
  expect(accepted).toBeGreaterThan(3_000);
  expect(matched).toBeGreaterThan(1_000);
});

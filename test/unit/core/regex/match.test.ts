/** What a matcher works out once and remembers, counted by how often the sets of its program are asked. */
import { expect, test } from "vitest";
import { matcherOf } from "../../../../src/core/regex/match.ts";
import { parseRegex } from "../../../../src/core/regex/parse.ts";
import { programOf, type Step } from "../../../../src/core/regex/program.ts";
import type { CharacterSet } from "../../../../src/core/regex/types.ts";

function counted(source: string, cellsMax: number) {
  let asked = 0;
  const counting = new Map<CharacterSet, CharacterSet>();
  const countedSet = (set: CharacterSet): CharacterSet => {
    const known = counting.get(set) ?? ((codePoint) => ++asked > 0 && set(codePoint));
    counting.set(set, known);
    return known;
  };
  const program = programOf(parseRegex(source), 1_000);
  const steps = program.steps.map(
    (step): Step => (step.kind === "set" ? { ...step, set: countedSet(step.set) } : step),
  );
  const matches = matcherOf({ ...program, steps }, cellsMax);
  /** How often sets are asked for this text. */
  const askedFor = (text: string): number => {
    const before = asked;
    matches(text);
    return asked - before;
  };
  return { matches, askedFor };
}

test("a text that comes again is not worked out again", () => {
  const { askedFor } = counted("[ab]*c", 1_000);
  expect(askedFor("abbac")).toBeGreaterThan(0);
  expect(askedFor("abbac")).toBe(0);
});

test("what leads to the same states is worked out once, whatever stands before where nothing asks for it", () => {
  const { askedFor } = counted("[a ]*", 1_000);
  for (const text of ["aa", "  "]) expect(askedFor(text)).toBeGreaterThan(0);
  expect(askedFor("a  aa ")).toBe(0);
});

test("a set is asked once for a character, however many states ask it", () => {
  expect(counted("(?:.?){50}", 1_000).askedFor("a")).toBe(1);
});

test("what is remembered is bounded, over many characters as over many sets of states", () => {
  const characters = Array.from({ length: 500 }, (_, index) => String.fromCharCode(0x100 + index));
  const byCharacter = counted(".*", 1_000);
  expect(byCharacter.askedFor("a")).toBeGreaterThan(0);
  for (const character of characters) byCharacter.askedFor(character);
  expect(byCharacter.askedFor("a")).toBeGreaterThan(0);

  // Where the last nine "a" stood: 512 sets of states, of two characters.
  const byStates = counted("[ab]*a[ab]{8}", 5_000);
  expect(byStates.askedFor("bb")).toBeGreaterThan(0);
  for (let index = 0; index < 512; index++)
    byStates.askedFor(index.toString(2).padStart(9, "0").replaceAll("0", "b").replaceAll("1", "a"));
  expect(byStates.askedFor("bb")).toBeGreaterThan(0);
});

test("a text still begins where it begins after all was forgotten", () => {
  const { matches } = counted("\\A(?:.|\\Ab)*", 100);
  for (let index = 0; index < 200; index++) expect(matches(String.fromCharCode(0x100 + index))).toBe(true);
});

test("more states at once than are kept", () => {
  const { matches } = counted("(?:.?){100}b", 1_000);
  expect(["", "a".repeat(100), "a".repeat(101)].map((text) => matches(`${text}b`))).toEqual([true, true, false]);
});

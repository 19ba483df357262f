/** The mutation test bites: see test/mutation/README.md. The run over `src/core` is too long to be part of `npm test`. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { instrument, type Mutant } from "../mutation/instrument.ts";
import { judge } from "../mutation/judge.ts";
import { isJustifiedBy, type Justification } from "../mutation/justification.ts";
import { justified } from "../mutation/justified/index.ts";
import { scoreOf, staleOf, survivorsOf, tableOf } from "../mutation/report.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const fixture = "test/mutation/fixture";
const judged = (tests: string[], reasons: readonly Justification[] = []) =>
  judge({ root, files: [`${fixture}/toll.ts`], tests, jobs: 1, slowMs: 1_000, justified: reasons });

const changesOf = (source: string) =>
  instrument("a.ts", source, 1, false).mutants.map(({ from, to }) => `${from} → ${to}`);

describe("a mutant is", () => {
  test.each<[source: string, changes: string[]]>([
    ["x = a + b", ["a + b → (a) - (b)"]],
    ['x = "a" + b', ['"a" → ""']],
    ["x = a < b", ["a < b → true", "a < b → false", "a < b → (a) <= (b)", "a < b → (a) >= (b)"]],
    ["x = a ?? b", ["a ?? b → (a) && (b)"]],
    ["if (a) b();", ["a → true", "a → false"]],
    ["while (a) b();", ["a → false"]],
    ["function f() { a(); }", ["{ a(); } → {}"]],
    ["switch (a) { case b: c(); }", ["case b: c(); → case b: (nothing)"]],
    ["f = () => a", ["a → undefined"]],
    ["a++", ["a++ → a--"]],
    ["x = -a", ["-a → +a"]],
    ["x = !a", ["!a → a"]],
    ["a += b", ["a += b → a -= b"]],
    ["x = [a]", ["[a] → []"]],
    ["x = { a, b: c }", ["{ a, b: c } → {}"]],
    ["x = `a`", ["`a` → ``"]],
    ["x = a?.b.c", ["a?.b.c → a.b.c"]],
    ["x = a?.[0]?.(b)", ["a?.[0]?.(b) → a?.[0](b)", "a?.[0]?.(b) → a[0]?.(b)"]],
    ["x = Math.min(a, b)", ["Math.min(a, b) → Math.max(a, b)"]],
    ["x = a.filter(b).trim()", ["a.filter(b).trim() → a.filter(b)", "a.filter(b) → a"]],
    [
      "x = /^a[^b]+\\d$/",
      ["a[^b]+\\d$", "^a[b]+\\d$", "^a[^b]\\d$", "^a[^b]+\\D$", "^a[^b]+\\d"].map((to) => `/^a[^b]+\\d$/ → /${to}/`),
    ],
    ['import type { A } from "a"; let x: "b" | A = c as "d";', []],
    ['x = { "a": b }["c"]', ['{ "a": b } → {}', '"c" → ""']],
  ])("%s", (source, changes) => expect(changesOf(source)).toEqual(changes));
});

test("a mutant in the way of good tests is noticed, also one that never ends, and one of what runs at the import", async () => {
  const results = await judged([`${fixture}/good.test.ts`]);
  expect(survivorsOf(results)).toEqual([]);
  expect(scoreOf(results)).toBe(100);
  const statusOf = (from: string, to: string) =>
    results.find(({ mutant }) => mutant.from === from && mutant.to === to)?.status;
  expect(statusOf("axle++", "axle--")).toBe("endless");
  expect(statusOf("{ car: 5, lorry: 12 }", "{}")).toBe("killed");
});

test("weak tests leave most of them alive, and what no test reaches is said to be so", async () => {
  const results = await judged([`${fixture}/weak.test.ts`]);
  expect(results.find(({ mutant }) => mutant.from === "coins += 1")?.status).toBe("uncovered");
  expect(survivorsOf(results)).toContain(`${fixture}/toll.ts:7 toll: axle <= axles → (axle) < (axles)`);
  const survived = survivorsOf(results).length;
  expect(scoreOf(results)).toBeCloseTo((100 * (results.length - survived)) / results.length);
  expect(scoreOf(results)).toBeLessThan(70);
  expect(
    tableOf(new Map([["toll", results]]))
      .split("\n")
      .at(-1),
  ).toContain(`${scoreOf(results).toFixed(1)} %`);
});

test("a justified mutant counts neither for nor against the tests, and a justification that none needs is stale", async () => {
  const needed = { file: `${fixture}/toll.ts`, in: "toll", changes: ["coins += 1 → coins -= 1"], reason: "" };
  const needless = { ...needed, changes: ["axle++ → axle--"] };
  const results = await judged([`${fixture}/weak.test.ts`], [needed]);
  expect(results.filter(({ status }) => status === "justified")).toHaveLength(1);
  expect(staleOf(results, [needed])).toEqual([]);
  expect(staleOf(results, [{ ...needed, changes: [...needed.changes, ...needed.changes] }])).toEqual([needed]);
  expect(staleOf(results, [needed, needless]).map(({ changes }) => changes)).toEqual([needless.changes]);
});

test("every justified change is one of a mutant of the code as it is", () => {
  const mutantsOf = new Map<string, readonly Mutant[]>();
  for (const { file } of justified)
    mutantsOf.set(file, instrument(file, readFileSync(root + file, "utf8"), 1, false).mutants);
  const stale = justified.flatMap((entry) =>
    entry.changes
      .filter(
        (change) =>
          !mutantsOf.get(entry.file)!.some((mutant) => isJustifiedBy(mutant, { ...entry, changes: [change] })),
      )
      .map((change) => `${entry.file} ${entry.in}: ${change}`),
  );
  expect(stale).toEqual([]);
});

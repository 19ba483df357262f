/** The developers' tools: what their options are told, and what they tell of them. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import project from "../../package.json" with { type: "json" };
import { flag, number, oneOf, optionsOf, someOf } from "../../scripts/options.ts";

const read = (...args: readonly string[]) =>
  optionsOf(
    "npm run it",
    "What it does.",
    {
      rounds: number("rounds", 7, { max: 9 }),
      soakMinutes: number("minutes", undefined, { min: 0, isWhole: false }),
      part: oneOf(["one", "two"], "one part"),
      cases: someOf(["a", "b", "c"], "some cases"),
      path: { about: "where", takes: "path", read: (text: string) => `/${text}`, byDefault: "/" },
      quick: flag("soon over"),
    },
    args,
  );

describe("options of a tool", () => {
  it("are what the command line says", () => {
    const line = "--rounds 9 --soak-minutes 0.5 --part two --cases c,a --path x --quick";
    expect(read(...line.split(" "))).toEqual({
      ...{ rounds: 9, soakMinutes: 0.5, part: "two", cases: ["c", "a"], path: "/x", quick: true },
    });
  });

  it("have their defaults when it says nothing", () => {
    expect(read()).toEqual({ rounds: 7, path: "/", quick: false });
  });
});

describe("a tool ends", () => {
  let told = "";
  beforeEach(() => {
    told = "";
    for (const stream of [process.stdout, process.stderr])
      vi.spyOn(stream, "write").mockImplementation((text) => {
        told += text;
        return true;
      });
    vi.spyOn(process, "exit").mockImplementation((code) => {
      throw new Error(`exit ${code}`);
    });
  });
  afterEach(() => vi.restoreAllMocks());

  it.each([
    ["--rounds", "x", "'--rounds <n>' argument 'x' is invalid. It must be a whole number from 1 to 9."],
    ["--rounds", "0", "from 1 to 9"],
    ["--rounds", "10", "from 1 to 9"],
    ["--rounds", "1.5", "a whole number"],
    ["--soak-minutes", "", "'--soak-minutes <n>' argument '' is invalid. It must be a number from 0"],
    ["--part", "three", "'--part <name>' argument 'three' is invalid. There is no three, only one, two."],
    ["--cases", "a,d", "'--cases <names>' argument 'a,d' is invalid. There is no d, only a, b, c."],
    ["--round", "1", "unknown option '--round'"],
    ["rounds", "1", "too many arguments"],
  ])("with 2 and a sentence for %s %s", (name, value, sentence) => {
    expect(() => read(name, value)).toThrow("exit 2");
    expect(told).toContain(sentence);
  });

  it("with 0 after --help, which shows every option and its default", () => {
    expect(() => read("--help")).toThrow("exit 0");
    for (const text of ["npm run it --", "What it does.", "rounds (default: 7)", "--soak-minutes <n>", "one, two"])
      expect(told).toContain(text);
  });
});

// The others load wrangler, which takes a second each; they read their options by the same function.
it.each(["start", "sim", "mutation"] as const)("npm run %s --help says what it is, and nothing else", async (tool) => {
  const [, file = ""] = /node (?:-\S+ )?(\S+)$/.exec(project.scripts[tool]) ?? [];
  // Rejects with another exit code than 0.
  const { stdout } = await promisify(execFile)(process.execPath, [file, "--help"]);
  expect(stdout).toMatch(/^Usage: npm .*\n\n[A-Z][\s\S]*\n\nOptions:\n {2}--/);
});

import { describe, expect, test } from "vitest";
import { hasColours, paintFor, plain, span, table } from "../../../cli/output.ts";

const terminal = { write: () => {}, isTTY: true };

describe("colours", () => {
  test("are for terminals that can show them", () => {
    expect(hasColours(terminal, {})).toBe(true);
    expect(hasColours({ write: () => {} }, {})).toBe(false);
    expect(hasColours(terminal, { NO_COLOR: "1" })).toBe(false);
    expect(hasColours(terminal, { NO_COLOR: "" })).toBe(true);
    expect(hasColours(terminal, { TERM: "dumb" })).toBe(false);
  });
});

test("columns are as wide as they must be, whatever the colours", () => {
  const rows = [
    ["users", ["ready", "green"], "x"],
    ["o", "no", ""],
  ] as const;
  const shown = table(["A", "STATE", "C"], rows, paintFor(terminal, {}));
  const bare = "A      STATE  C\nusers  ready  x\no      no";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is taken out
  expect(shown.replaceAll(/\u001b\[\d+m/g, "").replaceAll(/ +$/gm, "")).toBe(bare);
  expect(table(["A", "STATE", "C"], rows, (_, text) => text)).toBe(bare);
});

test("text of others cannot steer a terminal", () => {
  expect(plain("a\u001b[2Jb\nc\u202ed")).toBe("a\ufffd[2Jb\ufffdc\ufffdd");
  expect(table(["A"], [["\u001b]0;x\u0007"]], (_, text) => text)).not.toContain("\u001b");
});

test.each([
  [-5, "0s"],
  [59_400, "59s"],
  [60_000, "1m"],
  [3_599_000, "59m"],
  [7_200_000, "2h"],
  [172_800_000, "2d"],
])("a span of %i ms is %s", (ms, text) => {
  expect(span(ms)).toBe(text);
});

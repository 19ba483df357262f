import { expect, test } from "vitest";
import { bounds } from "../../../src/bounds.ts";
import { quoted } from "../../../src/core/unmet.ts";

test("a value is shown in quotes, of one that is too long the beginning", () => {
  const longest = "é".repeat(bounds.explainedTextMax);
  expect(quoted(null)).toBe("absent");
  expect(quoted('a"b')).toBe('"a\\"b"');
  expect(quoted(longest)).toBe(`"${longest}"`);
  expect(quoted(`${longest}x`)).toBe(`"${longest}"...`);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonOf } from "../../../cli/files/part.ts";
import { yamlOf } from "../../../cli/yaml.ts";
import { jsonValue, parsed } from "./files/support.ts";

test("what is exported as YAML is read as the same value, member for member", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom("a", "b", "<<", "null", "1"), jsonValue, { minKeys: 1 }), (value) => {
      expect(JSON.stringify(jsonOf(parsed(yamlOf(value))))).toBe(JSON.stringify(value));
    }),
    { numRuns: 1_000 },
  );
});

/** Each fuzzer for `FUZZ_INPUTS` inputs: no finding, and the inputs reach what they aim at. */
import { describe, expect, test } from "vitest";
import { missedAims } from "./fuzzer.ts";
import { fuzzers } from "./fuzzers.ts";

const inputs = Number(process.env.FUZZ_INPUTS ?? 20_000);

describe(`${inputs} inputs break nothing`, () => {
  test.each(fuzzers.map((fuzzer) => [fuzzer.name, fuzzer] as const))("%s", async (name, fuzzer) => {
    const fuzzing = await fuzzer.start();
    try {
      const report = await fuzzing.run({ inputs, seed: 1 });
      expect(report.findings, `npm run fuzz -- --fuzzer ${name} --inputs ${inputs} --seed 1`).toEqual([]);
      expect(report.inputs).toBe(inputs);
      expect(missedAims(fuzzer, report)).toEqual([]);
    } finally {
      await fuzzing.stop();
    }
  });
});

/** `npm run fuzz -- --fuzzer NAME --inputs N --seed S`: one fuzzer, or all of them one after another. See README.md. */
import { parseArgs } from "node:util";
import { missedAims } from "./fuzzer.ts";
import { fuzzers } from "./fuzzers.ts";

const { values } = parseArgs({
  options: {
    fuzzer: { type: "string" },
    inputs: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
  },
});
const plan = { inputs: Number(values.inputs), seed: Number(values.seed) };
if (!(plan.inputs > 0 && Number.isInteger(plan.seed)))
  throw new Error("--inputs is a number above 0, --seed an integer");
const chosen = fuzzers.filter(({ name }) => values.fuzzer === undefined || name === values.fuzzer);
if (chosen.length === 0) {
  console.error(`There is no fuzzer ${values.fuzzer}. There are:`);
  for (const { name, about } of fuzzers) console.error(`  ${name}: ${about}`);
  process.exitCode = 2;
}
for (const { name, start, aims } of chosen) {
  const fuzzing = await start();
  try {
    const report = await fuzzing.run(plan);
    const { inputs, seconds, findings, counts } = report;
    const each = Math.round(inputs / seconds);
    console.log(`${name}: ${inputs} inputs in ${seconds.toFixed(1)} s (${each} a second), ${findings.length} findings`);
    for (const [what, count] of Object.entries(counts).sort(([, a], [, b]) => b - a)) console.log(`  ${count} ${what}`);
    for (const { seed, input, what, shown } of findings)
      console.log(`\nseed ${seed} input ${input}\n${what}\n${shown}`);
    const missed = missedAims({ aims }, report);
    for (const what of missed) console.log(`\nnot reached: ${what}`);
    if (findings.length + missed.length > 0) process.exitCode = 1;
  } finally {
    await fuzzing.stop();
  }
}

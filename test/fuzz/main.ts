/** `npm run fuzz -- --fuzzer NAME --inputs N --seed S`: one fuzzer, or all of them one after another. See README.md. */
import { parseArgs } from "node:util";
import { fuzzers } from "./fuzzers.ts";

const { values } = parseArgs({
  options: {
    fuzzer: { type: "string" },
    inputs: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
  },
});
const chosen = fuzzers.filter(({ name }) => values.fuzzer === undefined || name === values.fuzzer);
if (chosen.length === 0) {
  console.error(`There is no fuzzer ${values.fuzzer}. There are:`);
  for (const { name, about } of fuzzers) console.error(`  ${name}: ${about}`);
  process.exitCode = 2;
}
for (const { name, start } of chosen) {
  const fuzzing = await start();
  try {
    const { inputs, seconds, findings, counts } = await fuzzing.run({
      inputs: Number(values.inputs),
      seed: Number(values.seed),
    });
    const each = Math.round(inputs / seconds);
    console.log(`${name}: ${inputs} inputs in ${seconds.toFixed(1)} s (${each} a second), ${findings.length} findings`);
    for (const [what, count] of Object.entries(counts).sort(([, a], [, b]) => b - a)) console.log(`  ${count} ${what}`);
    for (const { seed, input, what, shown } of findings)
      console.log(`\nseed ${seed} input ${input}\n${what}\n${shown}`);
    if (findings.length > 0) process.exitCode = 1;
  } finally {
    await fuzzing.stop();
  }
}

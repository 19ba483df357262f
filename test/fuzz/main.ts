/** `npm run fuzz -- --fuzzer NAME --inputs N --seed S`: one fuzzer, or all of them one after another. See README.md. */
import { number, oneOf, optionsOf } from "../../scripts/options.ts";
import { missedAims } from "./fuzzer.ts";
import { fuzzers } from "./fuzzers.ts";

const about = ["Hostile input to the gateway and its parts:", ...fuzzers.map(({ name, about }) => `${name}: ${about}`)];
const { fuzzer, ...plan } = optionsOf("npm run fuzz", about.join("\n"), {
  fuzzer: oneOf(
    fuzzers.map(({ name }) => name),
    "this one, else each in turn",
  ),
  inputs: number("inputs of each", 1_000_000),
  seed: number("what they are drawn by", 1, { min: 0 }),
});
for (const { name, start, aims } of fuzzers) {
  if (fuzzer !== undefined && name !== fuzzer) continue;
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

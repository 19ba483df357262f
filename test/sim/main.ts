/** `npm run sim -- --seeds 100000`: plays many schedules, or with `--seed` one with its trace. See README.md. */
import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { Program } from "./load/program.ts";
import { mutants } from "./mutants.ts";
import type { Plan } from "./plan.ts";
import { type Result, Simulator } from "./run.ts";
import { shrink } from "./shrink.ts";
import { type PartName, partOf, planOf } from "./swarm.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "10000" },
    from: { type: "string", default: "1" },
    part: { type: "string" },
    seed: { type: "string" },
    minutes: { type: "string", default: "Infinity" },
    mutant: { type: "string" },
  },
});
const mutant = values.mutant === undefined ? undefined : mutants.find(({ name }) => name.includes(values.mutant!));
const part = (mutant?.part ?? values.part) as PartName | undefined;
const simulator = new Simulator(await Program.load(mutant?.patches));
if (values.seed === undefined) await playMany(Number(values.from), Number(values.seeds));
else await showOne(Number(values.seed));

/** Ends with the first that fails, or when the time is over. */
async function playMany(from: number, count: number): Promise<void> {
  const beganMs = performance.now();
  const runs = new Map<string, number>();
  const digest = createHash("sha256");
  let turns = 0;
  const perSecond = (played: number) => Math.round((played * 1_000) / (performance.now() - beganMs));
  const endMs = beganMs + Number(values.minutes) * 60_000;
  let seed = from;
  for (; seed < from + count && performance.now() < endMs; seed++) {
    const plan = planOf(seed, part);
    const result = await simulator.run(plan);
    if (result.breaches.length > 0) return fail(plan);
    const name = part ?? partOf(seed);
    runs.set(name, (runs.get(name) ?? 0) + 1);
    digest.update(`${seed} ${result.turns}\n`);
    turns += result.turns;
    const played = seed - from + 1;
    if (played % 10_000 === 0) console.log(`${played} schedules, ${perSecond(played)} a second`);
  }
  const played = seed - from;
  console.log(
    `${played} schedules from seed ${from}: no breach. ${turns} turns, ${perSecond(played)} schedules a second`,
  );
  console.log([...runs].map(([name, played]) => `${name} ${played}`).join(", "));
  console.log(`digest ${digest.digest("hex")}`);
}

async function fail(plan: Plan): Promise<void> {
  console.log(`seed ${plan.seed} fails; looking for a smaller schedule that does`);
  const smaller = await shrink(plan, (candidate) => simulator.run(candidate));
  show(smaller.plan, await simulator.run(smaller.plan, true));
  process.exitCode = 1;
}

async function showOne(seed: number): Promise<void> {
  const plan = planOf(seed, part);
  const result = await simulator.run(plan, true);
  if (result.breaches.length > 0) await fail(plan);
  else show(plan, result);
}

function show({ steps, ...rest }: Plan, { breaches, trace, turns }: Result): void {
  console.log(JSON.stringify(rest));
  for (const step of steps) console.log(`  ${JSON.stringify(step)}`);
  console.log(["", ...(trace ?? [])].join("\n"));
  console.log(["", `${turns} turns`, ...breaches].join("\n"));
}

/** `npm run sim -- --seeds 100000`: plays many schedules, or with `--seed` one with its trace. See README.md. */
import { createHash } from "node:crypto";
import { InvalidArgumentError } from "commander";
import { number, oneOf, optionsOf } from "../../scripts/options.ts";
import { Program } from "./load/program.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { mutants } from "./mutants.ts";
import type { Plan } from "./plan.ts";
import { type Result, Simulator } from "./run.ts";
import { shrink } from "./shrink.ts";
import { partNames, partOf, planOf } from "./swarm.ts";

const about = "Plays schedules of the whole system until one fails, which is made small and shown.";
const { seeds, from, seed, mutant, ...given } = optionsOf("npm run sim", about, {
  seeds: number("schedules to play", 10_000),
  from: number("seed of the first", 1, { min: 0 }),
  seed: number("plays this one and shows its trace", undefined, { min: 0 }),
  minutes: number("ends after so long (default: never)", undefined, { min: 0, isWhole: false }),
  part: oneOf(partNames, "plays those of one part, else of each in turn"),
  mutant: { about: "plants a fault, by a part of its name", takes: "text", read: mutantNamed, byDefault: undefined },
});
const part = mutant?.part ?? given.part;
const simulator = new Simulator(await Program.load(mutant?.patches));
if (seed === undefined) await playMany(from, seeds, given.minutes);
else await showOne(seed);

function mutantNamed(text: string): Mutant | undefined {
  const found = mutants.find(({ name }) => name.includes(text));
  if (found !== undefined) return found;
  throw new InvalidArgumentError(["It is in none of the names:", ...mutants.map(({ name }) => name)].join("\n  "));
}

/** Ends with the first that fails, or when the time is over. */
async function playMany(from: number, count: number, minutes = Number.POSITIVE_INFINITY): Promise<void> {
  const beganMs = performance.now();
  const runs = new Map<string, number>();
  const digest = createHash("sha256");
  let turns = 0;
  const perSecond = (played: number) => Math.round((played * 1_000) / (performance.now() - beganMs));
  const endMs = beganMs + minutes * 60_000;
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
  console.log(`digest of seeds and turns ${digest.digest("hex")}`);
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

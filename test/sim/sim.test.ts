/** What the simulator itself must keep, and what the schedules say of the product. `SIM_SCHEDULES`: their number. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { Program } from "./load/program.ts";
import { mutants } from "./mutants.ts";
import type { Plan } from "./plan.ts";
import { type Result, Simulator } from "./run.ts";
import { ruleOf, shrink } from "./shrink.ts";
import { type PartName, partNames, planOf } from "./swarm.ts";

const schedules = Number(process.env.SIM_SCHEDULES ?? 20_000);
/** In so many parts, so that a slow machine still tells how far it came. */
const batches = 20;
const batchMs = 120_000;

let simulator: Simulator;
beforeAll(async () => {
  simulator = new Simulator(await Program.load());
});

const traceOf = async (of: Simulator, seed: number, part: PartName): Promise<string> =>
  (await of.run(planOf(seed, part), true)).trace!.join("\n");

describe("a seed", () => {
  test.each(partNames)("gives the same trace to the byte, whatever ran before it: %s", async (part) => {
    const other = new Simulator(await Program.load());
    for (let seed = 1; seed <= 8; seed++) {
      const trace = await traceOf(simulator, seed, part);
      expect(trace.length).toBeGreaterThan(100);
      expect(await traceOf(simulator, seed, part)).toBe(trace);
      expect(await traceOf(other, seed, part)).toBe(trace);
    }
  });

  test("is another schedule than the next", async () => {
    const traces = new Set<string>();
    for (let seed = 1; seed <= 20; seed++) traces.add(await traceOf(simulator, seed, "limits"));
    expect(traces.size).toBe(20);
  });

  test("that is only looked at takes the same turns as one that is traced", async () => {
    for (const part of partNames) {
      const plan = planOf(3, part);
      expect((await simulator.run(plan)).turns).toBe((await simulator.run(plan, true)).turns);
    }
  });
});

describe(`${schedules} schedules hold every invariant`, () => {
  test.each(Array.from({ length: batches }, (_, at) => at))("part %i", { timeout: batchMs }, async (batch) => {
    const count = Math.ceil(schedules / batches);
    let turns = 0;
    for (let seed = 1 + batch * count; seed <= (batch + 1) * count; seed++) {
      const { breaches, turns: taken } = await simulator.run(planOf(seed));
      expect(breaches, `seed ${seed}: npm run sim -- --seed ${seed}`).toEqual([]);
      turns += taken;
    }
    expect(turns).toBeGreaterThan(50 * count);
  });
});

/** The first seed that finds a mutant, with what it says. */
async function firstBreach(
  of: Simulator,
  part: PartName,
  seeds: number,
): Promise<{ plan: Plan; result: Result } | null> {
  for (let seed = 1; seed <= seeds; seed++) {
    const plan = planOf(seed, part);
    const result = await of.run(plan);
    if (result.breaches.length > 0) return { plan, result };
  }
  return null;
}

describe("the checkers find", { timeout: 120_000 }, () => {
  test.each(mutants)("$name (within $withinSeeds seeds)", async ({ part, withinSeeds, rules, patches }) => {
    const mutated = new Simulator(await Program.load(patches));
    const found = await firstBreach(mutated, part, withinSeeds);
    expect(found, "was not found").not.toBeNull();
    expect(rules).toContain(ruleOf(found!.result.breaches[0]!));
  });

  test("faults of every rule: none of the checks is dead", () => {
    const [, table = ""] = readFileSync(`${import.meta.dirname}/README.md`, "utf8").split("| breach |");
    const named = [...table.matchAll(/^\| (`.*?) \|/gm)].map(([, cell]) => cell!);
    // `B1`-`B7` are seven. L3 is told of as L2, and L4 is the others under crashes.
    const rules = named
      .flatMap((cell) => cell.split(", "))
      .flatMap((each) => {
        const [, letter, from, to] = /^`([A-Z])(\d)`-`[A-Z](\d)`$/.exec(each) ?? [];
        if (letter === undefined) return [each.replaceAll("`", "")];
        return Array.from({ length: Number(to) - Number(from) + 1 }, (_, at) => `${letter}${Number(from) + at}`);
      });
    expect(rules.length).toBeGreaterThan(20);
    const told = new Set([...mutants.flatMap((mutant) => mutant.rules), "L3"]);
    expect(rules.filter((rule) => !told.has(rule))).toEqual([]);
  });

  test("a fault by a schedule that can be made small", async () => {
    const { part, withinSeeds, patches } = mutants.find(({ name }) => name === "a writer does not compare")!;
    const mutated = new Simulator(await Program.load(patches));
    const { plan, result } = (await firstBreach(mutated, part, withinSeeds))!;
    const smaller = await shrink(plan, (candidate) => mutated.run(candidate));
    expect(smaller.plan.steps.length).toBeLessThanOrEqual(4);
    expect(ruleOf(smaller.result.breaches[0]!)).toBe(ruleOf(result.breaches[0]!));
  });

  test("no fault where a patch fits nowhere: that is an error", async () => {
    const patch = { path: "src/core/limiting/lease.ts", from: "no such text", to: "" };
    await expect(Program.load([patch])).rejects.toThrow("exactly once");
  });
});

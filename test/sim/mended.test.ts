/** What the simulation has found in the product, as the smallest schedules that showed it: mended, to stay so. */
import { beforeAll, expect, test } from "vitest";
import { tick } from "../../src/core/leasing/expiry.ts";
import { heartbeat } from "../../src/core/leasing/leases.ts";
import { list } from "../../src/core/leasing/listing.ts";
import { bookOf, leasesOf, ttlMs } from "../unit/core/leasing/support.ts";
import { noFaults } from "./faults.ts";
import { Program } from "./load/program.ts";
import type { Plan, Step } from "./plan.ts";
import { Simulator } from "./run.ts";
import { type PartName, planOf } from "./swarm.ts";

let simulator: Simulator;
beforeAll(async () => {
  simulator = new Simulator(await Program.load());
});

/** Only this goes wrong; which of the two objects a call comes to, the seed decides. */
const planAt = (seed: number, part: PartName, steps: readonly Step[]): Plan => ({
  ...planOf(1, part),
  seed,
  isolates: 1,
  latencyMs: [1, 5],
  faults: noFaults,
  healAtMs: 1_000,
  endAtMs: 70_000,
  steps: [{ atMs: 0, kind: "put", place: 0, note: 0, ifRevision: "any", endsCanary: false }, ...steps],
});

async function breachesOf(planOfSeed: (seed: number) => Plan): Promise<string[]> {
  const breaches: string[] = [];
  for (let seed = 1; seed <= 20; seed++) breaches.push(...(await simulator.run(planOfSeed(seed))).breaches);
  return breaches;
}

test("a registry that was replaced says nothing from memory that its successor has changed", async () => {
  const steps: readonly Step[] = [
    { atMs: 123, kind: "deregister", place: 0, origin: 2 },
    { atMs: 139, kind: "replace", object: "SERVICE_REGISTRY/s", livesMs: 500, throws: false },
    { atMs: 143, kind: "register", place: 0, origins: [0], ifRevision: "any" },
    { atMs: 200, kind: "drain", place: 0, origin: 0, graceSeconds: 600 },
    { atMs: 220, kind: "list", place: 0 },
  ];
  const plan = (seed: number): Plan => {
    return { ...planAt(seed, "registry", steps), registry: { ttlSeconds: 300, isTimeless: true } };
  };
  expect(await breachesOf(plan)).toEqual([]);
});

test("a health object that was replaced acknowledges no order that it does not put in force", async () => {
  const steps: readonly Step[] = [
    { atMs: 110, kind: "traffic", place: 0, count: 1, gapMs: 0 },
    { atMs: 120, kind: "force", place: 0, state: "disabled" },
    { atMs: 140, kind: "force", place: 0, state: "auto" },
    { atMs: 160, kind: "replace", object: "SERVICE_HEALTH/s", livesMs: 500, throws: false },
    { atMs: 200, kind: "force", place: 0, state: "forced-open" },
    { atMs: 300, kind: "force", place: 0, state: "auto" },
    { atMs: 60_000, kind: "traffic", place: 0, count: 3, gapMs: 1_000 },
  ];
  const outcomes = { inForce: 0, unanswered: 0 };
  for (let seed = 1; seed <= 20; seed++) {
    const plan = planAt(seed, "health", steps);
    const service = { ...plan.service!, illnesses: [], mustHeal: true };
    const { breaches, trace } = await simulator.run({ ...plan, service }, true);
    const last = trace!.findLast((line) => line.includes(" force "));
    const id = /(#\d+) force/.exec(last ?? "")?.[1];
    const isAnswered = trace!.some((line) => line.includes(` < ServiceHealth(s) ${id} {"ok":true`));
    if (isAnswered) expect(breaches).toEqual([]);
    outcomes[isAnswered ? "inForce" : "unanswered"] += 1;
  }
  // Both objects were asked, by some seed.
  expect(Math.min(outcomes.inForce, outcomes.unanswered)).toBeGreaterThan(0);
});

test("a thaw by a clock that was set back leaves no suspect behind", () => {
  const book = bookOf(12);
  heartbeat(book, leasesOf(0, 9), 10_000);
  // Nine of twelve is below the share: a freeze, and three suspects.
  tick(book, ttlMs);
  expect(list(book, ttlMs).frozen).toBe(true);
  // A start on a machine whose clock is behind; enough renewals come back that the freeze ends.
  const nowMs = ttlMs - 1_000;
  heartbeat(book, leasesOf(0, 11), nowMs);
  tick(book, nowMs);
  const { frozen, origins } = list(book, nowMs);
  expect(frozen).toBe(false);
  expect(origins.map(({ state }) => state)).toEqual(Array.from({ length: 11 }, () => "ready"));
});

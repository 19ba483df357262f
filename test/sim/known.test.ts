/** What is known not to hold. A test that fails here has good news: see README.md. */
import { beforeAll, expect, test } from "vitest";
import { nextDueMs, tick } from "../../src/core/leasing/expiry.ts";
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

test("a registry that was replaced denies, from memory, what its successor has acknowledged", async () => {
  const steps: readonly Step[] = [
    { atMs: 123, kind: "deregister", place: 0, origin: 2 },
    { atMs: 139, kind: "replace", object: "SERVICE_REGISTRY/s", livesMs: 500, throws: false },
    { atMs: 143, kind: "register", place: 0, origins: [0], ifRevision: "any" },
    { atMs: 200, kind: "drain", place: 0, origin: 0, graceSeconds: 600 },
    { atMs: 220, kind: "list", place: 0 },
  ];
  const planTrusting = (trustsReplaced: boolean) => (seed: number) => {
    return { ...planAt(seed, "registry", steps), registry: { ttlSeconds: 300, isTimeless: true, trustsReplaced } };
  };
  // It is the only thing that is wrong.
  expect(await breachesOf(planTrusting(false))).toEqual([]);
  const breaches = await breachesOf(planTrusting(true));
  expect(breaches.some((breach) => breach.includes("origin_unknown"))).toBe(true);
  expect(breaches.every((breach) => breach.startsWith("linear:"))).toBe(true);
});

test("a health object that was replaced acknowledges, from memory, an order that changes nothing there", async () => {
  const steps: readonly Step[] = [
    { atMs: 110, kind: "traffic", place: 0, count: 1, gapMs: 0 },
    { atMs: 120, kind: "force", place: 0, state: "disabled" },
    { atMs: 140, kind: "force", place: 0, state: "auto" },
    { atMs: 160, kind: "replace", object: "SERVICE_HEALTH/s", livesMs: 500, throws: false },
    { atMs: 200, kind: "force", place: 0, state: "forced-open" },
    { atMs: 300, kind: "force", place: 0, state: "auto" },
    { atMs: 60_000, kind: "traffic", place: 0, count: 3, gapMs: 1_000 },
  ];
  const breaches = await breachesOf((seed) => {
    const plan = planAt(seed, "health", steps);
    return { ...plan, service: { ...plan.service!, illnesses: [], mustHeal: true } };
  });
  expect(breaches.length).toBeGreaterThan(0);
  expect(breaches.every((breach) => breach.startsWith("B7: forced-open"))).toBe(true);
});

test("a thaw by a clock that was set back leaves a suspect without a freeze, which no timer ends", () => {
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
  expect(origins.filter(({ state }) => state === "suspect")).toHaveLength(1);
  // The renewed leases are next, at the end of their whole ttl; nothing wakes the registry for the one that is over.
  expect(nextDueMs(book, nowMs)).toBe(nowMs + ttlMs);
});

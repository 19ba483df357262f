/** Moderate load with a fault now and then, for long: memory stays flat, nothing is thrown, and every failure is explained. */
import { setTimeout as wait } from "node:timers/promises";
import { rssMibOf } from "../../bench/measure/cpu.ts";
import { seeded } from "../support/random.ts";
import { blame, type Outcome, starvedFaults } from "./blame.ts";
import { configOf, echo, kinds, originCount } from "./harmed.ts";
import { inspectHeap } from "./heap.ts";
import { type Killable, startKillable } from "./killable.ts";
import { judgeMemory, type Memory, type Sample } from "./memory.ts";
import { kinds as faultKinds, type Origins, startOrigins } from "./origins.ts";
import { watchStarving } from "./starved.ts";
import { withState } from "./state.ts";
import { startTraffic } from "./traffic.ts";

const isolates = 2;
/** Requests that are due. */
export const perSecond = 60;
const sampleMs = 2_000;
/** Between the end of a fault and the next: some time has neither a fault nor what follows from one. */
const calmMs = { min: 8_000, max: 12_000 };
const harmedMs = { min: 500, max: 4_000 };
/** Share of the faults that hit every origin. */
const allShare = 0.3;
/** An operator writes a configuration, and an origin renews its lease, so often. */
const writeMs = 10_000;

export interface Soaked {
  readonly minutes: number;
  readonly sent: number;
  /** Requests that were due while as many as may be were under way. */
  readonly heldBack: number;
  readonly faults: number;
  /** Failures that a fault explains, and those that only the machine explains, as it let a process wait. */
  readonly explained: number;
  readonly starved: number;
  /** Share of the run in which it did. */
  readonly starvedShare: number;
  readonly unexplained: readonly Outcome[];
  /** What else must not be: lines about uncaught exceptions and rejections, and refused writes. */
  readonly complaints: readonly string[];
  readonly memory: Memory;
}

/** When a loop ends: at a time of `performance.now()`, or with a rejection when it is told to. */
interface Until {
  readonly endMs: number;
  readonly signal: AbortSignal;
}

/** Runs for `seconds`; the same seed harms in the same order. */
export function soak(seconds: number, seed: number): Promise<Soaked> {
  return withState((persist) => soakOn(persist, seconds, seed));
}

async function soakOn(persist: string, seconds: number, seed: number): Promise<Soaked> {
  const origins = await startOrigins(originCount);
  let gateway: Killable | null = null;
  try {
    gateway = await startKillable({ isolates, persist, inspected: true, config: configOf(origins) });
    return await watch(gateway, origins, seconds, seed);
  } finally {
    await gateway?.dispose();
    await origins.dispose();
  }
}

async function watch(gateway: Killable, origins: Origins, seconds: number, seed: number): Promise<Soaked> {
  const samples: Sample[] = [];
  const complaints: string[] = [];
  const beganMs = performance.now();
  const endMs = beganMs + seconds * 1_000;
  const witness = watchStarving(() => [process.pid, gateway.pid, ...origins.pids()]);
  const heap = await inspectHeap(gateway);
  const traffic = startTraffic(gateway.urls, kinds, perSecond);
  const ending = new AbortController();
  const until: Until = { endMs, signal: ending.signal };
  const loops = [
    harm(origins, until, seed),
    write(gateway, origins, until, complaints),
    repeat(sampleMs, until, async () => {
      const keptMib = await heap.keptMib();
      samples.push({ atMs: performance.now() - beganMs, keptMib, residentMib: rssMibOf(gateway.pid) });
    }),
  ];
  try {
    await Promise.all(loops);
  } finally {
    // When one fails the others end too, before what they work on is gone.
    ending.abort();
    heap.close();
    await Promise.allSettled(loops);
    await traffic.stop();
    witness.stop();
  }
  const ids = origins.list.map(({ id }) => id);
  const unharmed = traffic.failed.filter((outcome) => blame(outcome, origins.faults, echo) === null);
  const starving = starvedFaults(witness.starved, ids);
  const unexplained = unharmed.filter((outcome) => blame(outcome, starving, echo) === null);
  const tookMs = performance.now() - beganMs;
  return {
    minutes: tookMs / 60_000,
    sent: traffic.sent,
    heldBack: traffic.heldBack,
    faults: origins.faults.length,
    explained: traffic.failed.length - unharmed.length,
    starved: unharmed.length - unexplained.length,
    starvedShare: witness.starved.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0) / tookMs,
    unexplained,
    complaints: [...complaints, ...gateway.uncaught()],
    memory: judgeMemory(samples),
  };
}

async function harm(origins: Origins, { endMs, signal }: Until, seed: number): Promise<void> {
  const random = seeded(seed);
  const ids = origins.list.map(({ id }) => id);
  for (;;) {
    const calm = random.int(calmMs.min, calmMs.max);
    const harmed = random.int(harmedMs.min, harmedMs.max);
    const leftMs = endMs - performance.now();
    // The end is calm: what fails then is nobody's fault but the gateway's.
    if (leftMs < calm + harmed + calmMs.min) return void (await wait(Math.max(0, leftMs), null, { signal }));
    await wait(calm, null, { signal });
    const kind = faultKinds[random.int(0, faultKinds.length - 1)]!;
    await origins.harm(kind, random.chance(allShare) ? ids : [ids[random.int(0, ids.length - 1)]!], harmed);
  }
}

async function write(gateway: Killable, origins: Origins, until: Until, complaints: string[]): Promise<void> {
  const body = { url: origins.list[0]!.url, ttlSeconds: 60 };
  let turn = 0;
  await repeat(writeMs, until, async () => {
    turn++;
    const config = { ...configOf(origins), gateway: { debugHeaders: true, echoRequestId: turn % 2 === 0 } };
    try {
      await gateway.put(config);
      await gateway.register("registered", "o", body);
    } catch (error) {
      complaints.push(String(error));
    }
  });
}

/** Does `step` at once and `everyMs` after each end of it. */
async function repeat(everyMs: number, { endMs, signal }: Until, step: () => Promise<void>): Promise<void> {
  while (performance.now() < endMs) {
    await step();
    await wait(Math.max(0, Math.min(everyMs, endMs - performance.now())), null, { signal });
  }
}

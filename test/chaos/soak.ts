/** Moderate load with a fault now and then, for long: memory stays flat, nothing is thrown, and every failure is explained. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { rssMibOf } from "../../bench/measure/cpu.ts";
import { seeded } from "../support/random.ts";
import { blame, type Outcome } from "./blame.ts";
import { configOf, echo, kinds, originCount } from "./harmed.ts";
import { type Killable, startKillable } from "./killable.ts";
import { judgeMemory, type Memory, type Sample } from "./memory.ts";
import { kinds as faultKinds, type Origins, startOrigins } from "./origins.ts";
import { startTraffic } from "./traffic.ts";

const isolates = 2;
const perSecond = 60;
const sampleMs = 500;
/** Between the end of a fault and the next: some time has neither a fault nor what follows from one. */
const calmMs = { min: 6_000, max: 12_000 };
const harmedMs = { min: 500, max: 4_000 };
/** Share of the faults that hit every origin. */
const allShare = 0.3;
/** An operator writes a configuration, and an origin renews its lease, so often. */
const writeMs = 10_000;

export interface Soaked {
  readonly minutes: number;
  readonly sent: number;
  readonly faults: number;
  /** Failures that a fault explains. */
  readonly explained: number;
  readonly unexplained: readonly Outcome[];
  /** What else must not be: lines about uncaught exceptions and rejections, and refused writes. */
  readonly complaints: readonly string[];
  readonly memory: Memory;
}

/** Runs for `seconds`; the same seed harms in the same order. */
export async function soak(seconds: number, seed: number): Promise<Soaked> {
  const persist = await mkdtemp(join(tmpdir(), "sluice-soak-"));
  const origins = await startOrigins(originCount);
  let gateway: Killable | null = null;
  try {
    gateway = await startKillable({ isolates, persist, config: configOf(origins) });
    return await watch(gateway, origins, seconds, seed);
  } finally {
    await gateway?.dispose();
    await origins.dispose();
    await rm(persist, { recursive: true, force: true });
  }
}

async function watch(gateway: Killable, origins: Origins, seconds: number, seed: number): Promise<Soaked> {
  const samples: Sample[] = [];
  const complaints: string[] = [];
  const beganMs = performance.now();
  const endMs = beganMs + seconds * 1_000;
  const sampling = setInterval(() => {
    samples.push({ atMs: performance.now() - beganMs, mib: rssMibOf(gateway.pid) });
  }, sampleMs);
  const traffic = startTraffic(gateway.urls, kinds, perSecond);
  try {
    await Promise.all([harm(origins, endMs, seed), write(gateway, origins, endMs, complaints)]);
  } finally {
    clearInterval(sampling);
    await traffic.stop();
  }
  const unexplained = traffic.failed.filter((outcome) => blame(outcome, origins.faults, echo) === null);
  return {
    minutes: (performance.now() - beganMs) / 60_000,
    sent: traffic.sent,
    faults: origins.faults.length,
    explained: traffic.failed.length - unexplained.length,
    unexplained,
    complaints: [...complaints, ...gateway.uncaught()],
    memory: judgeMemory(samples),
  };
}

async function harm(origins: Origins, endMs: number, seed: number): Promise<void> {
  const random = seeded(seed);
  const ids = origins.list.map(({ id }) => id);
  for (;;) {
    const calm = random.int(calmMs.min, calmMs.max);
    const harmed = random.int(harmedMs.min, harmedMs.max);
    const leftMs = endMs - performance.now();
    // The end is calm: what fails then is nobody's fault but the gateway's.
    if (leftMs < calm + harmed + calmMs.min) return void (await wait(Math.max(0, leftMs)));
    await wait(calm);
    const kind = faultKinds[random.int(0, faultKinds.length - 1)]!;
    await origins.harm(kind, random.chance(allShare) ? ids : [ids[random.int(0, ids.length - 1)]!], harmed);
  }
}

async function write(gateway: Killable, origins: Origins, endMs: number, complaints: string[]): Promise<void> {
  const body = { url: origins.list[0]!.url, ttlSeconds: 60 };
  for (let turn = 0; performance.now() < endMs; turn++) {
    const config = { ...configOf(origins), gateway: { debugHeaders: true, echoRequestId: turn % 2 === 1 } };
    try {
      await gateway.put(config);
      await gateway.register("registered", "o", body);
    } catch (error) {
      complaints.push(String(error));
    }
    await wait(Math.max(0, Math.min(writeMs, endMs - performance.now())));
  }
}

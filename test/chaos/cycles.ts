/** Cycles of load, SIGKILL and restart on the same state, each checked against what was acknowledged. */
import { setTimeout as wait } from "node:timers/promises";
import { type Farm, startFarm } from "../support/farm.ts";
import { seeded } from "../support/random.ts";
import { overdueMsMax } from "./brief.ts";
import { play } from "./clients.ts";
import { type Killable, startKillable } from "./killable.ts";
import { awaitMonth, type LimitName, limitNames, usedOf } from "./limits.ts";
import { arrivals, type Books, configOf, deathsSince, emptyBooks, isolates, type Stage } from "./stage.ts";
import { withState } from "./state.ts";
import { lossesOf, serves } from "./survivors.ts";

/**
 * Answers to traffic before the kill: before the first permits are leased, or when all is in full swing. Counted, so that a
 * slow machine plays the same.
 */
const work = { min: 20, max: 500 };
/**
 * Answers in the cycles of one client, at least: the last of them goes on until its quotas are used up. A tenth is for each limit,
 * and that draw varies by a tenth, so half as much again as the largest quota.
 */
const workOfClient = 1_200;
/** From the last answer to the kill: it is to meet anything at all. */
const restMsMax = 100;
/** A machine too slow for the work is killed all the same. */
const loadMsMax = 60_000;
/** Cycles with the same newest client: its quotas are used up in one and must still be so in the next ones. */
const cyclesPerClient = 4;
/** What a cycle takes at most, in ms. */
export const cycleMsMax = loadMsMax + 30_000;

/** What a cycle found; everything in `breaches` is a loss, an exceeded limit or a wrong answer. */
export interface Cycle {
  /** To traffic, of any status. */
  readonly answers: number;
  readonly acknowledged: Counts;
  readonly inDoubt: Counts;
  readonly restartMs: number;
  readonly servesMs: number;
  /** How much of each limit each client has used up to now. */
  readonly shares: readonly Share[];
  /** By how much a short lease was served after its end at most. */
  readonly overdueMs: number;
  readonly breaches: readonly string[];
}

export interface Share {
  readonly name: LimitName;
  readonly client: string;
  /** Above 1 it is exceeded. */
  readonly used: number;
}

export interface Counts {
  readonly config: number;
  readonly origins: number;
  readonly orders: number;
}

/** Plays `count` cycles; `after` is called with each. */
export async function playCycles(count: number, seed: number, after: (cycle: Cycle) => void): Promise<Cycle[]> {
  await awaitMonth(count * cycleMsMax);
  return withState((persist) => playOn(persist, count, seed, after));
}

async function playOn(persist: string, count: number, seed: number, after: (cycle: Cycle) => void): Promise<Cycle[]> {
  const farm = await startFarm(1);
  const cycles: Cycle[] = [];
  let gateway: Killable | null = null;
  try {
    const { books, random, next, clients } = beginning(farm, seed);
    gateway = await startKillable({ isolates, persist, config: configOf(farm.origins[0]!.url, 0) });
    for (let cycle = 0; cycle < count; cycle++) {
      if (cycle % cyclesPerClient === 0) clients.push(`c${cycle}`);
      const stage: Stage = { gateway, books, origin: farm.origins[0]!, random, clients, next };
      const isLast = cycle % cyclesPerClient === cyclesPerClient - 1;
      const done = cycles.slice(cycle - (cycle % cyclesPerClient)).reduce((sum, { answers }) => sum + answers, 0);
      const wanted = Math.max(random.int(work.min, work.max), isLast ? workOfClient - done : 0);
      const crashed = await crash(stage, wanted);
      const beganMs = performance.now();
      gateway = await startKillable({ isolates, persist });
      const restartMs = performance.now() - beganMs;
      const judged = await judge({ ...stage, gateway }, crashed);
      // What the others leave in their log is read before they are killed.
      const breaches = cycle === count - 1 ? [...judged.breaches, ...gateway.uncaught()] : judged.breaches;
      const played = { ...crashed, restartMs, ...judged, breaches };
      cycles.push(played);
      after(played);
    }
    return cycles;
  } finally {
    await gateway?.dispose();
    await farm.dispose();
  }
}

function beginning(farm: Farm, seed: number) {
  const books: Books = emptyBooks();
  books.config.begin("config", 0);
  books.config.acknowledge("config", { value: 0, revision: 1 });
  let last = 0;
  return { books, random: seeded(seed), next: () => ++last, clients: [] as string[], farm };
}

/** Load, and in the midst of it the kill. */
async function crash(stage: Stage, wanted: number) {
  const { books, gateway } = stage;
  const before = countsOf(books, "acknowledged");
  const played = play(stage);
  const beganMs = performance.now();
  while (played.seen.answers < wanted && performance.now() - beganMs < loadMsMax) await wait(5);
  await wait(stage.random.int(0, restMsMax));
  const uncaught = gateway.uncaught();
  books.killsMs.push(performance.now());
  const killed = gateway.kill();
  await Promise.all([killed, played.killed()]);
  const after = countsOf(books, "acknowledged");
  const acknowledged = {
    config: after.config - before.config,
    origins: after.origins - before.origins,
    orders: after.orders - before.orders,
  };
  const breaches = [...played.seen.wrong, ...uncaught];
  // A restart may give leases a new end, so what was served before it is judged by the old ones.
  const overdueMs = books.brief.overdueMs(stage.origin);
  return { answers: played.seen.answers, overdueMs, acknowledged, inDoubt: countsOf(books, "inDoubt"), breaches };
}

async function judge(stage: Stage, crashed: Pick<Cycle, "breaches" | "overdueMs">) {
  const { tookMs: servesMs, wrong } = await serves(stage);
  const losses = await lossesOf(stage);
  for (const ledger of [stage.books.config, stage.books.origins, stage.books.orders]) ledger.inDoubt = 0;
  const log = arrivals(stage.origin);
  const shares = limitNames.flatMap((name) =>
    [...log.get(name)!].map(([client, times]) => {
      const isolatesEver = isolates + deathsSince(stage.books, times);
      return { name, client, used: usedOf(name, times, isolatesEver) };
    }),
  );
  const exceeded = shares
    .filter(({ used }) => used > 1)
    .map(({ name, client, used }) => `limit ${name} of ${client} is exceeded: ${used.toFixed(3)} of it are used`);
  const overdueMs = Math.max(crashed.overdueMs, stage.books.brief.overdueMs(stage.origin));
  const overdue = overdueMs > overdueMsMax ? [`a short lease was served ${overdueMs.toFixed(0)} ms after its end`] : [];
  return { servesMs, shares, overdueMs, breaches: [...crashed.breaches, ...wrong, ...losses, ...exceeded, ...overdue] };
}

const countsOf = ({ config, origins, orders }: Books, which: "acknowledged" | "inDoubt"): Counts => ({
  config: config[which],
  origins: origins[which],
  orders: orders[which],
});

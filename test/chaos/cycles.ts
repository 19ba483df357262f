/** Cycles of load, SIGKILL and restart on the same state, each checked against what was acknowledged. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Farm, startFarm } from "../support/farm.ts";
import { seeded } from "../support/random.ts";
import { play } from "./clients.ts";
import { type Killable, startKillable } from "./killable.ts";
import { awaitMonth, limitNames, usedOf } from "./limits.ts";
import { arrivals, type Books, configOf, emptyBooks, type Stage } from "./stage.ts";
import { lossesOf, serves } from "./survivors.ts";

const isolates = 3;
/** Time from the begin of the load to the kill: before the first leases are out, or when all is in full swing. */
const loadMs = { min: 50, max: 2_500 };
/** Cycles with the same newest client: its quotas are used up in one and must still be so in the next ones. */
const cyclesPerClient = 3;
const cycleMsMax = 30_000;

/** What a cycle found; everything in `breaches` is a loss, an exceeded limit or a wrong answer. */
export interface Cycle {
  readonly loadMs: number;
  readonly statuses: ReadonlyMap<number, number>;
  readonly acknowledged: Counts;
  readonly inDoubt: Counts;
  readonly restartMs: number;
  readonly servesMs: number;
  readonly limitsChecked: number;
  /** The most that any limit was used, as a share. */
  readonly used: number;
  readonly breaches: readonly string[];
}

export interface Counts {
  readonly config: number;
  readonly origins: number;
  readonly orders: number;
}

/** Plays `count` cycles; `after` is called with each. */
export async function playCycles(count: number, seed: number, after: (cycle: Cycle) => void): Promise<Cycle[]> {
  await awaitMonth(count * cycleMsMax);
  const persist = await mkdtemp(join(tmpdir(), "sluice-chaos-"));
  const farm = await startFarm(1);
  const cycles: Cycle[] = [];
  let gateway: Killable | null = null;
  try {
    const { books, random, next, clients } = beginning(farm, seed);
    gateway = await startKillable({ isolates, persist, config: configOf(farm.origins[0]!.url, 0) });
    for (let cycle = 0; cycle < count; cycle++) {
      if (cycle % cyclesPerClient === 0) clients.push(`c${cycle}`);
      const stage: Stage = { gateway, books, origin: farm.origins[0]!, random, clients, next };
      const crashed = await crash(stage);
      const beganMs = performance.now();
      gateway = await startKillable({ isolates, persist });
      const restartMs = performance.now() - beganMs;
      cycles.push({ ...crashed, restartMs, ...(await judge({ ...stage, gateway }, crashed)) });
      after(cycles.at(-1)!);
    }
    return cycles;
  } finally {
    await gateway?.dispose();
    await farm.dispose();
    await rm(persist, { recursive: true, force: true });
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
async function crash(stage: Stage) {
  const { books, gateway } = stage;
  const before = countsOf(books, "acknowledged");
  const played = play(stage);
  const ms = stage.random.int(loadMs.min, loadMs.max);
  await wait(ms);
  const uncaught = gateway.uncaught();
  const killed = gateway.kill();
  await Promise.all([killed, played.killed()]);
  const after = countsOf(books, "acknowledged");
  const acknowledged = {
    config: after.config - before.config,
    origins: after.origins - before.origins,
    orders: after.orders - before.orders,
  };
  const breaches = [...played.seen.wrong, ...uncaught];
  return { loadMs: ms, statuses: played.seen.statuses, acknowledged, inDoubt: countsOf(books, "inDoubt"), breaches };
}

async function judge(stage: Stage, { breaches }: { readonly breaches: readonly string[] }) {
  const { tookMs: servesMs, wrong } = await serves(stage);
  const losses = await lossesOf(stage);
  for (const ledger of [stage.books.config, stage.books.origins, stage.books.orders]) ledger.inDoubt = 0;
  const log = arrivals(stage.origin);
  const shares = limitNames.flatMap((name) =>
    [...log.get(name)!].map(([client, times]) => ({ name, client, used: usedOf(name, times) })),
  );
  const exceeded = shares
    .filter(({ used }) => used > 1)
    .map(({ name, client, used }) => `limit ${name} of ${client} is exceeded: ${used.toFixed(3)} of it are used`);
  return {
    servesMs,
    limitsChecked: shares.length,
    used: Math.max(0, ...shares.map(({ used }) => used)),
    breaches: [...breaches, ...wrong, ...losses, ...exceeded],
  };
}

const countsOf = ({ config, origins, orders }: Books, which: "acknowledged" | "inDoubt"): Counts => ({
  config: config[which],
  origins: origins[which],
  orders: orders[which],
});

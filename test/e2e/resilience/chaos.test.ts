/**
 * Origins die and come back, and requests are in the middle of it: what may be sent again gets its answer as long as one
 * origin is alive, what may not never arrives twice.
 *
 * Origins send the head and the body of an answer together. What no gateway can do is take back an answer whose head the
 * client has: when an origin dies in the middle of a body, the client sees it cut off.
 */
import { setTimeout as wait } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { decisionOf } from "../../support/decision.ts";
import type { FarmOrigin } from "../../support/farm.ts";
import { useFarm } from "../../support/farm-suite.ts";
import { headerOf } from "../../support/wire.ts";
import { seededRandom } from "../../unit/core/balancing/random.ts";
import { breakersOf } from "./story.ts";
import { until } from "./traffic.ts";

/** The same seed gives the same strokes; what they meet depends on the machine. */
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
const stormMs = 60_000;
const originCount = 4;
const clients = 50;
/** All clients send at once, so often. */
const tickMs = 250;
const answerMs = { min: 2, max: 80 };
/**
 * Pause between two strokes; each may kill an origin, if another lives, or start one. For a whole round over the origins to
 * come too late, two strokes must fall into it: one starts an origin that it has asked, one kills that which it has not.
 */
const strokeMs = { min: 150, max: 650 };

/** More than two rounds over all origins, and a budget for an outage of most of them: retries outnumber requests then. */
const retries = {
  ...{ attempts: 10, backoffMs: 10, maxBackoffMs: 50 },
  budget: { percent: 100, minPerSecond: 1_000 },
};
const services = {
  plain: { of: originCount, retries, watched: {} },
  // Breakers count tries: when one of four lives, 60 % of those of retried requests fail, and 75 % of the others.
  guarded: {
    of: originCount,
    retries,
    watched: { circuitBreaker: { failureRate: 0.9 }, outlierDetection: {}, healthCheck: { intervalSeconds: 1 } },
  },
  default: { of: originCount, retries: {}, watched: {} },
  rounds: { of: originCount, retries: { ...retries, attempts: 2 * originCount - 1 }, watched: {} },
  pair: { of: 2, retries: { ...retries, attempts: 1 }, watched: { outlierDetection: {} } },
};
const inStorm = ["plain", "guarded", "default"] as const;
type Name = (typeof inStorm)[number];

const suite = useFarm(originCount, (urls) => ({
  gateway: { debugHeaders: true },
  services: Object.fromEntries(
    Object.entries(services).map(([name, { of, watched }]) => [
      name,
      { ...watched, origins: urls.slice(0, of).map((url, index) => ({ id: `o${index}`, url })) },
    ]),
  ),
  routes: Object.entries(services).map(([name, service]) => ({
    ...{ name, service: name, matches: [{ path: { prefix: `/${name}` } }], retries: service.retries },
  })),
}));

describe("retries look for an origin that is alive", () => {
  it("in rounds: none is asked again before each of the others was", async () => {
    for (const origin of suite.farm.origins) origin.behave({ status: 503 });
    const requests = 10;
    for (let count = 0; count < requests; count++) expect((await suite.ask({ target: "/rounds" })).status).toBe(503);
    const counts = suite.farm.origins.map(({ asked }) => asked.length);
    console.info(`rounds: ${requests} requests of two rounds each, tries by origin ${counts.join(", ")}`);
    expect(counts).toEqual(Array(originCount).fill(2 * requests));
  });

  it("among those that are out too, when all the others have failed", async () => {
    const [out, only] = suite.farm.origins as [FarmOrigin, FarmOrigin];
    const ask = () => suite.ask({ target: "/pair" });
    await out.kill();
    await until(async () => {
      await ask();
      return (await breakersOf(suite.gateway, "pair")).ejected.length === 1;
    }, "it is ejected");
    await out.start();
    await until(async () => {
      out.clear();
      for (let count = 0; count < 20; count++) await ask();
      return out.asked.length === 0;
    }, "it gets nothing");
    await only.kill();
    for (let count = 0; count < 4; count++) {
      const received = await ask();
      expect([received.status, received.body.toString(), decisionOf(received).tries]).toEqual([200, out.id, 2]);
    }
  });
});

/** A request, and what became of it. */
interface Ended {
  readonly id: string;
  readonly name: Name;
  readonly method: string;
  readonly tries: number;
  /** `200` for a whole answer; else what the gateway says went wrong. */
  readonly result: string;
}

interface Storm {
  readonly ended: readonly Ended[];
  readonly kills: number;
  /** Most requests under way at once. */
  readonly mostAtOnce: number;
  /** How often each id came to an origin. */
  readonly arrivals: ReadonlyMap<string, number>;
}

const within = ({ min, max }: { min: number; max: number }, random: () => number) => min + random() * (max - min);

/** Kills and starts origins until the time is over. How many it has killed. */
async function rage(endMs: number): Promise<number> {
  const random = seededRandom(seed);
  const alive = new Set(suite.farm.origins);
  let kills = 0;
  // By the clock: a machine that kills and starts slowly is to have no milder storm.
  for (let strokeAtMs = performance.now(); ; ) {
    strokeAtMs += within(strokeMs, random);
    await wait(Math.max(0, strokeAtMs - performance.now()));
    const [drawn, mayStart] = [Math.floor(random() * originCount), random() < 0.5];
    if (performance.now() > endMs) return kills;
    const origin = suite.farm.origins[drawn]!;
    if (!alive.has(origin)) {
      if (!mayStart) continue;
      await origin.start();
      alive.add(origin);
    } else if (alive.size > 1) {
      alive.delete(origin);
      await origin.kill();
      kills++;
    }
  }
}

async function send(id: string, name: Name, method: string): Promise<Ended> {
  const isPost = method === "POST";
  const received = await suite.ask({
    ...{ method, target: `/${name}`, headers: [["x-id", id]], ...(isPost && { body: "abc" }) },
  });
  const { tries, retry = "" } = decisionOf(received);
  const failure = `${received.status} ${headerOf(received, "sluice-error") ?? ""} ${retry}`.trim();
  const result = received.status === 200 && received.complete ? "200" : failure;
  return { id, name, method, tries: Number(tries ?? 0), result };
}

async function storm(): Promise<Storm> {
  // This is before the first test, and so before the farm is reset for it.
  await suite.farm.reset();
  const random = seededRandom(seed + 1);
  const methods = ["GET", "GET", "GET", "HEAD", "POST"];
  for (const origin of suite.farm.origins) origin.behave({ delayMs: () => within(answerMs, random) });
  const endMs = performance.now() + stormMs;
  const ended: Ended[] = [];
  let [sent, mostAtOnce] = [0, 0];
  const client = async () => {
    for (;;) {
      await wait(tickMs - (performance.now() % tickMs));
      if (performance.now() > endMs) return;
      const id = sent++;
      mostAtOnce = Math.max(mostAtOnce, sent - ended.length);
      const method = methods[Math.floor(random() * methods.length)]!;
      ended.push(await send(String(id), inStorm[id % inStorm.length]!, method));
    }
  };
  const [kills] = await Promise.all([rage(endMs), ...Array.from({ length: clients }, client)]);
  const arrivals = new Map<string, number>();
  for (const { headers } of suite.farm.origins.flatMap(({ asked }) => asked)) {
    const id = String(headers["x-id"]);
    arrivals.set(id, (arrivals.get(id) ?? 0) + 1);
  }
  return { ended, kills, mostAtOnce, arrivals };
}

/** How often there is each, as text. */
function tally(items: readonly (string | number)[]): string {
  const counts = new Map<string | number, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([item, count]) => `${count} x ${item}`).join(", ");
}

describe("a storm: origins are killed and started at random for a minute, fifty clients go on", () => {
  let seen: Storm;
  beforeAll(async () => {
    seen = await storm();
    const { ended, kills, mostAtOnce } = seen;
    console.info(`storm: CHAOS_SEED=${seed}: ${ended.length} requests, ${mostAtOnce} at once, ${kills} kills`);
  }, 2 * stormMs);

  const endedOf = (name: Name, isPost: boolean) =>
    seen.ended.filter((one) => one.name === name && (one.method === "POST") === isPost);

  it("really rages: fifty requests at once, origins die under some of them", () => {
    expect(seen.mostAtOnce).toBe(clients);
    expect(seen.kills).toBeGreaterThan(30);
  });

  it.each(["plain", "guarded"] as const)("%s: no safe request fails while an origin is alive", (name) => {
    const ended = endedOf(name, false);
    const retried = ended.filter(({ tries }) => tries > 1).length / ended.length;
    const cut = ended.filter(({ id }) => seen.arrivals.get(id)! > 1).length;
    console.info(
      `storm: ${name}: ${ended.length} safe requests: ${tally(ended.map(({ result }) => result))}; ` +
        `${(100 * retried).toFixed(1)} % retried, ${cut} cut off at an origin; tries: ${tally(ended.map(({ tries }) => tries))}`,
    );
    expect(ended.filter(({ result }) => result !== "200").slice(0, 5)).toEqual([]);
    expect(ended.length).toBeGreaterThan(1_000);
    expect(retried).toBeGreaterThan(0.1);
    expect(cut).toBeGreaterThan(0);
  });

  it("default: what fails has spent the budget or its tries", () => {
    const ended = endedOf("default", false);
    console.info(`storm: default: ${ended.length} safe requests: ${tally(ended.map(({ result }) => result))}`);
    const unexplained = ended.filter(({ result, tries }) => result !== "200" && !/spent$/.test(result) && tries < 3);
    expect(unexplained).toEqual([]);
  });

  it("POST without an idempotency key fails rather than arrive twice", () => {
    const posts = inStorm.flatMap((name) => endedOf(name, true));
    const arrived = posts.map(({ id }) => seen.arrivals.get(id) ?? 0);
    console.info(
      `storm: POST: ${tally(posts.map(({ result }) => result))}; tries: ${tally(posts.map(({ tries }) => tries))}; ` +
        `arrivals: ${tally(arrived)}`,
    );
    expect(Math.max(...arrived)).toBe(1);
    const died = posts.filter(({ id, result }) => result !== "200" && seen.arrivals.get(id) === 1).length;
    expect(died).toBeGreaterThan(0);
  });
});

/** A second try beside a slow first: when it is sent, to whom, for which requests, how often, and what it is good for. */
import { describe, expect, it } from "vitest";
import { open, type Received, type Sent } from "../../support/client.ts";
import { decisionOf } from "../../support/decision.ts";
import type { FarmOrigin } from "../../support/farm.ts";
import { useFarm } from "../../support/farm-suite.ts";
import { inParallel } from "../../support/parallel.ts";
import { pause } from "../../support/suite.ts";
import { seededRandom } from "../../unit/core/balancing/random.ts";
import { until } from "./traffic.ts";

/** Practically every first try goes to `o0`. */
const heavy = 1_000_000;
/** What is slow, and what no warm-up has seen. */
const slowMs = 2_000;
/** A busy machine's, on top of a fifth. */
const slackMs = 100;
const lateDelayMs = 300;

const quick = { backoffMs: 1, maxBackoffMs: 1 };
const unlimited = { percent: 100, minPerSecond: 1_000 };
const frugal = { percent: 20, minPerSecond: 0 };

/** A route and a service of its own, as latencies and the budget are the service's. */
interface Setting {
  readonly hedging?: object;
  readonly retries?: object;
  readonly timeouts?: object;
  /** How many of the farm's origins; 2 if left out. */
  readonly origins?: number;
  /** `o0` is like the others. */
  readonly isEven?: boolean;
}
const settings = {
  off: { retries: quick },
  cold: { hedging: {} },
  on: { hedging: {} },
  // The gateway itself passes the body on, so workerd does not end the rest of the request before it.
  watched: { hedging: {}, timeouts: { idleMs: 4 * slowMs } },
  unsafe: { hedging: {} },
  "unsafe-retried": { hedging: {}, retries: { attempts: 1, budget: unlimited, ...quick } },
  single: { hedging: {}, origins: 1 },
  half: { hedging: { percentile: 50 } },
  most: { hedging: {} },
  late: { hedging: { minDelayMs: lateDelayMs } },
  retried: { hedging: {}, retries: { attempts: 1, budget: unlimited, ...quick } },
  // Of the fastest: everything that is slow stays slow, however much of it there is.
  frugal: { hedging: { percentile: 1 }, retries: { attempts: 0, budget: frugal } },
  broke: { hedging: {}, retries: { attempts: 1, budget: { percent: 0, minPerSecond: 0 } } },
  tail: { origins: 3, isEven: true },
  "tail-hedged": { hedging: {}, origins: 3, isEven: true },
} satisfies Record<string, Setting>;
type Name = keyof typeof settings;
const all = Object.entries<Setting>(settings);

const suite = useFarm(3, (urls) => ({
  gateway: { debugHeaders: true },
  services: Object.fromEntries(
    all.map(([name, { origins = 2, isEven = false }]) => [
      name,
      {
        origins: urls
          .slice(0, origins)
          .map((url, index) => ({ id: `o${index}`, url, weight: index === 0 && !isEven ? heavy : 1 })),
        loadBalancing: { policy: "random" },
      },
    ]),
  ),
  routes: all.map(([name, { hedging, retries, timeouts }]) => ({
    ...{ name, service: name, matches: [{ path: { prefix: `/${name}` } }] },
    ...(hedging && { hedging }),
    ...(retries && { retries }),
    ...(timeouts && { timeouts }),
  })),
}));

const ask = (name: Name, sent: Sent = {}): Promise<Received> => suite.ask({ target: `/${name}`, ...sent });
const o = (index: number): FarmOrigin => suite.farm.origins[index]!;
const counts = (): number[] => suite.farm.origins.map(({ asked }) => asked.length);
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
const outcome = (received: Received) => [received.status, received.body.toString()];
const givenUp = ({ asked }: FarmOrigin) => asked.filter(({ isGivenUp }) => isGivenUp).length;

/** Enough answers for a percentile, four at a time; then nobody was asked anything. */
async function warm(name: Name, count = 40): Promise<void> {
  const received = await inParallel(Array(count).fill(name), 4, (one: Name) => ask(one));
  expect(received.every(({ status }) => status === 200)).toBe(true);
  for (const origin of suite.farm.origins) origin.clear();
}

/** How long after the request was sent its hedge came, rising, for three requests whose first try never ends. */
async function hedgeDelaysMs(name: Name): Promise<number[]> {
  o(0).behave({ fails: "hangs" });
  const delaysMs: number[] = [];
  for (let count = 0; count < 3; count++) {
    for (const origin of suite.farm.origins) origin.clear();
    const sentMs = performance.now();
    expect(outcome(await ask(name))).toEqual([200, "o1"]);
    expect(counts()).toEqual([1, 1, 0]);
    delaysMs.push(o(1).asked[0]!.atMs - sentMs);
  }
  return delaysMs.sort((a, b) => a - b);
}

const rounded = (numbers: readonly number[]) => numbers.map((number) => number.toFixed(0)).join(", ");

describe("no hedge", () => {
  it("without `hedging`", async () => {
    await warm("off");
    o(0).behave({ delayMs: lateDelayMs });
    expect(outcome(await ask("off"))).toEqual([200, "o0"]);
    expect(counts()).toEqual([1, 0, 0]);
  });

  it("before twenty latencies are known", async () => {
    await warm("cold", 15);
    o(0).behave({ delayMs: lateDelayMs });
    expect(outcome(await ask("cold"))).toEqual([200, "o0"]);
    o(0).behave({});
    await warm("cold", 15);
    o(0).behave({ delayMs: slowMs });
    expect(outcome(await ask("cold"))).toEqual([200, "o1"]);
    expect(o(0).asked.length).toBe(1);
  });

  it("for a POST or PATCH without an idempotency key, nor for a body that is not kept", async () => {
    const names = ["unsafe", "unsafe-retried"] as const;
    for (const name of names) await warm(name);
    o(0).behave({ delayMs: lateDelayMs });
    const body = "abc";
    const sent: [Name, Sent][] = names.flatMap((name) =>
      ["POST", "PATCH"].flatMap((method) => [{ method }, { method, body }].map((one): [Name, Sent] => [name, one])),
    );
    sent.push(["unsafe", { method: "PUT", body }]);
    const outcomes = await Promise.all(sent.map(async ([name, one]) => outcome(await ask(name, one))));
    expect(outcomes).toEqual(sent.map(() => [200, "o0"]));
    expect(counts()).toEqual([sent.length, 0, 0]);
  });

  it("to the origin that is slow already, when the service has no other", async () => {
    await warm("single");
    o(0).behave({ delayMs: lateDelayMs });
    expect((await ask("single")).status).toBe(200);
    expect(counts()).toEqual([1, 0, 0]);
  });

  it("for a client that uploads slowly: the delay begins with the end of the upload", async () => {
    await warm("retried");
    const client = await open(suite.gateway.url);
    await client.send({ method: "PUT", target: "/retried", headers: [["Content-Length", "6"]] });
    await client.wire.write("abc");
    await pause(lateDelayMs);
    await client.wire.write("def");
    expect(outcome(await client.receive("PUT"))).toEqual([200, "o0"]);
    client.close();
    expect(counts()).toEqual([1, 0, 0]);
  });

  it("when the budget is nothing", async () => {
    await warm("broke");
    o(0).behave({ delayMs: lateDelayMs });
    expect(outcome(await ask("broke"))).toEqual([200, "o0"]);
    expect(counts()).toEqual([1, 0, 0]);
  });
});

describe("a hedge", () => {
  it("goes to another origin, whose answer wins; the slow one is given up at once", async () => {
    await warm("watched");
    o(0).behave({ delayMs: 2 * slowMs });
    o(1).behave({ bodyDelayMs: slowMs });
    let isOver = false;
    const answer = ask("watched").finally(() => {
      isOver = true;
    });
    await until(() => givenUp(o(0)) === 1, "the slow one is given up");
    expect(isOver).toBe(false);
    expect(outcome(await answer)).toEqual([200, "o1"]);
    expect([counts(), givenUp(o(1))]).toEqual([[1, 1, 0], 0]);
  });

  it("is a try in `sluice-decision`, like any other", async () => {
    await warm("on");
    o(0).behave({ delayMs: slowMs });
    expect(decisionOf(await ask("on"))).toMatchObject({ origin: "o1", tries: 2 });
  });

  it("is given up itself when the first answers before it", async () => {
    await warm("on");
    o(0).behave({ delayMs: lateDelayMs });
    o(1).behave({ delayMs: slowMs });
    expect(outcome(await ask("on"))).toEqual([200, "o0"]);
    await until(() => givenUp(o(1)) === 1, "the hedge is given up", slowMs / 2);
    expect([counts(), givenUp(o(0))]).toEqual([[1, 1, 0], 0]);
  });

  it("is sent for what may be sent again: GET, HEAD, PUT, DELETE, and POST with an idempotency key", async () => {
    await warm("retried");
    o(0).behave({ delayMs: slowMs });
    const headers = [["Idempotency-Key", '"8e03978e"']] as const;
    const some: Sent[] = [
      ...["GET", "HEAD", "PUT", "DELETE"].map((method) => ({ method })),
      { method: "PUT", body: "abc" },
      { method: "POST", body: "abc", headers },
      { method: "POST", body: ["a", "bc"], headers },
    ];
    for (const [index, sent] of some.entries()) {
      const received = await ask("retried", sent);
      expect([sent.method, received.status, decisionOf(received).origin]).toEqual([sent.method, 200, "o1"]);
      expect(o(1).asked[index]!.body.toString()).toBe(sent.body === undefined ? "" : "abc");
    }
    expect(counts()).toEqual([some.length, some.length, 0]);
  });

  it("comes after the percentile of the service's latencies", async () => {
    const tenthMs = 200;
    for (const name of ["half", "most"] as const) {
      let count = 0;
      o(0).behave({ delayMs: () => (count++ % 10 === 0 ? tenthMs : 5) });
      await warm(name);
    }
    const [half, most] = [await hedgeDelaysMs("half"), await hedgeDelaysMs("most")];
    console.info(
      `hedging: nine in ten fast, one in ten ${tenthMs} ms: p50 after ${rounded(half)}, p95 ${rounded(most)} ms`,
    );
    // Percentiles are off by a tenth at most.
    expect(most[0]!).toBeGreaterThan(0.85 * tenthMs);
    expect(most[1]!).toBeLessThan(1.1 * 1.2 * tenthMs + slackMs);
    expect(half[1]!).toBeLessThan(0.5 * tenthMs);
  });

  it("comes no earlier than minDelayMs", async () => {
    await warm("late");
    const delaysMs = await hedgeDelaysMs("late");
    console.info(`hedging: minDelayMs ${lateDelayMs}: after ${rounded(delaysMs)} ms`);
    expect(delaysMs[0]! / lateDelayMs).toBeGreaterThan(0.99);
    expect(delaysMs[1]!).toBeLessThan(1.2 * lateDelayMs + slackMs);
  });

  it.each<[string, Name, () => void]>([
    ["is answered with 503", "retried", () => o(0).behave({ status: 503, delayMs: lateDelayMs })],
    ["is answered with 503, without retries", "on", () => o(0).behave({ status: 503, delayMs: lateDelayMs })],
    ["is closed", "on", () => o(0).behave({ fails: "closes", delayMs: lateDelayMs })],
  ])("makes good a first that %s later", async (_, name, fail) => {
    await warm(name);
    fail();
    o(1).behave({ delayMs: 2 * lateDelayMs });
    expect(outcome(await ask(name))).toEqual([200, "o1"]);
    expect(counts()).toEqual([1, 1, 0]);
  });

  it("that fails does no harm: the first is waited for", async () => {
    o(0).behave({ delayMs: 10 });
    await warm("retried");
    o(0).behave({ delayMs: lateDelayMs });
    for (const behaviour of [{ status: 503 }, { fails: "closes" }] as const) {
      o(1).behave(behaviour);
      expect(outcome(await ask("retried"))).toEqual([200, "o0"]);
    }
    expect(counts()).toEqual([2, 2, 0]);
  });
});

describe("hedges together", () => {
  it("are bounded by the budget: a fifth of the requests", async () => {
    const [before, after] = [40, 60];
    await warm("frugal", before);
    for (const origin of suite.farm.origins) origin.behave({ delayMs: 150 });
    await inParallel(Array(after).fill("frugal"), 4, (name: Name) => ask(name));
    const hedges = sum(counts()) - after;
    console.info(`hedging: ${before + after} requests, the last ${after} slow: ${hedges} hedges`);
    expect(hedges).toBeLessThanOrEqual((before + after) / 5);
    expect(hedges).toBeGreaterThanOrEqual((before + after) / 10);
  });

  it("shorten the tail", async () => {
    const random = seededRandom(1);
    const tailMs = 1_000;
    const requests = 400;
    await warm("tail-hedged");
    for (const origin of suite.farm.origins) origin.behave({ delayMs: () => (random() < 0.03 ? tailMs : 5) });
    // In turn, so that both meet the same.
    const names = ["tail", "tail-hedged"] as const;
    let next = 0;
    const took = await inParallel(Array.from({ length: 2 * requests }), 8, async () => {
      const name = names[next++ % names.length]!;
      const startMs = performance.now();
      expect((await ask(name)).status).toBe(200);
      return { name, ms: performance.now() - startMs };
    });
    const p99 = (name: Name) => {
      const sorted = took
        .filter((one) => one.name === name)
        .map(({ ms }) => ms)
        .sort((a, b) => a - b);
      return sorted[Math.ceil(0.99 * sorted.length) - 1]!;
    };
    const [without, hedged] = [p99("tail"), p99("tail-hedged")];
    const hedges = sum(counts()) - took.length;
    console.info(
      `hedging: 3 % of the answers take ${tailMs} ms: p99 ${without.toFixed(0)} ms without, ${hedged.toFixed(0)} ms with, ` +
        `ratio ${(hedged / without).toFixed(2)}; ${((100 * hedges) / requests).toFixed(1)} % hedged`,
    );
    expect(without).toBeGreaterThanOrEqual(tailMs);
    expect(hedged / without).toBeLessThan(0.6);
  });
});

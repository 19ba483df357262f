/** Which origin gets a request, by the origins' own logs. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Received } from "../../support/client.ts";
import { decisionOf } from "../../support/decision.ts";
import type { FarmOrigin } from "../../support/farm.ts";
import { useFarm } from "../../support/farm-suite.ts";
import { inParallel } from "../../support/parallel.ts";
import { headerOf } from "../../support/wire.ts";
import { arrivalsAt, between, startTraffic, until } from "./traffic.ts";

const policies = ["round-robin", "random", "least-request", "ewma", "consistent-hash"] as const;
type Policy = (typeof policies)[number];

const hashOn = ["header:x-user-id"];
const slowStartMs = 2_100;
/** Every try that a test is about is made: the budget is a test of its own. */
const retries = { attempts: 2, backoffMs: 1, maxBackoffMs: 1, budget: { percent: 100, minPerSecond: 1_000 } };
const ejection = { consecutiveFailures: 3, baseEjectionSeconds: 1, maxEjectionPercent: 100 };

/** A service, and a route of its name to it. */
interface Setting {
  readonly loadBalancing: { readonly policy: Policy; readonly [more: string]: unknown };
  /** What is said of `o0`, `o1`, ...; the others may register. */
  readonly origins: readonly object[];
  readonly outlierDetection?: object;
  readonly retries?: object;
}

const byPolicy = (prefix: string, setting: Omit<Setting, "loadBalancing">): Record<string, Setting> =>
  Object.fromEntries(
    policies.map((policy) => [
      `${prefix}-${policy}`,
      { ...setting, loadBalancing: { policy, ...(policy === "consistent-hash" && { hashOn }) } },
    ]),
  );

const weights = [1, 2, 3, 0];
const settings: Record<string, Setting> = {
  ...byPolicy("weighted", { origins: weights.map((weight) => ({ weight })), retries }),
  ...byPolicy("even", { origins: [{}, {}, {}] }),
  weightless: { loadBalancing: { policy: "random" }, origins: [{ weight: 0 }, { weight: 0 }] },
  ring: { loadBalancing: { policy: "consistent-hash", hashOn }, origins: [], retries },
  zoned: {
    loadBalancing: { policy: "round-robin", zones: { map: { OSL: "near", US: "na" } } },
    origins: [{ zone: "eu" }, { zone: "eu" }, { zone: "na" }, { zone: "near" }],
    outlierDetection: ejection,
    retries,
  },
  growing: {
    loadBalancing: { policy: "round-robin", slowStartSeconds: slowStartMs / 1_000 },
    origins: [{}, {}],
  },
};

const suite = useFarm(
  4,
  (urls) => ({
    gateway: { debugHeaders: true },
    services: Object.fromEntries(
      Object.entries(settings).map(([name, { retries: _, origins, ...service }]) => [
        name,
        { ...service, origins: origins.map((origin, index) => ({ id: `o${index}`, url: urls[index], ...origin })) },
      ]),
    ),
    routes: Object.entries(settings).map(([name, { retries: some }]) => ({
      ...{ name, service: name, matches: [{ path: { prefix: `/${name}` } }] },
      ...(some && { retries: some }),
    })),
  }),
  { isolates: 2 },
);

type Headers = readonly (readonly [string, string])[];
const ask = async (service: string, headers: Headers = [], isolate = 0): Promise<Received> => {
  const received = await suite.ask({ target: `/${service}`, headers }, isolate);
  expect(received.status).toBe(200);
  return received;
};
const o = (index: number): FarmOrigin => suite.farm.origins[index]!;
const counts = (): number[] => suite.farm.origins.map(({ asked }) => asked.length);
const indices = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const as = (user: number): Headers => [["X-User-Id", `user-${user}`]];
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

describe.each(policies)("every policy: %s", (policy) => {
  const service = `weighted-${policy}`;
  const weighted = indices(3);

  it("spreads by weight, uses every origin, and gives one of weight 0 nothing", async () => {
    const requests = 400;
    // As long for all of them that a moment in which the machine is busy makes none look slow.
    for (const origin of suite.farm.origins) origin.behave({ delayMs: 20 });
    await inParallel(indices(requests), 20, (user) => ask(service, as(user)));
    const shares = counts().map((count) => count / requests);
    console.info(`${policy}, weights ${weights.join(", ")}: ${shares.map(percent).join(", ")}`);
    expect(counts()[3]).toBe(0);
    // Close to five standard deviations of a draw; what is dealt out in turns is exact.
    const tolerance = policy === "round-robin" ? 2 / requests : 0.12;
    for (const index of weighted) {
      expect(shares[index]).toBeGreaterThan(0);
      expect(Math.abs(shares[index]! - weights[index]! / 6)).toBeLessThan(tolerance);
    }
  });

  it("asks an origin that was not asked yet on each retry", async () => {
    const users = indices(40);
    for (const origin of suite.farm.origins) origin.behave({ status: 503 });
    await inParallel(users, 8, async (user) => {
      const received = await suite.ask({ target: `/${service}`, headers: as(user) });
      expect([received.status, decisionOf(received).tries]).toEqual([503, 3]);
    });
    const sorted = users.map((user) => `user-${user}`).sort();
    for (const index of weighted) {
      expect(
        o(index)
          .asked.map(({ headers }) => headers["x-user-id"])
          .sort(),
      ).toEqual(sorted);
    }
    expect(counts()[3]).toBe(0);
  });

  it("does not ask one of weight 0 even when the others are gone", async () => {
    for (const index of weighted) await o(index).kill();
    const received = await suite.ask({ target: `/${service}` });
    expect([received.status, decisionOf(received).tries]).toEqual([502, 3]);
    expect(counts()[3]).toBe(0);
  });
});

it("a service whose origins all have weight 0 has no origin", async () => {
  const received = await suite.ask({ target: "/weightless" });
  expect([received.status, headerOf(received, "sluice-error")]).toEqual([503, "no_origin"]);
  expect(counts()).toEqual([0, 0, 0, 0]);
});

describe("a slow origin among three", () => {
  const requests = 120;

  /** Share of the requests that the slow one got. */
  const shareOf = async (policy: Policy): Promise<number> => {
    await suite.farm.reset();
    for (const origin of suite.farm.origins) origin.behave({ delayMs: origin === o(0) ? 200 : 20 });
    await inParallel(indices(requests), 12, () => ask(`even-${policy}`));
    return counts()[0]! / requests;
  };

  it("gets less from least-request and ewma, and its third from round-robin", async () => {
    const even = await shareOf("round-robin");
    const least = await shareOf("least-request");
    const ewma = await shareOf("ewma");
    console.info(
      `ten times slower than two others: round-robin ${percent(even)}, least-request ${percent(least)} ` +
        `(${(least / even).toFixed(2)} of it), ewma ${percent(ewma)} (${(ewma / even).toFixed(2)})`,
    );
    expect(even).toBeCloseTo(1 / 3, 2);
    expect(least / even).toBeLessThan(0.7);
    expect(ewma / even).toBeLessThan(0.5);
  });
});

describe("consistent-hash", () => {
  const users = indices(120);
  const all = users.map((user) => `user-${user}`);
  const join = (index: number) => suite.gateway.register("ring", `o${index}`, { url: o(index).url, ttlSeconds: 60 });
  /** Who answers each user. */
  const originsOf = (isolate: number): Promise<string[]> =>
    inParallel(users, 8, async (user) => (await ask("ring", as(user), isolate)).body.toString());
  /** Until every isolate uses so many origins and needs no retry. */
  const settled = (origins: number) =>
    until(async () => {
      for (const isolate of suite.gateway.urls.keys()) {
        const received = await inParallel(users, 8, (user) =>
          suite.ask({ target: "/ring", headers: as(user) }, isolate),
        );
        if (received.some((one) => one.status !== 200 || decisionOf(one).tries !== 1)) return false;
        if (new Set(received.map(({ body }) => body.toString())).size !== origins) return false;
      }
      return true;
    }, `${origins} origins in use`);

  beforeAll(async () => {
    for (const index of indices(4)) await join(index);
    await settled(4);
  });

  it("sends a key to the same origin always, in every isolate, and spreads the keys", async () => {
    const first = await originsOf(0);
    expect(await originsOf(0)).toEqual(first);
    expect(await originsOf(1)).toEqual(first);
    for (const { id, asked } of suite.farm.origins) {
      const keys = first.filter((origin) => origin === id).length;
      expect(asked.length).toBe(3 * keys);
      expect(Math.abs(keys - users.length / 4)).toBeLessThan(4 * Math.sqrt((users.length * 3) / 16));
    }
  });

  it("moves at most 1/n + 5 % of the keys when an origin leaves, and gives them back when it returns", async () => {
    const before = await originsOf(0);
    await o(3).kill();
    // It is still registered, so its keys need a retry.
    const retried = await originsOf(0);
    expect((await suite.gateway.admin("/v1/services/ring/origins/o3", { method: "DELETE" })).ok).toBe(true);
    await settled(3);
    const after = await originsOf(0);
    const moved = all.filter((_, user) => before[user] !== after[user]);
    console.info(
      `one origin of four leaves: ${moved.length} of ${users.length} keys move, ${percent(moved.length / users.length)}`,
    );
    expect(moved.length / users.length).toBeLessThanOrEqual(1 / 4 + 0.05);
    expect(moved).toEqual(all.filter((_, user) => before[user] === "o3"));
    // Where a retry went is where the key now lives.
    expect(retried).toEqual(after);
    expect(await originsOf(1)).toEqual(after);
    await o(3).start();
    await join(3);
    await settled(4);
    expect(await originsOf(0)).toEqual(before);
    expect(await originsOf(1)).toEqual(before);
  });

  it("draws for requests without the key", async () => {
    await inParallel(indices(60), 8, () => ask("ring"));
    expect(counts().filter((count) => count > 0).length).toBe(4);
  });
});

describe("zones", () => {
  /** `request.cf`, as workerd takes it from who stands where Cloudflare's edge would. */
  const from = (place: object): Headers => [["MF-CF-Blob", JSON.stringify(place)]];
  const eu = from({ continent: "EU", country: "DE", colo: "FRA" });

  it("origins of the request's zone come first: by data centre, country, continent", async () => {
    for (const [place, expected] of [
      [eu, [4, 4, 0, 0]],
      [from({ continent: "NA", country: "US", colo: "EWR" }), [0, 0, 8, 0]],
      [from({ continent: "NA", country: "CA", colo: "YYZ" }), [0, 0, 8, 0]],
      [from({ continent: "EU", country: "NO", colo: "OSL" }), [0, 0, 0, 8]],
      // Nobody is there, or nobody knows where it is.
      [from({ continent: "AF", country: "KE", colo: "NBO" }), [2, 2, 2, 2]],
      [[], [2, 2, 2, 2]],
    ] as const) {
      await suite.farm.reset();
      for (let count = 0; count < 8; count++) await ask("zoned", place);
      expect([place, counts()]).toEqual([place, expected]);
    }
  });

  it("one keeps its requests while half of its origins are well, fails over when none is, and no client sees a failure", async () => {
    /** Until twenty requests in a row are answered at the first try, by these origins; how long that took. */
    const settledOn = async (...ids: string[]): Promise<string> => {
      let [asked, inARow] = [0, 0];
      const startMs = Date.now();
      while (inARow < 20) {
        if (Date.now() > startMs + 20_000) throw new Error(`not all at ${ids.join(", ")}`);
        const received = await ask("zoned", eu);
        const isThere = decisionOf(received).tries === 1 && ids.includes(received.body.toString());
        inARow = isThere ? inARow + 1 : 0;
        asked++;
      }
      return `${asked - inARow} requests and ${Date.now() - startMs} ms`;
    };
    await o(0).kill();
    const half = await settledOn("o1");
    await o(1).kill();
    const none = await settledOn("o2", "o3");
    await o(0).start();
    await o(1).start();
    const healed = await settledOn("o0", "o1");
    console.info(
      `zone of two: one dies, ${half} until all are at the other; both dead, ${none} until all are at other zones; both ` +
        `back, ${healed} until all are near again; no request failed`,
    );
  });
});

describe("slow start", () => {
  it("a new origin's share rises from a tenth of it to all of it in slowStartSeconds", async () => {
    const traffic = startTraffic({ urls: [suite.gateway.url], path: "/growing", perSecond: 100 });
    await until(() => traffic.answers.length > 20, "requests to the first two");
    await suite.gateway.register("growing", "o2", { url: o(2).url, ttlSeconds: 60 });
    const beganMs = (await until(() => arrivalsAt(o(2))[0], "a request to the third")).atMs;
    await until(() => Date.now() > beganMs + slowStartMs * (4 / 3), "the end of the slow start");
    const answers = await traffic.stop();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    const partMs = slowStartMs / 3;
    const shares = indices(4).map((part) => {
      const [fromMs, toMs] = [beganMs + partMs * part, beganMs + partMs * (part + 1)];
      const [one = 0, two = 0, three = 0] = suite.farm.origins.map(
        (origin) => between(arrivalsAt(origin), fromMs, toMs).length,
      );
      return three / (one + two + three);
    });
    console.info(
      `third origin's share in each third of its slow start, and after it: ${shares.map(percent).join(", ")}`,
    );
    const rising = shares.slice(0, 3);
    expect(rising).toEqual([...rising].sort((a, b) => a - b));
    expect(shares[0]).toBeLessThan(0.2);
    expect(Math.abs(shares[3]! - 1 / 3)).toBeLessThan(0.05);
  });
});

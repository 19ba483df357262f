/** Copies of requests: what reaches the mirror, and that nobody else notices. */
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { open, type Received, type Sent } from "../../support/client.ts";
import type { Behaviour, FarmOrigin } from "../../support/farm.ts";
import { useFarm } from "../../support/farm-suite.ts";
import { inParallel } from "../../support/parallel.ts";
import { headerOf } from "../../support/wire.ts";
import { breakerOf, breakersOf } from "./story.ts";
import { until } from "./traffic.ts";

const bodyMax = 64 * 1024;
const underWayMax = 64;
const methods = ["GET", "POST", "PUT"];
const short = { timeoutMs: 500 };

/** Settings of a route to `app` (v1 is `o0`, v2 is `o2`); `audit` is `o1`. */
const routes: Record<string, object> = {
  plain: {},
  safe: { mirror: [{ service: "audit" }] },
  all: { mirror: [{ service: "audit", methods }] },
  none: { mirror: [{ service: "audit", percent: 0 }] },
  half: { mirror: [{ service: "audit", percent: 50 }] },
  version: { mirror: [{ version: "v2" }] },
  both: { mirror: [{ service: "audit" }, { version: "v2" }] },
  nobody: { mirror: [{ service: "empty" }, { version: "v3" }] },
  long: { mirror: [{ service: "audit", timeoutMs: 30_000 }] },
  body: { mirror: [{ service: "audit", methods, ...short }] },
  retried: {
    mirror: [{ service: "audit", ...short }],
    // A status that no breaker counts.
    retries: { attempts: 3, backoffMs: 1, maxBackoffMs: 1, codes: [429] },
  },
  next: { traffic: [{ version: "v2" }] },
  audit: { service: "audit" },
  split: {
    mirror: [{ service: "audit" }],
    rewrite: { setHeaders: { "x-route": "1" } },
    traffic: [{ split: [{ version: "v1", weight: 1, rewrite: { path: { replacePrefixMatch: "/v1/split" } } }] }],
  },
};

/** Opens, or ejects, at the third failure in a row that counts. */
const health = {
  circuitBreaker: { consecutiveFailures: 3, openSeconds: 60, windowSeconds: 60 },
  outlierDetection: { consecutiveFailures: 3, maxEjectionPercent: 100 },
};

const suite = useFarm(3, ([app = "", audit, next]) => ({
  services: {
    app: {
      origins: [
        { id: "o0", url: app, version: "v1" },
        { id: "o2", url: next, version: "v2" },
      ],
      defaultVersion: "v1",
      ...health,
    },
    audit: { origins: [{ id: "o1", url: audit }], ...health },
    empty: {},
  },
  routes: Object.entries(routes).map(([name, settings]) => ({
    name,
    service: "app",
    matches: [{ path: { prefix: `/${name}` } }],
    ...settings,
  })),
}));

const ask = (route: string, sent: Sent = {}): Promise<Received> => suite.ask({ target: `/${route}`, ...sent });
const origin = (index: number): FarmOrigin => suite.farm.origins[index]!;
const copies = (index = 1): number => origin(index).asked.length;
/** Waits for as many copies, and for one too many. */
const expectCopies = async (count: number, index = 1): Promise<void> => {
  await expect.poll(() => copies(index), { timeout: 5_000 }).toBeGreaterThanOrEqual(count);
  await wait(100);
  expect(copies(index)).toBe(count);
};

describe("a copy", () => {
  it("is the request as the origin got it, marked as a copy", async () => {
    const headers = [
      ["X-Tenant", "acme"],
      ["X-Sluice-Mirror", "forged"],
      ["Cookie", "a=1"],
    ] as const;
    expect((await ask("safe", { target: "/safe/x?y=1", headers })).body.toString()).toBe("o0");
    await expectCopies(1);
    const [own] = origin(0).asked;
    const [copy] = origin(1).asked;
    expect([copy?.method, copy?.target]).toEqual(["GET", "/safe/x?y=1"]);
    const { host: _, ...rest } = own!.headers;
    expect(rest).not.toHaveProperty("x-sluice-mirror");
    expect(rest).toMatchObject({ "x-tenant": "acme", cookie: "a=1" });
    expect(copy?.headers).toMatchObject({ ...rest, "x-sluice-mirror": "1", host: new URL(origin(1).url).host });
  });

  it("has what the route and the split have rewritten", async () => {
    expect((await ask("split", { target: "/split/x" })).status).toBe(200);
    await expectCopies(1);
    expect(origin(0).asked[0]?.target).toBe("/v1/split/x");
    expect(origin(1).asked[0]).toMatchObject({ target: "/v1/split/x", headers: { "x-route": "1" } });
  });

  it("goes to another version, to another service, to both", async () => {
    await ask("version");
    await expectCopies(1, 2);
    expect(copies(1)).toBe(0);
    await ask("both");
    await expectCopies(2, 2);
    await expectCopies(1, 1);
    expect(origin(2).asked.map(({ headers }) => headers["x-sluice-mirror"])).toEqual(["1", "1"]);
  });

  it("has the body, however it was framed", async () => {
    const text = "0123456789".repeat(100);
    for (const body of [text, [text.slice(0, 400), text.slice(400)]]) {
      await suite.farm.reset();
      expect((await ask("all", { method: "POST", body })).status).toBe(200);
      await expectCopies(1);
      for (const index of [0, 1]) expect(origin(index).asked[0]?.body.toString()).toBe(text);
    }
  });

  it("is made of bodies up to 64 KiB; a larger one reaches the origin alone", async () => {
    const sizes = [bodyMax, bodyMax + 1];
    for (const size of sizes) {
      const bytes = Buffer.alloc(size, "x");
      for (const body of [bytes, [bytes.subarray(0, 1_000), bytes.subarray(1_000)]]) {
        expect((await ask("all", { method: "PUT", body })).status).toBe(200);
      }
    }
    await expectCopies(2);
    expect(origin(0).asked.map(({ body }) => body.length)).toEqual(sizes.flatMap((size) => [size, size]));
    expect(origin(1).asked.map(({ body }) => body.length)).toEqual([bodyMax, bodyMax]);
  });
});

describe("a copy is made", () => {
  it("of safe methods only, unless asked", async () => {
    for (const method of ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]) await ask("safe", { method });
    await expectCopies(3);
    expect(origin(1).asked.map(({ method }) => method)).toEqual(["GET", "HEAD", "OPTIONS"]);
    for (const method of ["HEAD", "POST", "PUT", "DELETE"]) await ask("all", { method });
    await expectCopies(5);
  });

  it("of no request by 0 percent, of each by 100, of about half by 50", async () => {
    const requests = 200;
    for (let count = 0; count < requests; count++) await ask("none");
    expect(copies()).toBe(0);
    for (let count = 0; count < 20; count++) await ask("safe");
    await expectCopies(20);
    origin(1).clear();
    for (let count = 0; count < requests; count++) await ask("half");
    await wait(200);
    console.info(`50 % of ${requests} requests: ${copies()} copies`);
    expect(Math.abs(copies() - requests / 2)).toBeLessThan(5 * Math.sqrt(requests / 4));
  });

  it("once of a request that is retried", async () => {
    origin(0).behave({ status: 429 });
    expect((await ask("retried")).status).toBe(429);
    await expectCopies(1);
    expect(origin(0).asked.length).toBe(4);
  });

  it("of a request whose client leaves before the end of the answer; it is not broken off, and gives its place back", async () => {
    origin(0).behave({ bodyDelayMs: 500 });
    origin(1).behave({ delayMs: 200 });
    const clients = Array.from({ length: (underWayMax * 3) / 4 });
    for (let round = 1; round <= 2; round++) {
      await inParallel(clients, clients.length, async () => {
        const client = await open(suite.gateway.url);
        await client.send({ target: "/long" });
        await client.head();
        client.reset();
      });
      await expectCopies(round * clients.length);
      await wait(300);
    }
    expect(origin(1).asked.filter(({ isGivenUp }) => isGivenUp)).toEqual([]);
  });

  it(`of no request while ${underWayMax} are under way, and of others when these have ended`, async () => {
    origin(1).behave({ fails: "hangs" });
    const requests = Array.from({ length: underWayMax + 36 });
    const answers = await inParallel(requests, 8, () => ask("long"));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(["200 o0"]));
    await expectCopies(underWayMax);
    await ask("version");
    await expectCopies(0, 2);
    await origin(1).kill();
    await origin(1).start();
    origin(1).behave({});
    await until(async () => (await ask("version")) && copies(2) > 0, "a copy after the others have ended");
    expect(copies(1)).toBe(underWayMax);
  });

  it("for nobody, silently, where there is no origin", async () => {
    const received = await ask("nobody");
    expect([received.status, received.body.toString(), headerOf(received, "sluice-error")]).toEqual([200, "o0", null]);
  });
});

describe("an upload that stalls", () => {
  it("keeps the place of its copy for no longer than timeoutMs", async () => {
    origin(0).behave({ isEarly: true, bodyDelayMs: 60_000 });
    const clients = await inParallel(Array.from({ length: underWayMax }), 8, async () => {
      const client = await open(suite.gateway.url);
      await client.send({ method: "POST", target: "/body", headers: [["Content-Length", "9"]] });
      await client.wire.write("abc");
      await client.head();
      return client;
    });
    origin(0).behave({});
    try {
      await until(async () => (await ask("version")) && copies(2) > 0, "a copy beside stalled uploads", 5_000);
    } finally {
      for (const client of clients) client.reset();
    }
  });
});

describe("a mirror that", () => {
  const requests = 6;

  /** Time of some requests, one after the other, as a multiple of that of requests without a mirror in between. */
  const ratioOf = async (route: string): Promise<number> => {
    const [mirrored, plain] = [
      { route, ms: 0 },
      { route: "plain", ms: 0 },
    ];
    origin(0).behave({ delayMs: 50 });
    for (let count = 0; count < requests; count++) {
      for (const series of [mirrored, plain]) {
        const startMs = performance.now();
        const received = await ask(series.route);
        series.ms += performance.now() - startMs;
        expect([received.status, received.body.toString()]).toEqual([200, "o0"]);
      }
    }
    return mirrored.ms / plain.ms;
  };

  it.each<[string, () => void | Promise<void>, number]>([
    ["never answers", () => origin(1).behave({ fails: "hangs" }), requests],
    ["is slow", () => origin(1).behave({ delayMs: 300 }), requests],
    ["is slow with its body", () => origin(1).behave({ bodyDelayMs: 300 }), requests],
    ["answers with an error", () => origin(1).behave({ status: 503 }), requests],
    ["closes the connection", () => origin(1).behave({ fails: "closes" }), requests],
    ["refuses", () => origin(1).kill(), 0],
  ])("%s neither disturbs nor delays, and is not asked again", async (how, fail, count) => {
    await fail();
    const ratio = await ratioOf("retried");
    console.info(`a mirror that ${how}: ${(ratio * 100).toFixed(0)} % of the time without a mirror`);
    // To wait for one that is slow would take seven times as long.
    expect(ratio).toBeLessThan(2);
    await expectCopies(count);
  });

  it("never answers is given up after timeoutMs", async () => {
    origin(1).behave({ fails: "hangs" });
    await ask("retried");
    await expect.poll(() => origin(1).asked[0]?.isGivenUp, { timeout: 5_000 }).toBe(true);
    expect(copies()).toBe(1);
  });

  it("dies in the middle does not disturb either", async () => {
    origin(1).behave({ delayMs: 200 });
    const answers = Promise.all(Array.from({ length: 10 }, () => ask("safe")));
    await expect.poll(() => copies(), { timeout: 5_000 }).toBeGreaterThan(0);
    await origin(1).kill();
    for (const { status } of await answers) expect(status).toBe(200);
    expect((await ask("safe")).status).toBe(200);
  });

  it("never answers does not hold up uploads", async () => {
    origin(1).behave({ fails: "hangs" });
    const uploads = 5;
    for (let count = 0; count < uploads; count++) {
      const body = [Buffer.alloc(bodyMax / 2, "x"), Buffer.alloc(bodyMax / 2, "y")];
      expect((await ask("body", { method: "POST", body })).status).toBe(200);
    }
    await expectCopies(uploads);
    const bytes = (index: number) => origin(index).asked.map(({ body }) => body.length);
    expect([bytes(0), bytes(1)]).toEqual([0, 1].map(() => Array.from({ length: uploads }, () => bodyMax)));
  });

  it.each<[string, Behaviour]>([
    ["answers with errors", { status: 503 }],
    ["closes connections", { fails: "closes" }],
  ])("%s is held against nobody: no breaker counts it, no origin is ejected", async (_, behaviour) => {
    const failures = 20;
    for (const index of [1, 2]) origin(index).behave(behaviour);
    for (let count = 0; count < failures; count++) expect((await ask("both")).status).toBe(200);
    for (const index of [1, 2]) await expectCopies(failures, index);
    const before = await counted();
    // Reached directly, each answers for itself; that is counted, and nothing else was.
    for (const index of [1, 2]) origin(index).behave({});
    expect((await ask("audit")).body.toString()).toBe("o1");
    expect((await ask("next")).body.toString()).toBe("o2");
    const direct = before.map((requests) => requests + 1);
    await until(async () => (await counted()).every((requests, at) => requests >= direct[at]!), "results are reported");
    expect(await counted()).toEqual(direct);
    for (const service of ["app", "audit"]) {
      const { breakers, ejected } = await breakersOf(suite.gateway, service);
      expect(breakers.map(({ state, counts }) => [state, counts.failures])).toEqual(breakers.map(() => ["closed", 0]));
      expect(ejected).toEqual([]);
    }
  });

  /** Results that the object has of what the mirrors go to: `audit`, and `v2` of `app`. */
  const counted = async (): Promise<number[]> => {
    const breakers = [await breakerOf(suite.gateway, "audit"), await breakerOf(suite.gateway, "app", "v2")];
    return breakers.map((breaker) => breaker?.counts.requests ?? 0);
  };
});

/** Requests under way at once: the bound for the whole world, by the origins' own counts, and places that are given back. */
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Connection, open } from "../../support/client.ts";
import { decisionOf } from "../../support/decision.ts";
import { useFarm } from "../../support/farm-suite.ts";
import { inParallel } from "../../support/parallel.ts";
import { headerOf } from "../../support/wire.ts";
import { breakerOf } from "./story.ts";
import { until } from "./traffic.ts";

const isolates = 2;
const few = 4;
const many = 12;
const halfOpenProbes = 2;
const breaker = { minimumRequests: 5, openSeconds: 1, halfOpenProbes, recoverySeconds: 0 };

/** Each has an origin of its own. */
const services = {
  many: { maxConcurrentRequests: many },
  leaving: { maxConcurrentRequests: few },
  cut: { maxConcurrentRequests: few },
  streamed: { maxConcurrentRequests: few },
  probed: { circuitBreaker: breaker },
  adaptive: { adaptiveConcurrency: { maxConcurrency: 4 } },
};
type Name = keyof typeof services;
const names = Object.keys(services) as Name[];

const suite = useFarm(
  names.length,
  (urls) => ({
    gateway: { debugHeaders: true },
    services: Object.fromEntries(
      names.map((name, at) => [name, { ...services[name], origins: [{ id: name, url: urls[at] }] }]),
    ),
    routes: names.map((name) => ({ name, service: name, matches: [{ path: { prefix: `/${name}` } }] })),
  }),
  { isolates },
);

const originOf = (name: Name) => suite.farm.origins[names.indexOf(name)]!;
const ask = (name: Name, isolate = 0) => suite.ask({ target: `/${name}` }, isolate);

/** Clients that have sent a request each, which the origin has got. */
async function waiting(name: Name, count: number): Promise<Connection[]> {
  const clients = await inParallel(Array.from({ length: count }), count, () => open(suite.gateway.url));
  const before = originOf(name).asked.length;
  for (const client of clients) await client.send({ target: `/${name}` });
  await until(() => originOf(name).asked.length >= before + count, `${count} requests to ${name}`);
  return clients;
}

describe("maxConcurrentRequests", () => {
  it("bounds what all isolates together have under way, by the origin's own count; the rest is refused at once", async () => {
    const origin = originOf("many");
    origin.behave({ delayMs: () => 20 + 60 * Math.random() });
    const requests = 900;
    const answers = await inParallel([...Array(requests).keys()], 40, (at) => ask("many", at % isolates));
    const passed = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status === 503);
    expect(passed.length + refused.length).toBe(requests);
    expect(origin.asked.length).toBe(passed.length);
    expect(origin.mostAtOnce).toBeLessThanOrEqual(many);
    // It is a bound to be used, not to be hidden behind.
    expect(origin.mostAtOnce).toBeGreaterThanOrEqual(many / 2);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) {
      expect(headerOf(answer, "sluice-error")).toBe("overloaded");
      expect(headerOf(answer, "retry-after")).toBe("1");
      expect(decisionOf(answer)).toMatchObject({ shed: "concurrency" });
    }
    console.info(
      `concurrency: of ${requests} requests, 40 at once over ${isolates} isolates, ${passed.length} passed; ` +
        `${origin.mostAtOnce} of ${many} at once by the origin's count`,
    );
  });

  it("counts an answer to the end of its body", async () => {
    originOf("streamed").behave({ bodyDelayMs: 1_500 });
    const clients = await waiting("streamed", few);
    for (const client of clients) await client.head();
    expect((await ask("streamed")).status).toBe(503);
    originOf("streamed").behave({});
    await until(async () => (await ask("streamed")).status === 200, "a place after the bodies", 10_000);
    for (const client of clients) client.close();
  });

  it.each([
    ["before the headers", "leaving", { fails: "hangs" }],
    ["in the midst of the body", "cut", { bodyDelayMs: 60_000 }],
  ] as const)(
    "a client that goes away %s gives its place back, and the origin is let go",
    async (_, name, behaviour) => {
      const origin = originOf(name);
      for (let round = 0; round < 3; round++) {
        origin.behave(behaviour);
        const clients = await waiting(name, few);
        if (name === "cut") for (const client of clients) await client.head();
        expect((await ask(name)).status).toBe(503);
        for (const client of clients) client.reset();
        origin.behave({});
        await until(async () => (await ask(name)).status === 200, "a place after clients have left", 5_000);
      }
      expect(origin.asked.filter(({ isGivenUp }) => isGivenUp).length).toBe(3 * few);
    },
  );
});

describe("clients that go away", () => {
  it("while they probe a half-open breaker leave the permit to others", async () => {
    const origin = originOf("probed");
    origin.behave({ status: 500 });
    for (let at = 0; at < breaker.minimumRequests; at++) await ask("probed");
    await until(async () => (await breakerOf(suite.gateway, "probed"))?.state === "open", "an open breaker");
    origin.behave({ fails: "hangs" });
    const clients: Connection[] = [];
    const probing = async () => {
      const client = await open(suite.gateway.url);
      clients.push(client);
      await client.send({ target: "/probed" });
      return origin.asked.length >= breaker.minimumRequests + halfOpenProbes;
    };
    await until(probing, "probes that hang");
    for (const client of clients) client.reset();
    origin.behave({});
    const leftMs = Date.now();
    await until(async () => (await ask("probed")).status === 200, "a permit after clients have left", 8_000);
    console.info(`concurrency: a probe is handed out again ${Date.now() - leftMs} ms after its client has left`);
  });

  it("are under way no more for adaptive concurrency", async () => {
    const origin = originOf("adaptive");
    origin.behave({ fails: "hangs" });
    const clients = await waiting("adaptive", 4);
    expect(decisionOf(await ask("adaptive"))).toMatchObject({ shed: "gradient" });
    for (const client of clients) client.reset();
    origin.behave({});
    await wait(200);
    expect((await ask("adaptive")).status).toBe(200);
  });
});

/** Whom a failure is put down to: what clients can do to a service, and what one origin's failure does to another. */
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { open } from "../../support/client.ts";
import { decisionOf } from "../../support/decision.ts";
import { useFarm } from "../../support/farm-suite.ts";
import { closesUsed, type Origin, startOrigin } from "../../support/origin.ts";
import { chunk, headerOf } from "../../support/wire.ts";
import { breakerOf, breakersOf, eventsOf } from "./story.ts";
import { arrivalsAt, between, startTraffic, until } from "./traffic.ts";

const probes = 2;
const breaker = { minimumRequests: 5, failureRate: 0.5, openSeconds: 1, halfOpenProbes: probes, recoverySeconds: 0 };

let raw: Origin;
beforeAll(async () => {
  raw = await startOrigin();
});
afterAll(() => raw.dispose());

const suite = useFarm(2, ([sick, other]) => ({
  gateway: { debugHeaders: true },
  services: {
    pair: {
      origins: [
        { id: "sick", url: sick },
        { id: "good", url: raw.url },
      ],
      outlierDetection: { consecutiveFailures: 1, baseEjectionSeconds: 60 },
    },
    uploads: { origins: [{ id: "raw", url: raw.url }], circuitBreaker: breaker, outlierDetection: {} },
    patient: {
      origins: [{ id: "raw", url: raw.url }],
      circuitBreaker: breaker,
      outlierDetection: { consecutiveFailures: 1, baseEjectionSeconds: 60 },
    },
    missing: { origins: [{ id: "other", url: other }], circuitBreaker: breaker },
    endless: { origins: [{ id: "raw", url: raw.url }], maxConcurrentRequests: 1 },
  },
  routes: ["pair", "uploads", "patient", "missing", "endless"].map((name) => ({
    ...{
      name,
      service: name,
      matches: [{ path: { prefix: `/${name}` } }],
      timeouts: { requestMs: 10_000, idleMs: name === "patient" ? 0 : 20_000 },
    },
  })),
}));

const ask = (name: string) => suite.ask({ target: `/${name}` });

it("a connection that went stale is no reason to ask an origin that is out", async () => {
  raw.clear();
  suite.farm.origins[0]!.behave({ status: 500 });
  await until(async () => {
    await ask("pair");
    return (await breakersOf(suite.gateway, "pair")).ejected.length === 1;
  }, "the sick one is ejected");
  await until(async () => decisionOf(await ask("pair")).origin === "good", "it is known");
  raw.clear(closesUsed());
  for (let count = 0; count < 6; count++) {
    const received = await ask("pair");
    expect([received.status, decisionOf(received).origin]).toEqual([200, "good"]);
  }
  expect(raw.requests.length).toBeGreaterThan(6);
});

describe("clients that do not finish their uploads", () => {
  it.each<[string, string]>([
    ["with a length", "Content-Length"],
    ["chunked", "Transfer-Encoding"],
  ])("do not open a breaker when the origin grows tired of them: %s", async (_, framing) => {
    raw.clear(async ({ method, reset, reply }) => {
      if (method === "GET") return reply("200 OK", []);
      await wait(1_500);
      reset();
    });
    const isLength = framing === "Content-Length";
    const clients = await Promise.all(
      Array.from({ length: 2 * breaker.minimumRequests }, async () => {
        const client = await open(suite.gateway.url);
        await client.send({ method: "POST", target: "/uploads", headers: [[framing, isLength ? "1000" : "chunked"]] });
        await client.wire.write(isLength ? "x" : chunk("x"));
        return client;
      }),
    );
    const received = await Promise.all(clients.map((client) => client.receive("POST")));
    for (const one of received) expect(headerOf(one, "sluice-error")).toBe("upstream_unreachable");
    for (const client of clients) client.close();
    await wait(1_200);
    expect((await ask("uploads")).status).toBe(200);
    expect(await eventsOf(suite.gateway, "uploads")).toEqual([]);
  });

  it.each<[string, string, string, string]>([
    ["a length, of which it sends less", "uploads", "Content-Length: 1000", "x"],
    ["a length, of which it sends less, and no bound on silence", "patient", "Content-Length: 1000", "x"],
    ["a large length", "patient", "Content-Length: 100000", "x"],
    ["chunks without the last one", "uploads", "Transfer-Encoding: chunked", "1\r\nx\r\n"],
    ["chunks that are none", "uploads", "Transfer-Encoding: chunked", "1\r\nx\r\nz\r\n"],
  ])(
    "are answered 400 when they break off, and neither open a breaker nor eject anybody: %s",
    async (_, service, framing, sent) => {
      raw.clear(async ({ body, reply, method }) => {
        if (method === "POST") await body();
        await reply("200 OK", []);
      });
      for (let count = 0; count < 2 * breaker.minimumRequests; count++) {
        const client = await open(suite.gateway.url);
        await client.wire.write(`POST /${service} HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${sent}`);
        client.wire.socket.end();
        expect(headerOf(await client.receive("POST"), "sluice-error")).toBe("invalid_request");
      }
      await wait(1_200);
      expect((await ask(service)).status).toBe(200);
      expect(await eventsOf(suite.gateway, service)).toEqual([]);
    },
  );

  it.each(["uploads", "patient"])("but an origin that ends them at once is to blame: %s", async (service) => {
    raw.clear(({ method, reset, reply }) => (method === "GET" ? reply("200 OK", []) : reset()));
    for (let count = 0; count < 2 * breaker.minimumRequests; count++) {
      await suite.ask({ method: "POST", target: `/${service}`, body: "abc" });
    }
    await until(async () => (await breakerOf(suite.gateway, service))?.state === "open", "an open breaker");
  });
});

it("a breaker whose probes are answered 4xx closes: the origin is there again", async () => {
  const origin = suite.farm.origins[1]!;
  origin.behave({ status: 500 });
  for (let count = 0; count < breaker.minimumRequests; count++) await ask("missing");
  await until(async () => (await breakerOf(suite.gateway, "missing"))?.state === "open", "an open breaker");
  origin.behave({ status: 404 });
  const traffic = startTraffic({ urls: suite.gateway.urls, path: "/missing", perSecond: 20 });
  const closed = await until(
    async () => (await eventsOf(suite.gateway, "missing", "breaker_closed"))[0],
    "a closed breaker",
  );
  await traffic.stop();
  const [halfOpen] = await eventsOf(suite.gateway, "missing", "breaker_half_open");
  expect(between(arrivalsAt(origin), halfOpen!.atMs, closed.atMs).length).toBeLessThanOrEqual(probes);
});

it("an answer whose length nobody can count to is passed on, and its place given back", async () => {
  raw.clear(async ({ body, head, reply, reset, target, wire }) => {
    await body();
    if (target.endsWith("/long")) {
      await head("200 OK", [["Content-Length", String(2 ** 60)]]);
      await wire.write("abc");
      await wait(200);
      return reset();
    }
    await reply("200 OK", []);
  });
  const received = await suite.ask({ target: "/endless/long" });
  expect([received.status, received.complete]).toEqual([200, false]);
  await until(async () => (await ask("endless")).status === 200, "a place", 3_000);
});

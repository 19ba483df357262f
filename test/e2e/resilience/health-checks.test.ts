/** Active checks of static and registered origins: who is ill gets no traffic, without a request having to fail for it. */
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Farm, type FarmOrigin, startFarm } from "../../support/farm.ts";
import { type Gateway, startGateway } from "../../support/gateway.ts";
import { eventsOf, nthEvent } from "./story.ts";
import { arrivalsAt, ask, between, failureRateOf, inTurn, startTraffic, until } from "./traffic.ts";

const isolates = 4;
const perSecond = 10;
const path = "/healthz";
const intervalMs = 1_000;
const timeoutMs = 300;
const inARow = 2;
/** A change of an origin's state is followed by every isolate that has traffic after so long. */
const publishedMs = 1_000;
/** By when checks have come to a conclusion: the pauses are 10 % off at most, and a machine may be busy. */
const concludedMs = (inARow + 1) * intervalMs * 1.1 + timeoutMs * inARow + 1_000;

const healthCheck = {
  ...{ path, timeoutMs, intervalSeconds: intervalMs / 1_000 },
  ...{ healthyAfter: inARow, unhealthyAfter: inARow },
};
const outlierDetection = { consecutiveFailures: 5, baseEjectionSeconds: 60 };
const services = {
  fixed: { healthCheck },
  registered: { healthCheck },
  early: { healthCheck, outlierDetection },
  ended: { healthCheck },
};
type Name = keyof typeof services;
const originsEach = 3;

let farm: Farm;
let gateway: Gateway;
const origins = {} as Record<Name, readonly FarmOrigin[]>;

beforeAll(async () => {
  const names = Object.keys(services) as Name[];
  farm = await startFarm(names.length * originsEach);
  for (const [at, name] of names.entries())
    origins[name] = farm.origins.slice(at * originsEach, (at + 1) * originsEach);
  gateway = await startGateway({ isolates, config: configOf(services) });
  for (const { id, url } of origins.registered) await gateway.register("registered", id, { url, ttlSeconds: 120 });
});

afterAll(async () => {
  await gateway?.dispose();
  await farm?.dispose();
});

function configOf(of: Readonly<Record<string, object>>) {
  return {
    services: Object.fromEntries(
      Object.entries(of).map(([name, service]) => [
        name,
        {
          ...service,
          ...(name !== "registered" && { origins: origins[name as Name].map(({ id, url }) => ({ id, url })) }),
        },
      ]),
    ),
    routes: Object.keys(of).map((name) => ({ name, service: name, matches: [{ path: { prefix: `/${name}` } }] })),
  };
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;
const checksAt = ({ asked }: FarmOrigin) => arrivalsAt({ asked: asked.filter(({ target }) => target === path) });
const trafficAt = ({ asked }: FarmOrigin) => arrivalsAt({ asked: asked.filter(({ target }) => target !== path) });

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly health: { readonly checks: string; readonly inARow?: number };
}

/** As `GET /v1/services/{service}` shows the origin. */
async function shown(service: Name, { id }: FarmOrigin): Promise<Shown> {
  const response = await gateway.admin(`/v1/services/${service}`);
  const { origins: all } = (await response.json()) as { origins: Shown[] };
  return all.find((origin) => origin.id === id)!;
}

/** The origin is ill from now on; checks that nobody asks it soon after that is known. */
async function goesOut(service: Name, origin: FarmOrigin, becomeIll: () => unknown, time = 1): Promise<void> {
  const illMs = Date.now();
  await becomeIll();
  const { atMs, origin: id } = await nthEvent(gateway, service, "origin_unhealthy", time);
  expect(id).toBe(origin.id);
  expect(atMs - illMs).toBeLessThan(concludedMs);
  await wait(publishedMs + 1_000);
  const last = Math.max(illMs, ...between(trafficAt(origin), 0, Date.now()).map((one) => one.atMs));
  console.info(
    `checks: ${service}: unhealthy ${seconds(atMs - illMs)} after it fell ill; the last request came ` +
      `${seconds(last - atMs)} after that`,
  );
  expect(last - atMs).toBeLessThan(publishedMs);
  const now = await shown(service, origin);
  expect([now.state, now.health.checks]).toEqual(["unhealthy", "failing"]);
  expect(now.health.inARow).toBeGreaterThanOrEqual(inARow);
}

/** The origin is well from now on; checks that it is asked again. */
async function comesBack(service: Name, origin: FarmOrigin, becomeWell: () => unknown, time = 1): Promise<void> {
  const wellMs = Date.now();
  await becomeWell();
  const { atMs, origin: id } = await nthEvent(gateway, service, "origin_healthy", time);
  expect(id).toBe(origin.id);
  const firstMs = await until(() => trafficAt(origin).find((one) => one.atMs > wellMs)?.atMs, "traffic comes back");
  console.info(
    `checks: ${service}: healthy ${seconds(atMs - wellMs)} after it was well; the first request came ` +
      `${seconds(firstMs - atMs)} after that`,
  );
  expect(atMs - wellMs).toBeLessThan(concludedMs);
  expect(firstMs - atMs).toBeLessThan(publishedMs + 500);
  expect((await shown(service, origin)).state).toBe("ready");
}

describe.concurrent("active checks", () => {
  it("a static origin: out when its check fails or hangs, back when it passes; all ill: all are used", async () => {
    const [origin] = origins.fixed as [FarmOrigin];
    const traffic = startTraffic({ urls: gateway.urls, path: "/fixed", perSecond });
    await until(() => origins.fixed.every((one) => checksAt(one).length > 0), "checks begin");
    await goesOut("fixed", origin, () => origin.behave({ status: 500 }, path));
    await comesBack("fixed", origin, () => origin.behave({}));
    await goesOut("fixed", origin, () => origin.behave({ fails: "hangs" }, path), 2);
    for (const other of origins.fixed) other.behave({ status: 503 }, path);
    await nthEvent(gateway, "fixed", "origin_unhealthy", 1 + originsEach);
    await wait(publishedMs + 500);
    const [fromMs, toMs] = [Date.now(), Date.now() + 1_000];
    await wait(1_000);
    const counts = origins.fixed.map((one) => between(trafficAt(one), fromMs, toMs).length);
    const answers = await traffic.stop();
    console.info(`checks: all ill: a second's requests by origin ${counts.join(", ")}`);
    for (const count of counts) expect(count).toBeGreaterThan(0);
    // The checks are wrong about them: they answer everything else.
    expect(failureRateOf(answers)).toBe(0);
  });

  it("a registered origin that dies is out, and back when it has been started again", async () => {
    const [origin] = origins.registered as [FarmOrigin];
    const traffic = startTraffic({ urls: gateway.urls, path: "/registered", perSecond });
    await until(() => origins.registered.every((one) => checksAt(one).length > 0), "checks begin");
    await goesOut("registered", origin, () => origin.kill());
    const diedMs = Date.now();
    await comesBack("registered", origin, () => origin.start());
    const answers = await traffic.stop();
    const later = answers.filter(({ sentMs }) => sentMs > diedMs);
    expect(failureRateOf(later)).toBe(0);
  });

  it("a passed check brings an ejected origin back early", async () => {
    const [origin] = origins.early as [FarmOrigin];
    const traffic = startTraffic({ urls: gateway.urls, path: "/early", perSecond });
    await until(() => origins.early.every((one) => checksAt(one).length > 0), "checks begin");
    origin.behave({ status: 500 });
    const ejected = await nthEvent(gateway, "early", "origin_ejected");
    await until(async () => (await shown("early", origin)).state !== "ready", "it is shown as out");
    await wait(1_500);
    const healedMs = Date.now();
    origin.behave({});
    const returns = async () => {
      const all = await eventsOf(gateway, "early", "origin_returned");
      return { early: all.filter(({ atMs }) => atMs <= healedMs), first: all.find(({ atMs }) => atMs > healedMs) };
    };
    const returned = await until(async () => (await returns()).first, "it returns");
    // One check may have passed just before it fell ill, and be told of late: it is ejected again then.
    expect((await returns()).early.length).toBeLessThanOrEqual(1);
    const firstMs = await until(
      () => trafficAt(origin).find(({ atMs }) => atMs > healedMs)?.atMs,
      "traffic comes back",
    );
    await traffic.stop();
    console.info(
      `checks: ejected for ${seconds(Number(ejected.forMs))}, returned by a check after ` +
        `${seconds(returned.atMs - ejected.atMs)}, ${seconds(returned.atMs - healedMs)} after it healed; first request ` +
        `${seconds(firstMs - returned.atMs)} later`,
    );
    expect([returned.origin, returned.reason]).toEqual([origin.id, "check"]);
    expect(returned.atMs - healedMs).toBeLessThan(concludedMs + 1_500);
  });
});

describe("the order to check", () => {
  it("stands without traffic, and ends with the configuration that gave it", async () => {
    await ask(`${gateway.url}/ended`);
    await until(() => origins.ended.every((one) => checksAt(one).length > 0), "checks begin");
    const fromMs = Date.now();
    const spanMs = 4 * intervalMs;
    await wait(spanMs);
    const counts = origins.ended.map((one) => between(checksAt(one), fromMs, fromMs + spanMs).length);
    console.info(`checks: in ${seconds(spanMs)} without traffic: ${counts.join(", ")} by origin`);
    for (const count of counts) expect([3, 4, 5]).toContain(count);

    origins.ended[0]!.behave({ status: 500 }, path);
    await nthEvent(gateway, "ended", "origin_unhealthy");
    await gateway.put(configOf({ ...services, ended: {} }));
    const putMs = Date.now();
    // Without checks nobody would ever call it healthy again.
    const answers = await inTurn(gateway.urls, "/ended", 24);
    expect(failureRateOf(answers)).toBe(0);
    expect(trafficAt(origins.ended[0]!).length).toBeGreaterThan(0);
    await wait(2_500);
    const last = Math.max(...origins.ended.flatMap((one) => checksAt(one).map(({ atMs }) => atMs)));
    console.info(`checks: the last one came ${seconds(last - putMs)} after the configuration had none`);
    expect(last - putMs).toBeLessThan(1_000);
    expect((await shown("ended", origins.ended[0]!)).state).toBe("ready");
    // Those of other services go on.
    expect(checksAt(origins.fixed[1]!).at(-1)!.atMs).toBeGreaterThan(putMs + 1_000);
  });
});

it("nothing was thrown that nobody caught", () => {
  expect(gateway.uncaught()).toEqual([]);
});

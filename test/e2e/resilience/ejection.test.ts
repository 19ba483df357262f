/** Ejection of single origins over four isolates: what clients see while one origin of four is bad, or all of them. */
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Farm, type FarmOrigin, startFarm } from "../../support/farm.ts";
import { type Gateway, startGateway } from "../../support/gateway.ts";
import { breakersOf, eventsOf, nthEvent } from "./story.ts";
import { arrivalsAt, between, failureRateOf, startTraffic, until } from "./traffic.ts";

const isolates = 4;
const originsEach = 4;
const perSecond = 20;
const consecutiveFailures = 5;
const baseMs = 2_000;
/** Ejections are so much shorter or longer. */
const jitter = 0.2;
/** Isolates hear of an ejection with their next report. */
const reportMs = 1_000;

const ejection = { consecutiveFailures, baseEjectionSeconds: baseMs / 1_000 };
const long = { consecutiveFailures, baseEjectionSeconds: 60 };
const services = {
  one: { outlierDetection: ejection },
  retried: { outlierDetection: ejection },
  "all-10": { outlierDetection: long },
  "all-100": { outlierDetection: { ...long, maxEjectionPercent: 100 } },
};
type Name = keyof typeof services;

let farm: Farm;
let gateway: Gateway;
const origins = {} as Record<Name, readonly FarmOrigin[]>;

beforeAll(async () => {
  const names = Object.keys(services) as Name[];
  farm = await startFarm(names.length * originsEach);
  for (const [at, name] of names.entries())
    origins[name] = farm.origins.slice(at * originsEach, (at + 1) * originsEach);
  gateway = await startGateway({
    isolates,
    config: {
      services: Object.fromEntries(
        names.map((name) => [name, { ...services[name], origins: origins[name].map(({ id, url }) => ({ id, url })) }]),
      ),
      routes: names.map((name) => ({
        ...{ name, service: name, matches: [{ path: { prefix: `/${name}` } }] },
        ...(name === "retried" && { retries: {} }),
      })),
    },
  });
});

afterAll(async () => {
  await gateway?.dispose();
  await farm?.dispose();
});

const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;
const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

describe.concurrent("ejection of origins", () => {
  it("one bad origin of four: under 1 % of errors within one ejection, out for longer each time, back when it heals", async () => {
    const [bad] = origins.one as [FarmOrigin];
    const traffic = startTraffic({ urls: gateway.urls, path: "/one", perSecond });
    await wait(500);
    bad.behave({ status: 500 });
    const failsFromMs = Date.now();
    const times = 3;
    for (let time = 1; time <= times; time++) await nthEvent(gateway, "one", "origin_ejected", time, 30_000);
    bad.behave({});
    const lastReturn = await nthEvent(gateway, "one", "origin_returned", times, 20_000);
    await wait(1_500);
    const endMs = Date.now();
    const answers = await traffic.stop();
    const ejected = await eventsOf(gateway, "one", "origin_ejected");
    const returned = await eventsOf(gateway, "one", "origin_returned");
    const log = arrivalsAt(bad);
    let beganMs = failsFromMs;
    for (const [at, { atMs, origin, forMs, times: ejections }] of ejected.entries()) {
      const back = returned[at]!;
      const known = Math.max(atMs, ...between(log, atMs, back.atMs).map((one) => one.atMs));
      const failed = answers.filter(({ status, sentMs }) => status === 500 && sentMs >= beganMs && sentMs < back.atMs);
      const out = answers.filter(({ sentMs }) => sentMs >= atMs && sentMs < back.atMs);
      const settled = out.filter(({ sentMs }) => sentMs >= atMs + reportMs);
      console.info(
        `ejection ${at + 1}: ${failed.length} failures in ${seconds(known - beganMs)} until nobody asked the origin, of ` +
          `${seconds(atMs - beganMs)} before the object ejected it; then ${percent(failureRateOf(settled))} of ` +
          `${settled.length}; out for ${seconds(Number(forMs))}`,
      );
      expect([origin, ejections, back.origin, back.reason]).toEqual([bad.id, at + 1, bad.id, "time"]);
      expect(failureRateOf(settled)).toBeLessThan(0.01);
      expect(settled.length).toBeGreaterThan(20);
      expect(known - atMs).toBeLessThan(reportMs);
      expect(Number(forMs) / (baseMs * (at + 1))).toBeGreaterThanOrEqual(1 - jitter);
      expect(Number(forMs) / (baseMs * (at + 1))).toBeLessThanOrEqual(1 + jitter);
      expect(back.atMs - atMs).toBeGreaterThanOrEqual(Number(forMs) - 1);
      beganMs = back.atMs;
    }
    expect(ejected).toHaveLength(times);
    // Healed and back: about a quarter of the requests, and no failure any more.
    const after = answers.filter(({ sentMs }) => sentMs >= lastReturn.atMs + 100 && sentMs < endMs);
    const share = between(log, lastReturn.atMs + 100, endMs).length / after.length;
    console.info(
      `ejection: back and healthy it gets ${percent(share)} of the requests, ${percent(failureRateOf(after))} fail`,
    );
    expect(share).toBeGreaterThan(0.1);
    expect(share).toBeLessThan(0.4);
    expect(failureRateOf(after)).toBe(0);
  });

  it("with retries clients see next to nothing of a bad origin, from the first moment on", async () => {
    const [bad] = origins.retried as [FarmOrigin];
    const traffic = startTraffic({ urls: gateway.urls, path: "/retried", perSecond });
    await wait(500);
    bad.behave({ status: 503 });
    const failsFromMs = Date.now();
    await nthEvent(gateway, "retried", "origin_ejected", 2);
    const answers = (await traffic.stop()).filter(({ sentMs }) => sentMs >= failsFromMs);
    const failures = between(arrivalsAt(bad), failsFromMs, Date.now()).length;
    console.info(
      `ejection and retries: ${failures} failures of the origin, ${percent(failureRateOf(answers))} of ${answers.length} ` +
        "requests failed for their clients",
    );
    expect(failures).toBeGreaterThanOrEqual(2 * consecutiveFailures);
    expect(failureRateOf(answers)).toBeLessThan(0.01);
  });

  it.each([
    ["all-10", 1],
    ["all-100", originsEach],
  ] as const)("all four bad, %s %% may be out: all are asked, clients get the origins' own 500", async (name, out) => {
    for (const origin of origins[name]) origin.behave({ status: 500, body: "mine" });
    const traffic = startTraffic({ urls: gateway.urls, path: `/${name}`, perSecond });
    await until(async () => (await breakersOf(gateway, name)).ejected.length === out, `${out} of ${name} are out`);
    await wait(reportMs + 500);
    const settledMs = Date.now();
    await wait(1_000);
    const asked = origins[name].map((origin) => between(arrivalsAt(origin), settledMs, Date.now()).length);
    const illUntilMs = Date.now();
    for (const origin of origins[name]) origin.behave({});
    await wait(50);
    const healedMs = Date.now();
    await wait(500);
    const answers = await traffic.stop();
    const ill = answers.filter(({ sentMs, tookMs }) => sentMs + tookMs < illUntilMs);
    expect(ill.length).toBeGreaterThan(10);
    const healed = answers.filter(({ sentMs }) => sentMs >= healedMs);
    const { ejected } = await breakersOf(gateway, name);
    console.info(`ejection: all bad, ${ejected.length} out: a second's requests by origin ${asked.join(", ")}`);
    expect(new Set(ill.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(["500 mine"]));
    expect(ejected).toHaveLength(out);
    const isPanic = out > originsEach / 2;
    expect(asked.filter((count) => count > 0)).toHaveLength(isPanic ? originsEach : originsEach - out);
    // Still out by the object, and served all the same.
    expect(healed.length).toBeGreaterThan(10);
    expect(failureRateOf(healed)).toBe(0);
  });
});

it("nothing was thrown that nobody caught", () => {
  expect(gateway.uncaught()).toEqual([]);
});

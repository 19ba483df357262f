/** Breakers while their object fails, hangs, loses its replies or is started anew: the isolates' reflex has to do. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bounds } from "../../../src/bounds.ts";
import { type Farm, type FarmOrigin, startFarm } from "../../support/farm.ts";
import { type Gateway, startGateway } from "../../support/gateway.ts";
import { breakerOf, eventsOf, force, nthEvent } from "./story.ts";
import { type Answer, type Arrival, arrivalsAt, between, inTurn, startTraffic, until } from "./traffic.ts";

const isolates = 4;
const perSecond = 20;
const openMs = 1_000;
const maxOpenMs = 2_000;
const recoveryMs = 1_000;
const minimumRequests = 20;
const circuitBreaker = {
  windowSeconds: 10,
  minimumRequests,
  openSeconds: openMs / 1_000,
  maxOpenSeconds: maxOpenMs / 1_000,
  recoverySeconds: recoveryMs / 1_000,
};
/** Open for the rest of the test. */
const long = { ...circuitBreaker, minimumRequests: 5, openSeconds: 60, maxOpenSeconds: 60 };
/** Open times and backoffs are so much shorter or longer. */
const jitter = 0.2;

const breakers = { fails: circuitBreaker, hangs: circuitBreaker, known: circuitBreaker, loses: circuitBreaker };
const restarted = { tripped: long, ordered: undefined, disabled: long };
type Name = keyof typeof breakers | keyof typeof restarted;

let farm: Farm;
let gateway: Gateway;
const origins = {} as Record<Name, FarmOrigin>;

beforeAll(async () => {
  const names = [...Object.keys(breakers), ...Object.keys(restarted)] as Name[];
  farm = await startFarm(names.length);
  for (const [at, name] of names.entries()) origins[name] = farm.origins[at]!;
  gateway = await startGateway({ isolates, healthProxy: true, config: configOf(breakers) });
});

afterAll(async () => {
  await gateway?.dispose();
  await farm?.dispose();
});

/** A service and a route for each. */
function configOf(services: Readonly<Record<string, object | undefined>>) {
  return {
    gateway: { debugHeaders: true },
    services: Object.fromEntries(
      Object.entries(services).map(([name, breaker]) => [
        name,
        { origins: [{ id: name, url: origins[name as Name].url }], ...(breaker && { circuitBreaker: breaker }) },
      ]),
    ),
    routes: Object.keys(services).map((name) => ({ name, service: name, matches: [{ path: { prefix: `/${name}` } }] })),
  };
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;
const codeOf = ({ headers }: Answer) => headers["sluice-error"];
const isServed = ({ status }: Answer) => status === 200;

/** Moments at which the isolate's requests reached the origin. */
const ofIsolate = (arrivals: readonly Arrival[], isolate: number): number[] =>
  arrivals.filter((one) => one.isolate === isolate).map(({ atMs }) => atMs);

/** Nothing but the origin's answers and `circuit_open`; the longest of them took less than `msMax`. */
function expectNobodyWaited(answers: readonly Answer[], what: string): void {
  const took = answers.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  console.info(
    `away: ${what}: ${answers.length} answers, median ${took[took.length >> 1]} ms, longest ${took.at(-1)} ms`,
  );
  expect(new Set(answers.map(codeOf))).toEqual(new Set([undefined, "circuit_open"]));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 500, 503]));
  // One that waited for the object would take as long as it is waited for, or as it hangs.
  expect(took.at(-1)).toBeLessThan(bounds.healthReportMsMax);
}

/** Waits until every isolate has served everything for a while. When that was first so. */
function allServed(traffic: { readonly answers: readonly Answer[] }, msMax: number): Promise<number> {
  const spanMs = 1_000;
  const settled = () => {
    const nowMs = Date.now();
    const recent = traffic.answers.filter(({ sentMs }) => sentMs >= nowMs - spanMs);
    const isEnough = recent.length > (isolates * perSecond * spanMs) / 1_000 / 2;
    return isEnough && recent.every(isServed) ? nowMs - spanMs : null;
  };
  return until(settled, "everything is served", msMax);
}

describe.concurrent("breakers without their object", () => {
  it.each([
    ["fails", "fail"],
    ["hangs", "hang"],
  ] as const)("that %s: each isolate opens for itself, tries once per backoff and recovers", async (name, fault) => {
    await gateway.health.set(name, fault);
    const origin = origins[name];
    const traffic = startTraffic({ urls: gateway.urls, path: `/${name}`, perSecond });
    await wait(500);
    origin.behave({ status: 500 });
    const failsFromMs = Date.now();
    await wait(4_500);
    origin.behave({});
    const healedMs = Date.now();
    const servedMs = await allServed(traffic, 8_000);
    const answers = await traffic.stop();
    const reports = (await gateway.health.reports())[name] ?? 0;
    const arrivals = arrivalsAt(origin);
    for (let isolate = 0; isolate < isolates; isolate++) {
      const own = ofIsolate(arrivals, isolate);
      const thresholdMs = own.find(
        (atMs, at) => at + 1 >= minimumRequests && 2 * own.filter((ms) => ms >= failsFromMs && ms <= atMs).length > at,
      )!;
      const tries = own.filter((atMs) => atMs > thresholdMs + openMs / 2 && atMs < healedMs);
      const late = own.filter((atMs) => atMs > thresholdMs && atMs < thresholdMs + openMs / 2).length;
      const pauses = tries.map((atMs, at) => atMs - (tries[at - 1] ?? thresholdMs));
      console.info(
        `away: the object ${name}: isolate ${isolate} let ${late} requests through after its threshold, then one after ` +
          `${pauses.map(seconds).join(", ")}`,
      );
      // Those that were under way.
      expect(late).toBeLessThanOrEqual(2);
      expect(tries.length).toBeGreaterThanOrEqual(2);
      for (const [at, ms] of pauses.entries()) {
        expect(ms).toBeGreaterThan((1 - jitter) * Math.min(maxOpenMs, openMs * 2 ** at) - 20);
      }
    }
    console.info(
      `away: the object ${name}: everything served ${seconds(servedMs - healedMs)} after the origin healed; ` +
        `${reports} reports were tried by ${isolates} isolates in ${seconds(Date.now() - failsFromMs + 500)}`,
    );
    expect(servedMs - healedMs).toBeLessThan((1 + jitter) * maxOpenMs + recoveryMs + 1_000);
    expectNobodyWaited(answers, `the object ${name}`);
    expect(await eventsOf(gateway, name)).toEqual([]);
    await gateway.health.set(name, "pass");
  });

  it("that goes away after it has opened one: one try per isolate and backoff, and all agree when it is back", async () => {
    const origin = origins.known;
    origin.behave({ status: 500 });
    const traffic = startTraffic({ urls: gateway.urls, path: "/known", perSecond });
    const { atMs: openedMs } = await nthEvent(gateway, "known", "breaker_opened");
    await until(async () => traffic.answers.slice(-isolates * 2).every((one) => codeOf(one) !== undefined), "refusals");
    await gateway.health.set("known", "fail");
    await wait(openedMs + 5_000 - Date.now());
    const [fromMs, toMs] = [openedMs + (1 - jitter) * openMs - 20, Date.now()];
    const tries = between(arrivalsAt(origin), fromMs, toMs);
    const counts = gateway.urls.map((_, isolate) => ofIsolate(tries, isolate).length);
    console.info(`away: the object went away with an open breaker: ${counts.join(", ")} tries by isolate in 5 s`);
    // The open time, then the isolate's own backoffs of 1 s and 2 s: two of them at most, and the object's permits before.
    for (const count of counts) expect(count).toBeLessThanOrEqual(3);
    expect(tries.length).toBeGreaterThanOrEqual(isolates);
    origin.behave({});
    const healedMs = Date.now();
    const servedMs = await allServed(traffic, 8_000);
    console.info(`away: everything served without the object ${seconds(servedMs - healedMs)} after the origin healed`);
    await gateway.health.set("known", "pass");
    const closed = await nthEvent(gateway, "known", "breaker_closed");
    await wait(recoveryMs + 2_000);
    const answers = await traffic.stop();
    const lastly = answers.filter(({ sentMs }) => sentMs > closed.atMs + recoveryMs + 1_500);
    expect(lastly.length).toBeGreaterThan(10);
    expect(lastly.every(isServed)).toBe(true);
    expect((await breakerOf(gateway, "known"))?.state).toBe("closed");
    expectNobodyWaited(answers, "the object went away");
  });

  it("that loses its replies: what it decides gets through, and permits that are lost do not hang it", async () => {
    const origin = origins.loses;
    await gateway.health.set("loses", "lose");
    const traffic = startTraffic({ urls: gateway.urls, path: "/loses", perSecond });
    await wait(500);
    origin.behave({ status: 500 });
    const opened = await nthEvent(gateway, "loses", "breaker_opened");
    const tried = await nthEvent(gateway, "loses", "breaker_half_open");
    // Reports go on being answered into the void, with permits.
    await wait(tried.atMs + 2_500 - Date.now());
    const learntMs = Math.max(
      ...gateway.urls.map((_, isolate) =>
        Math.max(...ofIsolate(between(arrivalsAt(origin), 0, opened.atMs + (1 - jitter) * openMs), isolate)),
      ),
    );
    origin.behave({});
    await gateway.health.set("loses", "pass");
    const backMs = Date.now();
    const servedMs = await allServed(traffic, 15_000);
    const closed = await nthEvent(gateway, "loses", "breaker_closed", 1, 20_000);
    const answers = await traffic.stop();
    const events = (await eventsOf(gateway, "loses")).map(({ type, atMs }) => `${type} ${seconds(atMs - opened.atMs)}`);
    console.info(
      `away: replies are lost: last request ${seconds(learntMs - opened.atMs)} after the opening, everything served ` +
        `${seconds(servedMs - backMs)} after replies came through again, ${events.join(", ")}`,
    );
    expect(closed.atMs - tried.atMs).toBeLessThan(bounds.probeUseMs + bounds.probeResultMs + 3_000);
    expectNobodyWaited(answers, "replies are lost");
  });
});

describe("breakers whose object is killed and started again", () => {
  let state: string;
  let first: Gateway | undefined;
  let second: Gateway | undefined;

  beforeAll(async () => {
    state = await mkdtemp(join(tmpdir(), "sluice-breakers-"));
  });
  afterAll(async () => {
    await first?.dispose();
    await second?.dispose();
    await rm(state, { recursive: true, force: true });
  });

  it("are still open, or ordered to be", async () => {
    first = await startGateway({ isolates: 2, persist: state, config: configOf(restarted) });
    for (const name of ["tripped", "disabled"] as const) {
      origins[name].behave({ status: 500 });
      await inTurn(first.urls, `/${name}`, 16);
      await nthEvent(first, name, "breaker_opened");
    }
    await force(first, "ordered", "forced-open");
    await force(first, "disabled", "disabled");
    const before = await breakerOf(first, "tripped");
    const asked = origins.tripped.asked.length;
    await first.dispose();
    first = undefined;

    second = await startGateway({ isolates: 2, persist: state });
    const startedMs = Date.now();
    const answers = Object.fromEntries(
      await Promise.all(
        Object.keys(restarted).map(async (name) => [name, await inTurn(second!.urls, `/${name}`, 8)] as const),
      ),
    );
    const after = await breakerOf(second, "tripped");
    console.info(
      `away: started again: generation ${before?.generation} is ${after?.generation}, until ${before?.until} is ${after?.until}; ` +
        `first refusal ${answers.tripped![0]!.sentMs - startedMs} ms after the start`,
    );
    expect(after).toMatchObject({ state: "open", generation: before!.generation, forced: "auto" });
    expect(Math.abs(Date.parse(after!.until!) - Date.parse(before!.until!))).toBeLessThan(1_000);
    expect(answers.tripped!.map(codeOf)).toEqual(answers.tripped!.map(() => "circuit_open"));
    expect(origins.tripped.asked.length).toBe(asked);
    expect(answers.ordered!.map(codeOf)).toEqual(answers.ordered!.map(() => "circuit_open"));
    expect(origins.ordered.asked.length).toBe(0);
    expect(answers.disabled!.map(({ status }) => status)).toEqual(answers.disabled!.map(() => 500));
    expect(second.uncaught()).toEqual([]);
  });
});

it("nothing was thrown that nobody caught", () => {
  expect(gateway.uncaught()).toEqual([]);
});

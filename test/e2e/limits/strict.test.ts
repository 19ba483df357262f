/** The bound holds for the whole world, by the log of the origin, and nearly all of it is used. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, startGateway } from "../../support/gateway.ts";
import { type HttpOrigin, startHttpOrigin } from "../../support/http-origin.ts";
import { type Answer, admitted, callsOf, type Outcome, run } from "./load.ts";

const isolates = 4;
const limit = 1_000;
const windowMs = 60_000;
const perSecond = (limit * 1_000) / windowMs;
const burst = 100;
const loadMs = 66_000;
/** 2.4 times what the limit admits. */
const offered = 2.4 * perSecond;
/** Time between the gateway's decision and the origin's note of it, more for one request than for another. */
const transitMs = 25;

const names = ["sliding", "fixed", "token", "leaky"] as const;
type Name = (typeof names)[number];

const windows = [{ limit, seconds: windowMs / 1_000 }];
const rateLimits = {
  sliding: { algorithm: "sliding-window", windows, key: ["global"] },
  fixed: { algorithm: "fixed-window", windows, key: ["global"] },
  token: { algorithm: "token-bucket", rate: perSecond, burst, key: ["global"] },
  leaky: { algorithm: "leaky-bucket", rate: perSecond, burst, key: ["global"] },
};

let gateway: Gateway;
let origins: Record<Name, HttpOrigin>;
let outcomes: Record<Name, Outcome>;
let objectCalls: Readonly<Record<string, number>>;

async function byName<T>(task: (name: Name) => Promise<T>): Promise<Record<Name, T>> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await task(name)] as const))) as Record<
    Name,
    T
  >;
}

beforeAll(async () => {
  origins = await byName(startHttpOrigin);
  const services = Object.fromEntries(names.map((name) => [name, { origins: [{ id: name, url: origins[name].url }] }]));
  const routes = names.map((name) => ({
    name,
    service: name,
    matches: [{ path: { prefix: `/${name}` } }],
    rateLimits: [name],
  }));
  const config = { gateway: { debugHeaders: true }, services, rateLimits, routes };
  gateway = await startGateway({ isolates, limiterProxy: true, config });
  // All at once: the machine has time for it, and it takes a minute only once.
  outcomes = await byName((name) => run({ urls: gateway.urls, path: `/${name}`, rate: offered, durationMs: loadMs }));
  objectCalls = await gateway.limiters.calls();
}, loadMs + 60_000);

afterAll(async () => {
  await gateway?.dispose();
  for (const origin of Object.values(origins ?? {})) await origin.close();
});

/** Most events in any interval [t, t + spanMs). */
function mostIn(timesMs: readonly number[], spanMs: number): number {
  let most = 0;
  for (let first = 0, last = 0; last < timesMs.length; last++) {
    while (timesMs[last]! - timesMs[first]! >= spanMs) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** By how much any interval holds more than `burst + rate * T`: every pair of events is the ends of one. */
function excessOf(timesMs: readonly number[]): number {
  let excess = Number.NEGATIVE_INFINITY;
  for (let first = 0; first < timesMs.length; first++) {
    for (let last = first; last < timesMs.length; last++) {
      const spanMs = timesMs[last]! - timesMs[first]!;
      excess = Math.max(excess, last - first + 1 - burst - (perSecond * spanMs) / 1_000);
    }
  }
  return excess;
}

function byMinute(timesMs: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const timeMs of timesMs) {
    const minute = Math.floor(timeMs / windowMs);
    counts.set(minute, (counts.get(minute) ?? 0) + 1);
  }
  return counts;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

function print(name: Name, admittedCount: number, used: number): void {
  const { answers } = outcomes[name];
  const waited = sum(answers.map(callsOf)) / answers.length;
  const made = (objectCalls[name] ?? 0) / answers.length;
  console.log(
    `${name}: offered ${answers.length}, admitted ${admittedCount}, ${(used * 100).toFixed(1)} % of the limit used; object calls per request: ` +
      `${waited.toFixed(4)} waited for, ${made.toFixed(4)} made (${((made * answers.length) / admittedCount).toFixed(4)} per admitted request)`,
  );
}

const timesOf = (name: Name) => [...origins[name].timesMs].sort((a, b) => a - b);

describe(`four isolates, 2.4 times the limit for ${loadMs / 1_000} s`, () => {
  it("every request is answered 200 or 429, and the origin got exactly the admitted ones", () => {
    for (const name of names) {
      const { answers } = outcomes[name];
      expect(answers.length, name).toBeGreaterThan((0.95 * offered * loadMs) / 1_000);
      expect(new Set(answers.map(({ status }) => status)), name).toEqual(new Set([200, 429]));
      expect(origins[name].timesMs.length, name).toBe(admitted(answers).length);
    }
  });

  it("sliding window: at most 1000 in any 60 s, and at least 97 % of them in the first", () => {
    const times = timesOf("sliding");
    const first = times.filter((timeMs) => timeMs < times[0]! + windowMs).length;
    print("sliding", times.length, first / limit);
    expect(mostIn(times, windowMs)).toBeLessThanOrEqual(limit);
    expect(first).toBeGreaterThanOrEqual(0.97 * limit);
  });

  it("fixed window: at most 1000 in any aligned minute, and at least 97 % of what was offered below that", () => {
    const times = timesOf("fixed");
    const wanted = [...byMinute(outcomes.fixed.answers.map(({ sentMs }: Answer) => sentMs)).values()];
    const used = times.length / sum(wanted.map((count) => Math.min(limit, count)));
    print("fixed", times.length, used);
    expect(Math.max(...byMinute(times).values())).toBeLessThanOrEqual(limit);
    expect(used).toBeGreaterThanOrEqual(0.97);
  });

  it.each(["token", "leaky"] as const)(
    "%s bucket: at most burst + rate T in any T, and at least 97 % of it",
    (name) => {
      const times = timesOf(name);
      const excess = excessOf(times);
      const used = times.length / (burst + (perSecond * loadMs) / 1_000);
      print(name, times.length, used);
      console.log(`${name}: most above burst + rate T in any T: ${excess.toFixed(2)} permits`);
      expect(excess).toBeLessThanOrEqual((perSecond * transitMs) / 1_000);
      expect(used).toBeGreaterThanOrEqual(0.97);
    },
  );
});

it("nothing was thrown that nobody caught", () => {
  expect(gateway.uncaught()).toEqual([]);
});

/**
 * Circuit breakers over four isolates and real origins. What an origin was asked is read from its own log; the moments of
 * transitions are those of `/v1/events`.
 */
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { open } from "../../support/client.ts";
import { type Farm, type FarmOrigin, startFarm } from "../../support/farm.ts";
import { type Gateway, startGateway } from "../../support/gateway.ts";
import { breakerOf, type Event, eventsOf, nthEvent } from "./story.ts";
import {
  type Answer,
  type Arrival,
  arrivalsAt,
  ask,
  between,
  decided,
  inTurn,
  startTraffic,
  until,
} from "./traffic.ts";

const isolates = 4;
/** The promise: every isolate knows of a trip after so long and one more report, which comes once a second. */
const knownMs = 1_000;
const reportMs = 1_000;
/** Age up to which a snapshot is used without asking, and what a busy machine may add. */
const snapshotMs = 1_000;

const openMs = 3_000;
const maxOpenMs = 6_000;
const probes = 3;
const recoveryMs = 3_000;
const minimumRequests = 20;
const circuitBreaker = {
  windowSeconds: 10,
  minimumRequests,
  openSeconds: openMs / 1_000,
  maxOpenSeconds: maxOpenMs / 1_000,
  halfOpenProbes: probes,
  recoverySeconds: recoveryMs / 1_000,
};
const short = { ...circuitBreaker, openSeconds: 1, maxOpenSeconds: 1, recoverySeconds: 0 };
/** Open for the rest of the test. */
const long = { ...circuitBreaker, openSeconds: 60, maxOpenSeconds: 60 };

const breakers = {
  story: circuitBreaker,
  versions: long,
  slow: { ...long, slowCallMs: 100, slowCallRate: 0.5 },
  row: { ...long, minimumRequests: 1_000, consecutiveFailures: 6 },
  refused: { ...long, minimumRequests: 5 },
  missing: { ...long, minimumRequests: 5 },
  left: { ...long, minimumRequests: 5 },
  cold: long,
  lone: short,
  vanished: short,
};
type Name = keyof typeof breakers;

let farm: Farm;
let gateway: Gateway;
const origins = {} as Record<Name | "versions-v2", FarmOrigin>;

beforeAll(async () => {
  const names = [...Object.keys(breakers), "versions-v2"] as (keyof typeof origins)[];
  farm = await startFarm(names.length);
  for (const [at, name] of names.entries()) origins[name] = farm.origins[at]!;
  const services = Object.fromEntries(
    Object.entries(breakers).map(([name, breaker]) => [
      name,
      { origins: [{ id: name, url: origins[name as Name].url }], circuitBreaker: breaker },
    ]),
  );
  services.versions!.origins = [
    { id: "v1", url: origins.versions.url, version: "v1" },
    { id: "v2", url: origins["versions-v2"].url, version: "v2" },
  ] as never;
  const routes = Object.keys(breakers).map((name) => ({
    name,
    service: name,
    matches: [{ path: { prefix: `/${name}` } }],
    ...(name === "versions" && { traffic: [{ versionFrom: { header: "x-version" } }] }),
  }));
  gateway = await startGateway({ isolates, config: { gateway: { debugHeaders: true }, services, routes } });
  story = tellStory();
  // It is awaited by its tests.
  story.catch(() => {});
});

afterAll(async () => {
  await gateway?.dispose();
  await farm?.dispose();
});

/** One service through failure and recovery under steady load. */
interface Story {
  readonly thresholdMs: number;
  readonly events: readonly Event[];
  readonly arrivals: readonly Arrival[];
  readonly answers: readonly Answer[];
  readonly endMs: number;
}
let story: Promise<Story>;

async function tellStory(): Promise<Story> {
  const origin = origins.story;
  const traffic = startTraffic({ urls: gateway.urls, path: "/story", perSecond: 20 });
  await wait(1_000);
  origin.behave({ status: 500 });
  const failsFromMs = Date.now();
  // Twice it is found failing when it is tried.
  await nthEvent(gateway, "story", "breaker_opened", 3, 30_000);
  origin.behave({});
  const { atMs: closedMs } = await nthEvent(gateway, "story", "breaker_closed", 1, 20_000);
  await wait(closedMs + recoveryMs + 2_500 - Date.now());
  const endMs = Date.now();
  const answers = await traffic.stop();
  const arrivals = arrivalsAt(origin);
  const events = await eventsOf(gateway, "story");
  return { thresholdMs: thresholdIn(arrivals, failsFromMs), events, arrivals, answers, endMs };
}

/** When the log first has enough failures to open, from `failsFromMs` on. */
function thresholdIn(arrivals: readonly Arrival[], failsFromMs: number): number {
  let failures = 0;
  for (const [at, { atMs }] of arrivals.entries()) {
    if (atMs >= failsFromMs) failures++;
    const requests = at + 1;
    if (requests >= minimumRequests && failures / requests >= 0.5) return atMs;
  }
  throw new Error("the threshold was never reached");
}

/** The last request before `untilMs`, of one isolate or of all. Throws when there is none. */
function lastOf(arrivals: readonly Arrival[], untilMs: number, isolate?: number): number {
  const last = between(arrivals, 0, untilMs).findLast((one) => isolate === undefined || one.isolate === isolate);
  if (last === undefined) throw new Error(`isolate ${isolate ?? "any"} never asked the origin`);
  return last.atMs;
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;
const percent = (share: number) => `${Math.round(share * 100)} %`;
const codeOf = ({ headers }: Answer) => headers["sluice-error"];
const headersFor = (version: string) => ({ "x-version": version });

/** Lets the service fail until its breaker is open for everybody; when that was. */
async function trip(name: Name, urls: readonly string[] = gateway.urls): Promise<Event> {
  origins[name].behave({ status: 500 });
  for (let round = 0; (await eventsOf(gateway, name, "breaker_opened")).length === 0; round++) {
    if (round > 20) throw new Error(`${name} does not open`);
    await inTurn(urls, `/${name}`, 20);
  }
  return nthEvent(gateway, name, "breaker_opened");
}

// At the same time, for most of it is waiting; the longest first.
describe.concurrent("circuit breakers", () => {
  describe("an open breaker", () => {
    it("closes again though the client of a probe leaves", async () => {
      await trip("vanished");
      origins.vanished.behave({ fails: "hangs" });
      const before = origins.vanished.asked.length;
      await nthEvent(gateway, "vanished", "breaker_half_open");
      // Clients come, wait a little and leave, until one of them was let through as a probe.
      for (let at = 0; origins.vanished.asked.length === before; at++) {
        expect(at).toBeLessThan(200);
        const connection = await open(gateway.urls[at % isolates]!);
        await connection.send({ target: "/vanished" });
        await wait(50);
        connection.reset();
      }
      const leftMs = Date.now();
      origins.vanished.behave({});
      const traffic = startTraffic({ urls: gateway.urls, path: "/vanished", perSecond: 3 });
      const closed = await nthEvent(gateway, "vanished", "breaker_closed", 1, 30_000);
      await traffic.stop();
      const events = (await eventsOf(gateway, "vanished")).map(({ type, atMs }) => `${type} ${seconds(atMs - leftMs)}`);
      console.info(`breaker: the client of a probe left at 0 s: ${events.join(", ")}`);
      expect(closed.atMs - leftMs).toBeLessThan(20_000);
    });

    it("is answered with a problem, Retry-After and the state in sluice-decision", async () => {
      await trip("refused");
      await wait(reportMs + snapshotMs);
      for (const answer of await inTurn(gateway.urls, "/refused", isolates)) {
        expect(answer.status).toBe(503);
        expect(answer.headers["content-type"]).toBe("application/problem+json");
        expect(JSON.parse(answer.body)).toMatchObject({ code: "circuit_open", status: 503 });
        const retryAfter = Number(answer.headers["retry-after"]);
        expect(retryAfter).toBeGreaterThan(60 * 0.8 - 20);
        expect(retryAfter).toBeLessThanOrEqual(60 * 1.2);
        expect([decided(answer, "breaker"), decided(answer, "tries"), decided(answer, "calls")]).toEqual([
          "open",
          undefined,
          0,
        ]);
      }
    });

    it("is known to an isolate that never had a request to the service, one snapshot later", async () => {
      const [busy = "", ...others] = gateway.urls;
      const { atMs } = await trip("cold", [busy]);
      await wait(atMs + snapshotMs - Date.now());
      const asked = origins.cold.asked.length;
      const firstMs = Date.now();
      const answers = await Promise.all(others.map((url) => ask(`${url}/cold`)));
      console.info(
        `breaker: first requests of isolates without traffic, ${seconds(firstMs - atMs)} after the trip: ` +
          answers.map(({ status, tookMs }) => `${status} in ${tookMs} ms`).join(", "),
      );
      expect(answers.map(codeOf)).toEqual(others.map(() => "circuit_open"));
      expect(origins.cold.asked.length).toBe(asked);
    });

    it("closes again though a single isolate has traffic, and little", async () => {
      await trip("lone");
      origins.lone.behave({});
      const traffic = startTraffic({ urls: gateway.urls.slice(1, 2), path: "/lone", perSecond: 4 });
      const tried = await nthEvent(gateway, "lone", "breaker_half_open");
      const closed = await nthEvent(gateway, "lone", "breaker_closed");
      await traffic.stop();
      console.info(
        `breaker: 4 requests a second to one isolate: closed ${seconds(closed.atMs - tried.atMs)} after half-open`,
      );
      expect(closed.atMs - tried.atMs).toBeLessThan(5_000);
    });
  });

  describe("what opens a breaker", () => {
    it("failures of one version, and only for that version", async () => {
      origins["versions-v2"].behave({ status: 500 });
      for (let round = 0; (await breakerOf(gateway, "versions", "v2"))?.state !== "open"; round++) {
        expect(round).toBeLessThan(20);
        await inTurn(gateway.urls, "/versions", 8, headersFor("v2"));
        await inTurn(gateway.urls, "/versions", 8, headersFor("v1"));
      }
      await wait(reportMs + snapshotMs);
      const asked = origins["versions-v2"].asked.length;
      const [v1, v2] = [
        await inTurn(gateway.urls, "/versions", 40, headersFor("v1")),
        await inTurn(gateway.urls, "/versions", 40, headersFor("v2")),
      ];
      expect(v1.every(({ status }) => status === 200)).toBe(true);
      expect(v2.map(codeOf)).toEqual(v2.map(() => "circuit_open"));
      expect(origins["versions-v2"].asked.length).toBe(asked);
      expect((await breakerOf(gateway, "versions", "v1"))?.state).toBe("closed");
    });

    it("slow calls, though they succeed", async () => {
      origins.slow.behave({ delayMs: 200 });
      const answers = await Promise.all(gateway.urls.map((url) => inTurn([url], "/slow", 8)));
      expect(answers.flat().filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(minimumRequests);
      const { reason } = await nthEvent(gateway, "slow", "breaker_opened");
      expect(reason).toBe("slow_call_rate");
    });

    it("failures in a row, however few requests there are", async () => {
      origins.row.behave({ status: 500 });
      await inTurn(gateway.urls, "/row", 8);
      const { reason } = await nthEvent(gateway, "row", "breaker_opened");
      expect(reason).toBe("consecutive_failures");
      console.info(`breaker: ${origins.row.asked.length} failures in a row reached the origin, 6 open`);
      // Of eight, by turns: no isolate alone had six.
      expect(origins.row.asked.length).toBeLessThanOrEqual(8);
    });

    it("never 4xx", async () => {
      origins.missing.behave({ status: 404 });
      const answers = await inTurn(gateway.urls, "/missing", 60);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]));
      await wait(2 * reportMs);
      expect(await eventsOf(gateway, "missing")).toEqual([]);
      // The object has counted what else there was.
      origins.missing.behave({});
      await inTurn(gateway.urls, "/missing", 4);
      await until(async () => (await breakerOf(gateway, "missing"))?.counts.requests === 4, "four results");
      expect((await breakerOf(gateway, "missing"))?.counts.failures).toBe(0);
    });

    it("never clients that leave, before the answer or in the midst of their own bodies", async () => {
      origins.left.behave({ delayMs: 400 });
      const leave = async (url: string, body?: string) => {
        const connection = await open(url);
        const upload = [["Content-Length", "1000"]] as const;
        if (body === undefined) await connection.send({ target: "/left" });
        else await connection.send({ method: "POST", target: "/left", headers: upload });
        if (body !== undefined) await connection.wire.write(body);
        await until(() => origins.left.asked.length > 0, "the origin was asked");
        await wait(100);
        connection.reset();
      };
      for (let round = 0; round < 3; round++) {
        await Promise.all(
          gateway.urls.flatMap((url) => [leave(url), leave(url), leave(url, "abc"), leave(url, "abc")]),
        );
      }
      const asked = origins.left.asked.length;
      await wait(400 + 2 * reportMs);
      origins.left.behave({});
      const after = await inTurn(gateway.urls, "/left", 8);
      await wait(2 * reportMs);
      const breaker = await breakerOf(gateway, "left");
      console.info(`breaker: ${asked} requests whose clients left, counted ${JSON.stringify(breaker?.counts)}`);
      expect(asked).toBeGreaterThan(40);
      expect(breaker?.counts.failures).toBe(0);
      expect(await eventsOf(gateway, "left")).toEqual([]);
      expect(after.every(({ status }) => status === 200)).toBe(true);
    });
  });

  describe("an origin that fails from one moment on, under load from four isolates", () => {
    it("is left alone by every isolate within 1 s and one report", async () => {
      const { thresholdMs, events, arrivals } = await story;
      const opened = events.find(({ type }) => type === "breaker_opened")!;
      const tried = events.find(({ type }) => type === "breaker_half_open")!;
      const last = gateway.urls.map((_, isolate) => lastOf(arrivals, tried.atMs, isolate));
      const after = between(arrivals, thresholdMs, tried.atMs).length;
      console.info(
        `breaker: the object opened ${seconds(opened.atMs - thresholdMs)} after the threshold; last requests of the isolates ` +
          `${last.map((ms) => seconds(ms - thresholdMs)).join(", ")} after it, ${after} requests in all`,
      );
      expect(opened.atMs).toBeGreaterThan(thresholdMs - 50);
      for (const ms of last) expect(ms - thresholdMs).toBeLessThan(knownMs + reportMs);
      // Only what was decided before the opening was known reaches it then; failing on would be 80 requests a second.
      expect(tried.atMs - Math.max(...last)).toBeGreaterThan(0.5 * openMs);
    });

    it("gets at most halfOpenProbes requests each time it is tried, from all isolates together", async () => {
      const { events, arrivals } = await story;
      const closed = events.find(({ type }) => type === "breaker_closed")!;
      const tries = events.filter(({ type }) => type === "breaker_half_open");
      const counts = tries.map(({ atMs }, at) => between(arrivals, atMs, tries[at + 1]?.atMs ?? closed.atMs).length);
      const tookMs = closed.atMs - tries.at(-1)!.atMs;
      console.info(
        `breaker: half-open generations ${tries.map(({ generation }) => generation).join(", ")} let ${counts.join(", ")} ` +
          `requests through; the last one closed it after ${seconds(tookMs)}`,
      );
      expect(counts).toHaveLength(3);
      for (const count of counts) expect(count).toBeLessThanOrEqual(probes);
      expect(counts.every((count) => count > 0)).toBe(true);
      expect(counts.at(-1)).toBe(probes);
    });

    it("is left alone twice as long after each failed try, up to maxOpenSeconds, +-20 %", async () => {
      const { events, arrivals } = await story;
      const openings = events.filter(({ type }) => type === "breaker_opened");
      const tries = events.filter(({ type }) => type === "breaker_half_open");
      const told = openings.map(({ openForMs }) => Number(openForMs));
      const silent = openings.map(({ atMs }, at) => {
        // The log: from the last request before to the first of the next try.
        const before = lastOf(arrivals, tries[at]!.atMs);
        const next = Math.min(...arrivals.filter((one) => one.atMs >= tries[at]!.atMs).map((one) => one.atMs));
        return { atMs, silentMs: next - before };
      });
      console.info(
        `breaker: open for ${told.map(seconds).join(", ")}; silence in the origin's log ` +
          `${silent.map(({ silentMs }) => seconds(silentMs)).join(", ")}`,
      );
      for (const [at, expectedMs] of [openMs, 2 * openMs, maxOpenMs].entries()) {
        expect(told[at]! / expectedMs).toBeGreaterThanOrEqual(0.8);
        expect(told[at]! / expectedMs).toBeLessThanOrEqual(1.2);
        expect(tries[at]!.atMs - openings[at]!.atMs).toBeGreaterThanOrEqual(told[at]! - 1);
        // The first time isolates hear of it with their next report; then they know already.
        expect(silent[at]!.silentMs).toBeGreaterThan(told[at]! - (at === 0 ? knownMs : 100));
      }
      expect(openings.map(({ reason }) => reason)).toEqual(["failure_rate", "probe_failed", "probe_failed"]);
    });

    it("gets its traffic back little by little, and all of it after recoverySeconds", async () => {
      const { events, arrivals, answers, endMs } = await story;
      const closedMs = events.find(({ type }) => type === "breaker_closed")!.atMs;
      const sent = answers.map(({ sentMs }) => ({ atMs: sentMs }));
      const shareIn = (fromMs: number, toMs: number) =>
        between(arrivals, closedMs + fromMs, closedMs + toMs).length /
        between(sent, closedMs + fromMs, closedMs + toMs).length;
      const third = recoveryMs / 3;
      const thirds = [0, 1, 2].map((at) => shareIn(at * third, (at + 1) * third));
      // Isolates hear of the closing with their next report, and so their ramps end later.
      const settledMs = recoveryMs + reportMs + 500;
      const rest = answers.filter(({ sentMs }) => sentMs >= closedMs + settledMs && sentMs < endMs - 100);
      const served = rest.filter(({ status }) => status === 200).length / rest.length;
      console.info(
        `breaker: of the requests in each third of recovery ${thirds.map(percent).join(", ")} were let through, ` +
          `${percent(served)} of ${rest.length} afterwards`,
      );
      expect(thirds[0]).toBeLessThan(0.45);
      expect(thirds[1]).toBeGreaterThan(thirds[0]!);
      expect(thirds[2]).toBeGreaterThan(thirds[1]!);
      expect(thirds[2]).toBeGreaterThan(0.5);
      expect(rest.length).toBeGreaterThan(20);
      expect(served).toBe(1);
    });

    it("has nothing but its own answers and circuit_open in front of it, and nobody waits for an object", async () => {
      const { answers } = await story;
      const kinds = new Map<string, number>();
      for (const answer of answers) {
        const kind = `${answer.status} ${codeOf(answer) ?? "of the origin"}, breaker ${decided(answer, "breaker")}`;
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      }
      console.info(`breaker: ${[...kinds].map(([kind, count]) => `${count} x ${kind}`).join("; ")}`);
      for (const answer of answers) {
        if (codeOf(answer) !== undefined) expect([answer.status, codeOf(answer)]).toEqual([503, "circuit_open"]);
      }
      const states = new Set(answers.map((answer) => decided(answer, "breaker")));
      expect([...states].map(String).sort()).toEqual(["closed", "half-open", "open", "recovering"]);
    });
  });
});

it("nothing was thrown that nobody caught", () => {
  expect(gateway.uncaught()).toEqual([]);
});

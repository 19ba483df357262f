/** Failures that a route orders: which requests they meet, what becomes of these, and what notices nothing. */
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { HeaderLines, Received, Sent } from "../../support/client.ts";
import { decisionOf } from "../../support/decision.ts";
import type { FarmOrigin } from "../../support/farm.ts";
import { useFarm } from "../../support/farm-suite.ts";
import { inParallel } from "../../support/parallel.ts";
import { headerOf } from "../../support/wire.ts";
import { breakerOf, breakersOf, eventsOf } from "./story.ts";
import { until } from "./traffic.ts";

const delayMs = 400;
/** Where a busy machine must not be taken for it. */
const longMs = 1_200;
/** A busy machine is this late at most. */
const lateMsMax = 1_000;
const page = "https://app.example.com";

const header = (exact: string) => ({ headers: [{ name: "x-rehearsal", exact }] });
const abort = (status: number) => ({ abort: { status } });

/** Settings of a route to `app` (`o0`); `other` is `o1`. */
const routes: Record<string, object> = {
  plain: {},
  rehearsed: {
    cors: { allowOrigins: [page] },
    faults: [
      { when: header("slow"), delayMs },
      { when: header("down"), ...abort(503) },
      { when: header("both"), delayMs, ...abort(504) },
      { when: header("gone"), ...abort(410) },
      { when: header("odd"), ...abort(599) },
    ],
  },
  conditions: {
    faults: [
      {
        when: {
          query: [{ name: "fail", exact: "yes" }],
          cookies: [{ name: "team", prefix: "qa-" }],
          methods: ["POST"],
        },
        ...abort(501),
      },
      { when: { ip: ["192.0.2.0/24"] }, ...abort(502) },
      { when: { country: ["NO"] }, ...abort(503) },
      { when: { headers: [{ name: "x-any", present: true }] }, ...abort(504) },
    ],
  },
  order: { faults: [{ when: header("spared"), percent: 0, ...abort(503) }, abort(504)] },
  share: { faults: [{ percent: 30, ...abort(503) }] },
  none: { faults: [{ percent: 0, delayMs: 60_000, ...abort(503) }] },
  around: {
    faults: [{ when: header("down"), ...abort(503) }],
    retries: { attempts: 3, backoffMs: 1 },
    fallback: { service: "other" },
    mirror: [{ service: "other" }],
  },
  timed: { timeouts: { requestMs: longMs * 0.75, attemptMs: longMs * 0.5 }, faults: [{ delayMs: longMs }] },
  limited: { rateLimits: ["two"], faults: [abort(503)] },
  versions: { traffic: [{ versionFrom: { header: "x-version" } }], faults: [abort(503)] },
  counted: {
    service: "watched",
    faults: [
      { when: header("slow"), delayMs: longMs },
      { when: header("down"), ...abort(503) },
    ],
  },
  moved: { service: undefined, redirect: { path: { replaceFullPath: "/new" } }, faults: [abort(503)] },
};

const configOf = ([app = "", other]: readonly string[], more: Record<string, object> = routes, allowFaults = true) => ({
  gateway: { debugHeaders: true, allowFaults },
  services: {
    app: { origins: [{ id: "o0", url: app }] },
    other: { origins: [{ id: "o1", url: other }] },
    // Any of the failures in a row, or of the delays, would open it.
    watched: {
      origins: [{ id: "o0", url: app }],
      circuitBreaker: {
        ...{ consecutiveFailures: 3, minimumRequests: 5, windowSeconds: 60, openSeconds: 60 },
        ...{ slowCallMs: longMs * 0.75, slowCallRate: 0.5 },
      },
      outlierDetection: { consecutiveFailures: 3 },
    },
  },
  rateLimits: { two: { algorithm: "fixed-window", windows: [{ limit: 2, per: "month" }], key: ["global"] } },
  routes: Object.entries(more).map(([name, settings]) => ({
    ...{ name, service: "app", matches: [{ path: { prefix: `/${name}` } }] },
    ...settings,
  })),
});
const urls = () => suite.farm.origins.map(({ url }) => url);

const suite = useFarm(2, (all) => configOf(all));

const origin = (index: number): FarmOrigin => suite.farm.origins[index]!;
const asked = () => suite.farm.origins.map((one) => one.asked.length);
const ask = (route: string, sent: Sent = {}) => suite.ask({ ...sent, target: `/${route}${sent.target ?? ""}` });
const rehearse = (route: string, how: string, sent: Sent = {}) =>
  ask(route, { ...sent, headers: [["X-Rehearsal", how], ...(sent.headers ?? [])] });

/** The status, and what the answer says of a fault. */
const marks = (received: Received) => [received.status, headerOf(received, "sluice-error"), decisionOf(received).fault];
const aborted = (status: number) => [status, "fault_injected", "abort"];
const untouched = [200, null, undefined];

async function timed<T>(work: Promise<T>): Promise<[T, number]> {
  const startMs = performance.now();
  return [await work, performance.now() - startMs];
}

describe("an abort", () => {
  it.each([
    ["down", 503],
    ["gone", 410],
    ["odd", 599],
  ])("%s: the client gets %i, and no origin is asked", async (how, status) => {
    for (const sent of [
      {},
      { method: "HEAD" },
      { method: "POST", body: "text" },
      { method: "PUT", body: ["te", "xt"] },
    ]) {
      const received = await rehearse("rehearsed", how, sent);
      expect(marks(received)).toEqual(aborted(status));
      const problem = { code: "fault_injected", status, requestId: headerOf(received, "x-request-id") };
      if (sent.method === "HEAD") expect(received.body.length).toBe(0);
      else expect(JSON.parse(received.body.toString())).toMatchObject(problem);
    }
    expect(asked()).toEqual([0, 0]);
  });

  it("can be read by a page of another origin", async () => {
    for (const how of ["down", "both"]) {
      const received = await rehearse("rehearsed", how, { headers: [["Origin", page]] });
      expect(headerOf(received, "access-control-allow-origin")).toBe(page);
    }
  });

  it("is neither retried nor mirrored, and no fallback answers for it", async () => {
    const received = await rehearse("around", "down");
    expect([...marks(received), headerOf(received, "sluice-fallback")]).toEqual([...aborted(503), null]);
    expect(decisionOf(received)).not.toHaveProperty("tries");
    await wait(100);
    expect(asked()).toEqual([0, 0]);
    expect(marks(await ask("around"))).toEqual(untouched);
    await expect.poll(asked).toEqual([1, 1]);
  });
});

describe("a delay", () => {
  it("holds the request back, which then goes on as it is", async () => {
    const body = "text";
    const startMs = performance.now();
    const [received, tookMs] = await timed(rehearse("rehearsed", "slow", { method: "POST", body, target: "/x?y=1" }));
    console.info(`a delay of ${delayMs} ms: answered after ${tookMs.toFixed(0)} ms`);
    expect(marks(received)).toEqual([200, null, "delay"]);
    expect(received.body.toString()).toBe("o0");
    const [request] = origin(0).asked;
    expect([request?.method, request?.target, request?.body.toString()]).toEqual(["POST", "/rehearsed/x?y=1", body]);
    // Timers may fire a millisecond early.
    expect((request?.atMs ?? 0) - startMs).toBeGreaterThanOrEqual(delayMs - 2);
    expect(tookMs).toBeLessThan(delayMs * 1.2 + lateMsMax);
  });

  it("comes before an abort, if there are both", async () => {
    const [received, tookMs] = await timed(rehearse("rehearsed", "both"));
    expect(marks(received)).toEqual(aborted(504));
    expect(tookMs).toBeGreaterThanOrEqual(delayMs - 2);
    expect(tookMs).toBeLessThan(delayMs * 1.2 + lateMsMax);
    expect(asked()).toEqual([0, 0]);
  });

  it("holds nobody else back", async () => {
    let isOver = false;
    const slow = ask("timed").finally(() => {
      isOver = true;
    });
    expect(marks(await ask("plain"))).toEqual(untouched);
    expect(isOver).toBe(false);
    await slow;
  });

  it("is no part of the route's timeouts, which begin after it", async () => {
    expect(marks(await ask("timed"))).toEqual([200, null, "delay"]);
    origin(0).behave({ fails: "hangs" });
    const [received, tookMs] = await timed(ask("timed"));
    expect(marks(received)).toEqual([504, "upstream_timeout", "delay"]);
    expect(tookMs).toBeGreaterThanOrEqual(longMs * 1.5 - 4);
  });
});

describe("a fault counts", () => {
  it.each<[string, number | null, Sent]>([
    [
      "all of query, cookie and method",
      501,
      { method: "POST", target: "?fail=yes", headers: [["Cookie", "team=qa-1"]] },
    ],
    ["another method", null, { target: "?fail=yes", headers: [["Cookie", "team=qa-1"]] }],
    ["another cookie", null, { method: "POST", target: "?fail=yes", headers: [["Cookie", "team=dev"]] }],
    ["another query", null, { method: "POST", target: "?fail=no", headers: [["Cookie", "team=qa-1"]] }],
    ["an address", 502, { headers: [["CF-Connecting-IP", "192.0.2.7"]] }],
    ["another address", null, { headers: [["CF-Connecting-IP", "192.0.3.7"]] }],
    ["a country", 503, { headers: [["MF-CF-Blob", '{"country":"NO"}']] }],
    ["another country", null, { headers: [["MF-CF-Blob", '{"country":"SE"}']] }],
    ["a header that is there", 504, { headers: [["X-Any", ""]] }],
    ["nothing of that", null, {}],
  ])("only where its conditions hold: %s", async (_, status, sent) => {
    expect(marks(await ask("conditions", sent))).toEqual(status === null ? untouched : aborted(status));
    expect(asked()).toEqual([status === null ? 1 : 0, 0]);
  });

  it("and no other after it, also when the draw spares the request", async () => {
    expect(marks(await rehearse("order", "spared"))).toEqual(untouched);
    expect(marks(await ask("order"))).toEqual(aborted(504));
  });

  it("for its share of the requests, each drawn anew", async () => {
    const [requests, share] = [500, 0.3];
    const answers = await inParallel(Array.from({ length: requests }), 10, () => ask("share"));
    const hits = answers.map((received) => received.status === 503);
    const count = hits.filter(Boolean).length;
    console.info(`30 % of ${requests} requests: ${((count / requests) * 100).toFixed(1)} % aborted`);
    expect(Math.abs(count - requests * share)).toBeLessThan(5 * Math.sqrt(requests * share * (1 - share)));
    for (const [at, received] of answers.entries())
      expect(marks(received)).toEqual(hits[at] ? aborted(503) : untouched);
    expect(asked()).toEqual([requests - count, 0]);
    // Draws that hang together, or turns, would change more or less often than 2 n p (1 - p) times.
    const changes = hits.filter((hit, at) => at > 0 && hit !== hits[at - 1]).length;
    const expected = 2 * requests * share * (1 - share);
    expect(changes / expected).toBeGreaterThan(0.6);
    expect(changes / expected).toBeLessThan(1.4);
  });

  it("for nobody by 0 percent", async () => {
    for (let count = 0; count < 20; count++) expect(marks(await ask("none"))).toEqual(untouched);
  });
});

describe("a fault comes", () => {
  it("after a preflight, which is answered", async () => {
    const headers: HeaderLines = [
      ["Origin", page],
      ["Access-Control-Request-Method", "GET"],
    ];
    const received = await rehearse("rehearsed", "down", { method: "OPTIONS", headers });
    expect(marks(received)).toEqual([204, null, undefined]);
    expect(headerOf(received, "access-control-allow-origin")).toBe(page);
  });

  it("after the rate limits: what is aborted has been charged, what is refused is not aborted", async () => {
    const answers = [await ask("limited"), await ask("limited"), await ask("limited")];
    expect(answers.map(marks)).toEqual([aborted(503), aborted(503), [429, "rate_limited", undefined]]);
  });

  it("before the choice of a version, and before redirects", async () => {
    expect(marks(await ask("versions", { headers: [["X-Version", "v9"]] }))).toEqual(aborted(503));
    const moved = await ask("moved");
    expect([...marks(moved), headerOf(moved, "location")]).toEqual([...aborted(503), null]);
  });
});

describe("a breaker", () => {
  it("counts neither aborts nor delays", async () => {
    const each = 10;
    const all = Array.from({ length: each });
    const downs = await inParallel(all, each, () => rehearse("counted", "down"));
    expect(downs.map(marks)).toEqual(downs.map(() => aborted(503)));
    const slows = await inParallel(all, each, () => rehearse("counted", "slow"));
    expect(slows.map(marks)).toEqual(slows.map(() => [200, null, "delay"]));
    const after = await ask("counted");
    expect([...marks(after), decisionOf(after).breaker]).toEqual([...untouched, "closed"]);
    const { gateway } = suite;
    await until(async () => (await breakerOf(gateway, "watched"))?.counts.requests === each + 1, "all is reported");
    const { breakers, ejected } = await breakersOf(gateway, "watched");
    expect(breakers).toMatchObject([{ state: "closed", counts: { requests: each + 1, failures: 0, slow: 0 } }]);
    expect(ejected).toEqual([]);
    expect(await eventsOf(gateway, "watched")).toEqual([]);
  });
});

describe("a document with faults", () => {
  interface Answer {
    readonly code?: string;
    readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
    readonly warnings?: readonly { readonly pointer: string; readonly detail: string }[];
  }
  const put = async (config: unknown, query = ""): Promise<[number, Answer]> => {
    const response = await suite.gateway.admin(`/v1/config${query}`, { method: "PUT", body: JSON.stringify(config) });
    return [response.status, (await response.json()) as Answer];
  };
  const two = { faults: [{ when: header("down"), ...abort(503) }, { delayMs: 1 }] };

  it("is refused without gateway.allowFaults, every fault by its place; the one in force stays", async () => {
    const [status, { code, errors }] = await put(configOf(urls(), { first: {}, second: two }, false));
    expect([status, code]).toEqual([422, "invalid_config"]);
    const detail = "needs gateway.allowFaults";
    expect(errors).toEqual([0, 1].map((at) => ({ detail, pointer: `#/routes/1/faults/${at}` })));
    expect(marks(await rehearse("rehearsed", "down"))).toEqual(aborted(503));
  });

  it("is accepted with it, with a warning for each route that has some", async () => {
    const [status, { warnings }] = await put(configOf(urls(), { first: {}, second: two, third: two }), "?dryRun=true");
    expect(status).toBe(200);
    expect(warnings?.map(({ pointer }) => pointer)).toEqual(["#/routes/1/faults", "#/routes/2/faults"]);
  });

  it("is followed by one without them within seconds, and nothing is left", async () => {
    const before = await rehearse("rehearsed", "down");
    const [status] = await put(configOf(urls(), { rehearsed: {} }, false));
    expect([before.status, status]).toEqual([503, 200]);
    await until(async () => (await rehearse("rehearsed", "down")).status === 200, "the faults are gone", 5_000);
    expect(marks(await rehearse("rehearsed", "down"))).toEqual(untouched);
  });
});

/** What a client is told of its limits, whose budget a request spends, and how much of it. */
import { setTimeout as wait } from "node:timers/promises";
import { type Item, parseList } from "structured-headers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyOf } from "../../../src/core/limiting/policy.ts";
import { approximateBound } from "../../../src/core/limiting/share.ts";
import { type Gateway, startGateway } from "../../support/gateway.ts";
import { type HttpOrigin, startHttpOrigin } from "../../support/http-origin.ts";
import { type Answer, admitted, ask, callsOf, decided, run } from "./load.ts";

const isolates = 4;
const month = (limit: number) => [{ limit, per: "month" }];
const fixed = { algorithm: "fixed-window" };
const byKey = { key: ["header:x-key"] };
const sliding = (limit: number, seconds: number) => ({ windows: [{ limit, seconds }], ...byKey });

const rateLimits = {
  three: { ...fixed, windows: month(3), ...byKey },
  ten: { ...fixed, windows: month(10), ...byKey },
  legacy: { ...fixed, windows: month(3), ...byKey, headers: "legacy" },
  none: { ...fixed, windows: month(3), ...byKey, headers: "none" },
  shadow: { ...fixed, windows: month(2), ...byKey, mode: "shadow" },
  "r-sliding": sliding(40, 10),
  "r-fixed": { ...fixed, windows: month(40), ...byKey },
  "r-token": { algorithm: "token-bucket", rate: 5, burst: 30, ...byKey },
  "r-exact": { ...sliding(40, 60), consistency: "exact" },
  "r-two": { ...fixed, windows: [...month(60), { limit: 20, per: "day" }], ...byKey },
  "after-sliding": sliding(3, 2),
  "after-leased": sliding(60, 10),
  "after-fixed": { ...fixed, windows: [{ limit: 3, seconds: 2 }], ...byKey },
  "after-token": { algorithm: "token-bucket", rate: 2, burst: 3, ...byKey },
  "after-leaky": { algorithm: "leaky-bucket", rate: 8, burst: 24, ...byKey },
  "after-exact": { ...sliding(3, 2), consistency: "exact" },
  wide: { ...fixed, windows: month(10), ...byKey },
  narrow: { ...fixed, windows: month(2), ...byKey },
  "wide-exact": { ...fixed, windows: month(10), ...byKey, consistency: "exact" },
  tiered: { ...fixed, windows: month(2), ...byKey, overrides: [{ key: "header:x-key=gold-*", windows: month(5) }] },
  "by-ip": { ...fixed, windows: month(1), key: ["ip"] },
  "by-cookie": { ...fixed, windows: month(1), key: ["cookie:session"] },
  "by-query": { ...fixed, windows: month(1), key: ["query:k"] },
  "by-route": { ...fixed, windows: month(1), key: ["route"] },
  "by-param": { ...fixed, windows: month(1), key: ["path-param:id"] },
  "by-global": { ...fixed, windows: month(1), key: ["global"] },
  "by-first": { ...fixed, windows: month(1), key: ["header:x-key", "cookie:session", "ip"] },
  "or-shared": { ...fixed, windows: month(1), ...byKey, onMissingKey: "shared" },
  "or-deny": { ...fixed, windows: month(1), ...byKey, onMissingKey: "deny" },
  "cost-3": { ...fixed, windows: month(10), ...byKey, cost: 3 },
  "cost-header": { ...fixed, windows: month(10), ...byKey, cost: { header: "x-cost" } },
  queue: { algorithm: "leaky-bucket", rate: 10, burst: 1, maxDelayMs: 1_000, ...byKey },
  changing: sliding(200, 10),
  exact: { ...sliding(50, 60), consistency: "exact" },
  approximate: { ...sliding(100, 60), consistency: "approximate" },
};

let gateway: Gateway;
let origin: HttpOrigin;

const service = "s";
const pathOf = (name: string) => ({ prefix: `/${name}` });
const configOf = (limits: Record<string, object>) => ({
  gateway: { debugHeaders: true },
  services: { s: { origins: [{ id: "o", url: origin.url }] } },
  rateLimits: limits,
  routes: [
    ...Object.keys(limits)
      .filter((name) => name !== "by-param")
      .map((name) => ({ name, service, matches: [{ path: pathOf(name) }], rateLimits: [name] })),
    { name: "by-param", service, matches: [{ path: { pattern: "/by-param/:id" } }], rateLimits: ["by-param"] },
    { name: "pair", service, matches: [{ path: pathOf("pair") }], rateLimits: ["wide", "narrow"] },
    { name: "pair-exact", service, matches: [{ path: pathOf("pair-exact") }], rateLimits: ["wide-exact", "narrow"] },
    { name: "half-shadow", service, matches: [{ path: pathOf("half-shadow") }], rateLimits: ["three", "shadow"] },
    { name: "other-route", service, matches: [{ path: pathOf("other-route") }], rateLimits: ["by-route"] },
  ],
});

beforeAll(async () => {
  origin = await startHttpOrigin("here");
  gateway = await startGateway({ isolates, config: configOf(rateLimits) });
});

afterAll(async () => {
  await gateway?.dispose();
  await origin?.close();
});

type Headers = Readonly<Record<string, string>>;

const get = (path: string, headers: Headers = {}, isolate = 0): Promise<Answer> =>
  ask(gateway.urls[isolate % isolates] + path, headers);

/** Statuses of requests made one after the other, each by another isolate. */
async function statuses(count: number, path: string, headers: Headers = {}): Promise<number[]> {
  const seen: number[] = [];
  for (let at = 0; at < count; at++) seen.push((await get(path, headers, at)).status);
  return seen;
}

/** `count` times 200, then `refused` times 429. */
const then = (count: number, refused: number) => [...Array(count).fill(200), ...Array(refused).fill(429)];

/** Entries of a list of strings with integer parameters, as the draft has it. */
function entriesOf(answer: Answer, field: string): { name: string; [parameter: string]: unknown }[] {
  return parseList(String(answer.headers[field])).map((entry) => {
    const [name, parameters] = entry as Item;
    return { name: String(name), ...Object.fromEntries(parameters) };
  });
}

describe("a refusal", () => {
  it("is a problem of the registered type and names the limit that refused", async () => {
    expect(await statuses(3, "/three", { "x-key": "problem" })).toEqual(then(3, 0));
    const refused = await get("/three", { "x-key": "problem" });
    expect(refused.status).toBe(429);
    expect(refused.headers["content-type"]).toBe("application/problem+json");
    expect(refused.headers["sluice-error"]).toBe("rate_limited");
    expect(JSON.parse(refused.body)).toMatchObject({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      status: 429,
      code: "rate_limited",
      "violated-policies": ["three"],
    });
    expect(decided(refused, "limit")).toBe("denied");
  });

  it("names only the limits that refused, of several", async () => {
    const headers = { "x-key": "which" };
    expect(await statuses(3, "/pair", headers)).toEqual(then(2, 1));
    const refused = await get("/pair", headers);
    expect(JSON.parse(refused.body)["violated-policies"]).toEqual(["narrow"]);
    expect(entriesOf(refused, "ratelimit").map(({ name }) => name)).toEqual(["wide", "narrow"]);
  });
});

describe("the header fields", () => {
  it.each([
    ["r-sliding", 40, 0],
    ["r-fixed", 40, 0],
    ["r-token", 30, 5],
    ["r-exact", 40, 0],
    ["r-two", 20, 0],
  ])(
    "%s: `r` is never negative and never more than is left, `t` never later than Retry-After",
    async (name, limit, refill) => {
      const startMs = Date.now();
      let spent = 0;
      for (let at = 0; at < limit + 6; at++) {
        const answer = await get(`/${name}`, { "x-key": "r" }, at % 3);
        if (answer.status === 200) spent++;
        const left = limit + (refill * (Date.now() - startMs)) / 1_000 - spent;
        for (const { r, t } of entriesOf(answer, "ratelimit") as unknown as { r: number; t: number }[]) {
          expect(Number.isInteger(r) && Number.isInteger(t)).toBe(true);
          expect(r).toBeGreaterThanOrEqual(0);
          expect(r).toBeLessThanOrEqual(Math.max(0, left));
          expect(t).toBeGreaterThanOrEqual(0);
          if (answer.status === 429) expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(t);
        }
        const policies = entriesOf(answer, "ratelimit-policy");
        expect(policies[0]).toMatchObject({ name, q: expect.any(Number), w: expect.any(Number) });
      }
      expect(spent).toBeGreaterThanOrEqual(limit * 0.75);
      if (refill === 0) expect(spent).toBeLessThanOrEqual(limit);
    },
  );

  it("`r` is what the admin API says is free or leased", async () => {
    const headers = { "x-key": "peek" };
    for (let at = 0; at < 4; at++) {
      const answer = await get("/ten", headers);
      const [entry] = entriesOf(answer, "ratelimit");
      const peeked = await gateway.admin("/v1/limits/ten/header%3Ax-key%3Dpeek");
      const { windows, leases } = (await peeked.json()) as {
        windows: { free: number; charged: number }[];
        leases: { permits: number }[];
      };
      const leased = leases.reduce((sum, { permits }) => sum + permits, 0);
      expect(entry!.r).toBeLessThanOrEqual(windows[0]!.free + leased);
      expect(windows[0]!.charged).toBeGreaterThanOrEqual(at + 1);
      expect(windows[0]!.charged).toBeLessThanOrEqual(10);
    }
  });

  it("legacy: X-RateLimit-* instead", async () => {
    const { headers } = await get("/legacy", { "x-key": "legacy" });
    expect(headers["x-ratelimit-limit"]).toBe("3");
    expect(Number(headers["x-ratelimit-remaining"])).toBeLessThanOrEqual(2);
    expect(Number(headers["x-ratelimit-reset"])).toBeGreaterThan(0);
    expect(headers.ratelimit ?? headers["ratelimit-policy"]).toBeUndefined();
  });

  it("none: none, but a refusal has Retry-After", async () => {
    const headers = { "x-key": "none" };
    expect(await statuses(3, "/none", headers)).toEqual(then(3, 0));
    const refused = await get("/none", headers);
    expect(refused.status).toBe(429);
    expect(Object.keys(refused.headers).filter((name) => name.includes("ratelimit"))).toEqual([]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
  });
});

describe("who waits exactly Retry-After is admitted", () => {
  const names = Object.keys(rateLimits).filter((name) => name.startsWith("after-"));

  it.each([0, 1])("by every algorithm, asking the isolate %i further on", async (further) => {
    const waits = await Promise.all(
      names.map(async (name) => {
        const headers = { "x-key": `patient-${further}` };
        for (let at = 0; ; at++) {
          const answer = await get(`/${name}`, headers, at);
          if (answer.status === 200) continue;
          const seconds = Number(answer.headers["retry-after"]);
          await wait(seconds * 1_000);
          return [name, seconds, (await get(`/${name}`, headers, at + further)).status];
        }
      }),
    );
    console.log(`Retry-After, in seconds: ${waits.map(([name, seconds]) => `${name} ${seconds}`).join(", ")}`);
    expect(waits.map(([name, , status]) => [name, status])).toEqual(names.map((name) => [name, 200]));
  });
});

describe("shadow mode", () => {
  it("never refuses, and says when it would have", async () => {
    const headers = { "x-key": "shadow" };
    const answers: Answer[] = [];
    for (let at = 0; at < 5; at++) answers.push(await get("/shadow", headers));
    expect(answers.map(({ status }) => status)).toEqual(then(5, 0));
    expect(answers.map((answer) => decided(answer, "limit"))).toEqual(["ok", "ok", "shadow", "shadow", "shadow"]);
  });

  it("leaves the decision to the enforced limit beside it", async () => {
    expect(await statuses(5, "/half-shadow", { "x-key": "beside" })).toEqual(then(3, 2));
  });
});

describe("several limits on a route are taken all or none", () => {
  it.each([
    ["leased", "/pair", "/wide"],
    ["exact", "/pair-exact", "/wide-exact"],
  ])("%s: refused requests spend nothing of the limit that has room", async (_, pair, wide) => {
    const headers = { "x-key": `all-or-none${pair}` };
    expect(await statuses(10, pair, headers)).toEqual(then(2, 8));
    // Isolates may refuse while another has the last permits in hand; asked again and again, all are found.
    const seen = await statuses(40, wide, headers);
    expect(seen.filter((status) => status === 200).length).toBe(8);
  });
});

describe("whose budget is spent", () => {
  const ip = (address: string) => ({ "cf-connecting-ip": address });

  it.each<[string, string, [string, Headers][], number[]]>([
    [
      "overrides: gold",
      "a key that a pattern fits has its own numbers",
      Array(6).fill(["/tiered", { "x-key": "gold-1" }]),
      then(5, 1),
    ],
    [
      "overrides: normal",
      "one that none fits has the limit's",
      Array(3).fill(["/tiered", { "x-key": "golden" }]),
      then(2, 1),
    ],
    [
      "ip",
      "IPv4 by address",
      [
        ["/by-ip", ip("192.0.2.1")],
        ["/by-ip", ip("192.0.2.1")],
        ["/by-ip", ip("192.0.2.2")],
      ],
      [200, 429, 200],
    ],
    [
      "ip",
      "IPv6 by /64, however it is written",
      [
        ["/by-ip", ip("2001:db8::1")],
        ["/by-ip", ip("2001:DB8:0:0:ffff::2")],
        ["/by-ip", ip("2001:db8:0:1::1")],
      ],
      [200, 429, 200],
    ],
    [
      "ip",
      "IPv4 in IPv6 as IPv4",
      [
        ["/by-ip", ip("192.0.2.9")],
        ["/by-ip", ip("::ffff:192.0.2.9")],
      ],
      [200, 429],
    ],
    [
      "cookie",
      "by its value",
      [
        ["/by-cookie", { cookie: "a=1; session=x" }],
        ["/by-cookie", { cookie: "session=x; b=2" }],
        ["/by-cookie", { cookie: "session=y" }],
      ],
      [200, 429, 200],
    ],
    [
      "query",
      "by its decoded value",
      [
        ["/by-query?k=a%20b", {}],
        ["/by-query?x=1&k=a+b", {}],
        ["/by-query?k=a", {}],
      ],
      [200, 429, 200],
    ],
    [
      "route",
      "by the route's name",
      [
        ["/by-route", {}],
        ["/by-route/x", {}],
        ["/other-route", {}],
      ],
      [200, 429, 200],
    ],
    [
      "path-param",
      "by its value",
      [
        ["/by-param/1", {}],
        ["/by-param/1", {}],
        ["/by-param/2", {}],
      ],
      [200, 429, 200],
    ],
    [
      "global",
      "everybody's",
      [
        ["/by-global", ip("192.0.2.1")],
        ["/by-global", ip("192.0.2.2")],
      ],
      [200, 429],
    ],
    [
      "the first that is present",
      "header, cookie, address",
      [
        ["/by-first", { "x-key": "v", cookie: "session=v", ...ip("192.0.2.3") }],
        ["/by-first", { cookie: "session=v", ...ip("192.0.2.3") }],
        ["/by-first", { "x-key": "", ...ip("192.0.2.3") }],
        ["/by-first", ip("192.0.2.3")],
      ],
      [200, 200, 200, 429],
    ],
    [
      "none is present",
      "one budget for all such requests",
      [
        ["/or-shared", {}],
        ["/or-shared", { "x-key": "" }],
        ["/or-shared", { "x-key": "shared" }],
      ],
      [200, 429, 200],
    ],
    [
      "none is present",
      "or none at all",
      [
        ["/or-deny", {}],
        ["/or-deny", { "x-key": "a" }],
      ],
      [429, 200],
    ],
  ])("%s: %s", async (_, __, requests, expected) => {
    const seen: number[] = [];
    for (const [at, [path, headers]] of requests.entries()) seen.push((await get(path, headers, at)).status);
    expect(seen).toEqual(expected);
  });

  it("a refusal for want of a key is a problem of the same type, with Retry-After", async () => {
    const refused = await get("/or-deny");
    expect(refused.headers["retry-after"]).toBeDefined();
    expect(JSON.parse(refused.body)).toMatchObject({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      code: "rate_limited",
      "violated-policies": ["or-deny"],
    });
  });

  it("keys of any length and any bytes do not collide", async () => {
    const long = "k".repeat(10_000);
    const texts = [
      ...[
        "a|b",
        "a||b",
        "a=b",
        "a==b",
        "a",
        "A",
        "a%20b",
        "a b",
        "é",
        "e\u0301",
        "日本",
        "\u0000",
        "\u0000\u0000",
        "🙂",
      ],
      ...["by-query|query:k=a", "sha256:0", "constructor", "__proto__", "shared", "global"],
      ...[long, `${long}1`, `${long}2`, "k".repeat(199), "k".repeat(200), "k".repeat(201)],
    ];
    const path = (text: string) => `/by-query?k=${encodeURIComponent(text)}x`;
    const first = await Promise.all(texts.map((text) => get(path(text))));
    expect(first.map(({ status }) => status)).toEqual(texts.map(() => 200));
    const second = await Promise.all(texts.map((text, at) => get(path(text), {}, at)));
    expect(second.map(({ status }) => status)).toEqual(texts.map(() => 429));
  });
});

describe("what a request costs", () => {
  it("a fixed cost", async () => {
    expect(await statuses(5, "/cost-3", { "x-key": "fixed" })).toEqual(then(3, 2));
  });

  it.each(["4", "04"])("a header's whole number: %s", async (cost) => {
    expect(await statuses(4, "/cost-header", { "x-key": `4 by ${cost}`, "x-cost": cost })).toEqual(then(2, 2));
  });

  it.each(["0", "-4", "4.5", "4e0", "0x4", "four", "", "4, 4", "Infinity"])(
    "a header that is none costs 1: '%s'",
    async (cost) => {
      expect(await statuses(11, "/cost-header", { "x-key": `bad ${cost}`, "x-cost": cost })).toEqual(then(10, 1));
    },
  );

  it.each([
    ["just", "11"],
    ["nine digits", "999999999"],
    ["eleven digits", "10000000000"],
    ["400 digits", "9".repeat(400)],
  ])("more than the limit is refused, and says so: %s", async (_, cost) => {
    const refused = await get("/cost-header", { "x-key": "much", "x-cost": cost });
    expect(refused.status).toBe(429);
    expect(JSON.parse(refused.body).detail).toMatch(/more than the limit/);
    expect((await get("/cost-header", { "x-key": `after ${cost}` })).status).toBe(200);
  });
});

it("a leaky bucket with maxDelayMs holds requests back, evenly, and refuses only those beyond", async () => {
  const before = origin.timesMs.length;
  const beganMs = performance.now();
  let arrivedMs = 0;
  const asked = Array.from({ length: 20 }, async (_, at) => {
    const answer = get("/queue", { "x-key": "queue" }, at);
    // Not held back: by its answer the one before it has arrived too.
    expect((await get("/nowhere", {}, at)).status).toBe(404);
    arrivedMs = performance.now() - beganMs;
    return answer;
  });
  const answers = await Promise.all(asked);
  const times = origin.timesMs.slice(before).sort((a, b) => a - b);
  const gaps = times.slice(1).map((timeMs, at) => timeMs - times[at]!);
  console.log(`queue: ${times.length} of 20 admitted, gaps of ${Math.min(...gaps)} to ${Math.max(...gaps)} ms`);
  // One at once, one each 100 ms up to the tenth, and as many as leave the queue until the last has come.
  expect(admitted(answers).length).toBeGreaterThanOrEqual(11);
  expect(admitted(answers).length).toBeLessThanOrEqual(11 + Math.floor(arrivedMs / 100));
  // None is early by more than the first was late.
  const early = times.map((timeMs, at) => times[0]! + 100 * at - timeMs);
  expect(Math.max(...early)).toBeLessThan(75);
});

describe("consistency", () => {
  it("exact: of 120 requests at once over four isolates exactly the limit is admitted, each for one call", async () => {
    // A request that waits for its snapshot counts that call too.
    await Promise.all(gateway.urls.map((_, isolate) => gateway.admin("/health", { isolate })));
    const answers = await Promise.all(Array.from({ length: 120 }, (_, at) => get("/exact", { "x-key": "exact" }, at)));
    expect(admitted(answers).length).toBe(50);
    expect(new Set(admitted(answers).map(callsOf))).toEqual(new Set([1]));
  });

  it("approximate: within its bound, and hardly ever a call that is waited for", async () => {
    const headers = { "x-key": "approximate" };
    const { answers } = await run({ urls: gateway.urls, path: "/approximate", rate: 100, durationMs: 4_000, headers });
    const windows = [{ kind: "sliding-window", limit: 100, windowMs: 60_000 }] as const;
    const policy = policyOf({ windows, consistency: "approximate", onUnavailable: "share", version: 1 });
    const bound = approximateBound(policy, isolates, 1);
    const passed = admitted(answers).length;
    const waited = answers.reduce((sum, answer) => sum + callsOf(answer), 0);
    console.log(
      `approximate: ${passed} of ${answers.length} admitted, limit 100, bound ${bound}; ${waited} calls waited for`,
    );
    expect(passed).toBeGreaterThanOrEqual(97);
    expect(passed).toBeLessThanOrEqual(bound);
    expect(waited).toBeLessThanOrEqual(10 * isolates);
  });
});

it("limits that change at run time take effect within one lease", async () => {
  const headers = { "x-key": "changing" };
  /** A twentieth of the window, and the time in which an isolate follows. */
  const effectMs = 500 + 250;
  const load = (durationMs: number) => run({ urls: gateway.urls, path: "/changing", rate: 60, durationMs, headers });
  const first = await load(1_000);
  expect(admitted(first.answers).length).toBe(first.answers.length);

  await gateway.put(configOf({ ...rateLimits, changing: sliding(20, 10) }));
  await load(effectMs);
  const lowered = await load(1_000);
  expect(admitted(lowered.answers).length, "lowered below what was used").toBe(0);

  await gateway.put(configOf({ ...rateLimits, changing: sliding(1_000, 10) }));
  await load(effectMs);
  const raised = await load(1_000);
  expect(admitted(raised.answers).length, "raised").toBe(raised.answers.length);
});

it("nothing was thrown that nobody caught", () => {
  expect(gateway.uncaught()).toEqual([]);
});

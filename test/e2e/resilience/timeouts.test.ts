/** What each time bounds and what it does not: one try, all of them, silence. The ways to be late are in faults.test.ts. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { open, type Received, type Sent } from "../../support/client.ts";
import { decisionOf } from "../../support/decision.ts";
import type { Behaviour, FarmOrigin } from "../../support/farm.ts";
import { useFarm } from "../../support/farm-suite.ts";
import { type Origin, startOrigin } from "../../support/origin.ts";
import { pause } from "../../support/suite.ts";
import { chunk, headerOf } from "../../support/wire.ts";
import { until } from "./traffic.ts";

/** Practically every first try goes to `o0`. */
const heavy = 1_000_000;
const limitMs = 400;
/** All tries together: two and a half of them. */
const requestMs = 2.5 * limitMs;
/** A fifth, and how much later a busy machine may be. */
const lateMax = 1.2;
const slackMs = 150;

const retries = { attempts: 2, backoffMs: 1, maxBackoffMs: 1, budget: { percent: 100, minPerSecond: 1_000 } };
const routes = {
  attempt: { timeouts: { attemptMs: limitMs }, retries },
  spanning: { timeouts: { attemptMs: limitMs, requestMs }, retries: { ...retries, attempts: 5 } },
  request: { timeouts: { requestMs: limitMs }, retries },
  once: { timeouts: { attemptMs: limitMs } },
  idle: { timeouts: { idleMs: limitMs }, retries },
};
type RouteName = keyof typeof routes | "raw-attempt" | "raw-idle" | "raw-kept" | "raw-request";

/** More than the buffers on the way to an origin hold. */
const keptBytes = 8 * 1024 * 1024;
const kept = { timeouts: { idleMs: limitMs }, retries: { ...retries, bodyBytes: keptBytes } };

/** Scripted to the byte: the first try goes to the first. */
let raw: [Origin, Origin];
beforeAll(async () => {
  raw = [await startOrigin(), await startOrigin()];
});
afterAll(async () => {
  for (const origin of raw) await origin.dispose();
});
beforeEach(() => {
  for (const origin of raw) origin.clear();
});

const suite = useFarm(3, (urls) => ({
  gateway: { debugHeaders: true },
  services: Object.fromEntries(
    Object.entries({ app: urls, raw: raw.map(({ url }) => url) }).map(([name, some]) => [
      name,
      {
        origins: some.map((url, index) => ({ id: `o${index}`, url, weight: index === 0 ? heavy : 1 })),
        loadBalancing: { policy: "random" },
      },
    ]),
  ),
  routes: Object.entries({
    ...routes,
    "raw-attempt": routes.spanning,
    "raw-idle": routes.idle,
    "raw-kept": kept,
    "raw-request": routes.request,
  }).map(([name, policy]) => ({
    ...{ name, service: name.startsWith("raw-") ? "raw" : "app", matches: [{ path: { prefix: `/${name}` } }] },
    ...policy,
  })),
}));

const o = (index: number): FarmOrigin => suite.farm.origins[index]!;
const counts = (): number[] => suite.farm.origins.map(({ asked }) => asked.length);
const allBehave = (behaviour: Behaviour): void => {
  for (const origin of suite.farm.origins) origin.behave(behaviour);
};
/** Every origin that was asked was told that nobody waits any more. */
const allGivenUp = () =>
  until(() => suite.farm.origins.every(({ asked }) => asked.every(({ isGivenUp }) => isGivenUp)), "all are given up");

interface Timed extends Received {
  readonly tookMs: number;
}
const timed = async (name: RouteName, sent: Sent = {}): Promise<Timed> => {
  const startMs = performance.now();
  const received = await suite.ask({ target: `/${name}`, ...sent });
  return { ...received, tookMs: performance.now() - startMs };
};

/** What the client got, and after how many tries. */
const outcome = (received: Received) => [
  received.status,
  headerOf(received, "sluice-error") ?? received.body.toString(),
  decisionOf(received).tries,
];

/** `what` took as long as configured, a fifth more at most. */
function expectInTime(what: string, all: readonly number[], configuredMs: number): void {
  console.info(`${what}: ${all.map((ms) => (ms / configuredMs).toFixed(3)).join(", ")} of the configured time`);
  for (const ms of all) {
    expect(ms / configuredMs).toBeGreaterThan(0.95);
    expect(ms / configuredMs).toBeLessThan(lateMax + slackMs / configuredMs);
  }
}

const framings = ["Content-Length", "Transfer-Encoding"] as const;
type Framing = (typeof framings)[number];

/** A request whose body of nine bytes comes in three pieces, with pauses of `pauseMs`; `lost`: the last never comes. */
async function upload(name: RouteName, framing: Framing, pauseMs: number, lost = false): Promise<Timed> {
  const isLength = framing === "Content-Length";
  const connection = await open(suite.gateway.url);
  try {
    const headers = [[framing, isLength ? "9" : "chunked"]] as const;
    await connection.send({ method: "PUT", target: `/${name}`, headers });
    for (const piece of lost ? ["abc", "def"] : ["abc", "def", "ghi"]) {
      await pause(pauseMs);
      await connection.wire.write(isLength ? piece : chunk(piece));
    }
    if (!isLength && !lost) await connection.wire.write(chunk());
    const startMs = performance.now();
    const received = await connection.receive("PUT");
    return { ...received, tookMs: performance.now() - startMs };
  } finally {
    connection.close();
  }
}

describe("attemptMs", () => {
  it.each<[string, Behaviour]>([
    ["is silent", { fails: "hangs" }],
    ["is late", { delayMs: 3 * limitMs }],
  ])("an origin that %s is given up for another, which answers", async (how, behaviour) => {
    o(0).behave(behaviour);
    const received = await timed("attempt");
    expect(outcome(received)).toEqual([200, expect.toBeOneOf(["o1", "o2"]), 2]);
    expectInTime(`one origin ${how}, another answers`, [received.tookMs], limitMs);
    await until(() => o(0).asked[0]?.isGivenUp, "o0 is given up");
  });

  it("each try has all of it, at an origin of its own; after the last 504 upstream_timeout", async () => {
    allBehave({ fails: "hangs" });
    const received = await timed("attempt");
    expect(outcome(received)).toEqual([504, "upstream_timeout", 3]);
    expect(counts()).toEqual([1, 1, 1]);
    const moments = suite.farm.origins.map(({ asked }) => asked[0]!.atMs).sort((a, b) => a - b);
    expectInTime(
      "three silent origins, each",
      moments.slice(1).map((ms, index) => ms - moments[index]!),
      limitMs,
    );
    expectInTime("three silent origins, in all", [received.tookMs], 3 * limitMs);
    await allGivenUp();
  });

  it("and requestMs end with the head: a later body is whole", async () => {
    allBehave({ bodyDelayMs: 1.5 * requestMs, body: "late but whole" });
    const all = await Promise.all((["attempt", "spanning", "request"] as const).map((name) => timed(name)));
    for (const received of all) {
      expect(outcome(received)).toEqual([200, "late but whole", 1]);
      expect(received.tookMs / requestMs).toBeGreaterThan(1.4);
    }
  });
});

describe("requestMs", () => {
  it.each<[string, Behaviour]>([
    ["silent", { fails: "hangs" }],
    ["busy, and late to say so", { status: 503, delayMs: 0.9 * limitMs }],
  ])("spans all tries: origins that are %s, 504 request_timeout in the third", async (how, behaviour) => {
    allBehave(behaviour);
    const received = await timed("spanning");
    expect(outcome(received)).toEqual([504, "request_timeout", 3]);
    expect(counts()).toEqual([1, 1, 1]);
    expectInTime(`origins that are ${how}`, [received.tookMs], requestMs);
  });

  it("without attemptMs one try may use it up, and there is none after it", async () => {
    o(0).behave({ fails: "hangs" });
    const received = await timed("request");
    expect(outcome(received)).toEqual([504, "request_timeout", 1]);
    expect(counts()).toEqual([1, 0, 0]);
    expectInTime("one try without a time of its own", [received.tookMs], limitMs);
    await allGivenUp();
  });
});

describe("a body that is uploaded for longer than any of them", () => {
  const pauseMs = 0.5 * requestMs;
  const inEach = <T>(task: (framing: Framing) => Promise<T>): Promise<T[]> => Promise.all(framings.map(task));

  it("costs nothing", async () => {
    const names = ["attempt", "spanning", "request", "once"] as const;
    const all = (await Promise.all(names.map((name) => inEach((framing) => upload(name, framing, pauseMs))))).flat();
    for (const received of all) expect(outcome(received)).toEqual([200, "o0", 1]);
    expect(o(0).asked.map(({ body }) => body.toString())).toEqual(all.map(() => "abcdefghi"));
  });

  it("the times begin with its end", async () => {
    o(0).behave({ fails: "hangs" });
    for (const other of [o(1), o(2)]) other.behave({ fails: "hangs" }, "/spanning");
    const names = ["attempt", "spanning", "once"] as const;
    const all = await Promise.all(names.map((name) => inEach((framing) => upload(name, framing, pauseMs))));
    const expected = [
      [200, expect.toBeOneOf(["o1", "o2"]), 2],
      [504, "request_timeout", 3],
      [504, "upstream_timeout", 1],
    ];
    for (const [index, name] of names.entries()) {
      for (const received of all[index]!) expect(outcome(received)).toEqual(expected[index]);
      const tookMs = all[index]!.map((received) => received.tookMs);
      expectInTime(`after a slow upload, route ${name}`, tookMs, name === "spanning" ? requestMs : limitMs);
    }
    for (const { asked } of suite.farm.origins) {
      for (const { body } of asked) expect(body.toString()).toBe("abcdefghi");
    }
  });

  it("is whole for the second origin when the first has failed meanwhile, and no time runs until then", async () => {
    raw[0].clear(async (request) => {
      await request.pieces().next();
      await request.reply("503 Service Unavailable", []);
    });
    raw[1].clear(async (request) => request.reply("200 OK", [], await request.body()));
    for (const received of await inEach((framing) => upload("raw-attempt", framing, pauseMs))) {
      expect(outcome(received)).toEqual([200, "abcdefghi", 2]);
    }
  });
});

describe("idleMs", () => {
  it("is no bound on the wait for the head of an answer", async () => {
    allBehave({ delayMs: 2 * limitMs });
    const received = await timed("idle");
    expect(outcome(received)).toEqual([200, "o0", 1]);
    expect(received.tookMs / limitMs).toBeGreaterThan(1.9);
  });

  it("an answer that falls silent is cut off, and nothing is sent again", async () => {
    allBehave({ bodyDelayMs: 4 * limitMs, body: "never" });
    const received = await timed("idle");
    expect([received.status, received.complete, received.body.toString()]).toEqual([200, false, ""]);
    expect(counts()).toEqual([1, 0, 0]);
    expectInTime("a silent answer", [received.tookMs], limitMs);
    await allGivenUp();
  });

  it.each<[string, boolean]>([
    ["waits for it", false],
    ["has failed", true],
  ])(
    "an upload that falls silent while its first origin %s: 408 upload_idle, and no other gets it",
    async (how, fails) => {
      raw[0].clear(async (request) => {
        await request.pieces().next();
        if (fails) return request.reply("503 Service Unavailable", []);
        return request.wire.closed();
      });
      raw[1].clear(async (request) => void (await request.body()));
      const all = await Promise.all(framings.map((framing) => upload("raw-idle", framing, 50, true)));
      for (const received of all) expect(outcome(received).slice(0, 2)).toEqual([408, "upload_idle"]);
      expectInTime(
        `a silent upload whose origin ${how}`,
        all.map((one) => one.tookMs),
        limitMs,
      );
      // Nobody takes a part for the whole.
      for (const request of raw[1].requests) await expect(request.body()).rejects.toThrow();
      expect(raw[1].requests.length).toBeLessThanOrEqual(fails ? all.length : 0);
    },
  );

  /** How long after the last byte that went an upload that is not taken was answered 504. */
  const sinceLastMs =
    (target: string) =>
    async (framing: Framing): Promise<number> => {
      const piece = "x".repeat(64 * 1024);
      const pieces = 512;
      const isLength = framing === "Content-Length";
      const connection = await open(suite.gateway.url);
      const headers = [[framing, isLength ? String(pieces * piece.length) : "chunked"]] as const;
      await connection.send({ method: "PUT", target, headers });
      let [lastMs, isOver] = [0, false];
      const sending = (async () => {
        for (let sent = 0; sent < pieces && !isOver; sent++) {
          await connection.wire.write(isLength ? piece : chunk(piece));
          if (!isOver) lastMs = performance.now();
        }
      })();
      const received = await connection.receive("PUT");
      isOver = true;
      const tookMs = performance.now() - lastMs;
      expect(outcome(received)).toEqual([504, "upstream_timeout", 1]);
      connection.close();
      await sending;
      return tookMs;
    };

  it("an upload of which the origin takes no more ends soon after the last byte that went, and no other gets it", async () => {
    raw[0].clear(({ wire }) => void wire.socket.pause());
    const all = await Promise.all(framings.map(sinceLastMs("/raw-idle")));
    console.info(`an origin that stops reading: ${all.map((ms) => (ms / limitMs).toFixed(3)).join(", ")} of idleMs`);
    // The buffers on both sides of the gateway go on taking a little for a while after the client's last write.
    for (const ms of all) expect(ms / limitMs).toBeLessThan(2 + slackMs / limitMs);
    expect(raw[1].requests).toEqual([]);
    for (const { wire } of raw[0].requests) wire.socket.destroy();
  });

  it("without it the times of the answer bound an origin that takes no more of an upload", async () => {
    raw[0].clear(({ wire }) => void wire.socket.pause());
    const all = await Promise.all(framings.map(sinceLastMs("/raw-request")));
    console.info(`an origin that stops reading: ${all.map((ms) => (ms / limitMs).toFixed(3)).join(", ")} of requestMs`);
    for (const ms of all) expect(ms / limitMs).toBeLessThan(2 + slackMs / limitMs);
    for (const { wire } of raw[0].requests) wire.socket.destroy();
  });

  it("an upload that was kept is whole at another origin when the first takes no more of it", async () => {
    raw[0].clear(({ wire }) => void wire.socket.pause());
    const body = "x".repeat(keptBytes - 1);
    const received = await timed("raw-kept", { method: "PUT", body });
    expect(outcome(received)).toEqual([200, "", 2]);
    expect((await raw[1].requests[0]!.body()).length).toBe(body.length);
    console.info(`a kept upload: answered after ${(received.tookMs / limitMs).toFixed(3)} of idleMs`);
    for (const { wire } of raw[0].requests) wire.socket.destroy();
  });
});

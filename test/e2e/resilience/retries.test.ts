/** When a request is sent again, to whom, how often, and what of it arrives. */
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { open, type Received, type Sent } from "../../support/client.ts";
import { decisionOf } from "../../support/decision.ts";
import type { FarmOrigin } from "../../support/farm.ts";
import { useFarm } from "../../support/farm-suite.ts";
import { type Origin, startOrigin } from "../../support/origin.ts";
import { chunk, headerOf } from "../../support/wire.ts";

/** Practically every first try goes to `o0`. */
const heavy = 1_000_000;
const patientMs = 1_000;
const quick = { backoffMs: 1, maxBackoffMs: 1 };
const backoffMs = 300;
/** How much later a busy machine may be. */
const slackMs = 100;
const unlimited = { percent: 100, minPerSecond: 1_000 };

/** A route and a service of its own, as the budget is the service's. `origins`: how many of the farm's. */
const settings = {
  none: { origins: 2 },
  one: { origins: 2, retries: { attempts: 1, ...quick } },
  two: { origins: 3, retries: { attempts: 2, ...quick } },
  many: { origins: 3, retries: { attempts: 5, ...quick } },
  zero: { origins: 2, retries: { attempts: 0, ...quick } },
  coded: { origins: 2, retries: { attempts: 1, codes: [500, 429], ...quick } },
  small: { origins: 2, retries: { attempts: 1, bodyBytes: 1_000, ...quick } },
  // What a mirror keeps of the body is no reason to send it again.
  mirrored: {
    origins: 2,
    retries: { attempts: 1, bodyBytes: 1_000, ...quick },
    mirror: [{ service: "empty", methods: ["PUT"] }],
  },
  patient: {
    origins: 2,
    retries: { attempts: 1, backoffMs: 60_000, maxBackoffMs: 60_000 },
    timeouts: { requestMs: patientMs },
  },
  asked: { origins: 2, retries: { attempts: 1, ...quick }, timeouts: { requestMs: 3_000 } },
  jittered: { origins: 2, retries: { attempts: 2, backoffMs, maxBackoffMs: backoffMs, budget: unlimited } },
  broke: { origins: 2, retries: { attempts: 1, budget: { percent: 0, minPerSecond: 0 }, ...quick } },
  frugal: { origins: 2, retries: { attempts: 1, budget: { percent: 20, minPerSecond: 0 }, ...quick } },
  granted: { origins: 2, retries: { attempts: 1, budget: { percent: 0, minPerSecond: 0.5 }, ...quick } },
  tenth: { origins: 2, retries: { attempts: 1, budget: unlimited, ...quick } },
};
type Name = keyof typeof settings | "raw";

/** Scripted to the byte: the first try goes to the first. */
let raw: [Origin, Origin];
beforeAll(async () => {
  raw = [await startOrigin(), await startOrigin()];
});
afterAll(async () => {
  for (const origin of raw) await origin.dispose();
});

const suite = useFarm(3, (urls) => ({
  gateway: { debugHeaders: true },
  services: Object.fromEntries(
    [
      ["empty", []] as const,
      ...Object.entries(settings).map(([name, { origins }]) => [name, urls.slice(0, origins)] as const),
      ["raw", raw.map(({ url }) => url)] as const,
    ].map(([name, some]) => [
      name,
      {
        origins: some.map((url, index) => ({ id: `o${index}`, url, weight: index === 0 ? heavy : 1 })),
        loadBalancing: { policy: "random" },
      },
    ]),
  ),
  routes: Object.entries({ ...settings, raw: settings.small }).map(([name, { origins: _, ...policy }]) => ({
    ...{ name, service: name, matches: [{ path: { prefix: `/${name}` } }] },
    ...policy,
  })),
}));

beforeEach(() => {
  for (const origin of raw) origin.clear();
});

const ask = (name: Name, sent: Sent = {}): Promise<Received> => suite.ask({ target: `/${name}`, ...sent });
const o = (index: number): FarmOrigin => suite.farm.origins[index]!;
const counts = (): number[] => suite.farm.origins.map(({ asked }) => asked.length);
/** What answered, and after how many tries. */
const outcome = (received: Received) => [received.status, received.body.toString(), decisionOf(received).tries];
const codeOf = (received: Received) => [received.status, headerOf(received, "sluice-error")];

describe("a failed try", () => {
  it.each<[string, () => void | Promise<void>]>([
    ["is refused", () => o(0).kill()],
    ["is closed", () => o(0).behave({ fails: "closes" })],
    ["is answered with 502", () => o(0).behave({ status: 502 })],
    ["is answered with 503", () => o(0).behave({ status: 503 })],
    ["is answered with 504", () => o(0).behave({ status: 504 })],
  ])("that %s is made good by another origin", async (_, fail) => {
    await fail();
    for (const method of ["GET", "PUT", "DELETE", "OPTIONS", "TRACE"]) {
      expect(outcome(await ask("one", { method }))).toEqual([200, "o1", 2]);
    }
    const head = await ask("one", { method: "HEAD" });
    expect([head.status, decisionOf(head).origin]).toEqual([200, "o1"]);
    expect(o(1).asked.length).toBe(6);
  });

  it("goes to an origin that has not been asked, as long as there is one", async () => {
    for (const status of [502, 503]) {
      o(0).behave({ status });
      o(1).behave({ status });
      expect(outcome(await ask("two"))).toEqual([200, "o2", expect.toBeOneOf([2, 3])]);
    }
    expect(Math.max(...counts())).toBe(2);
    expect(o(2).asked.length).toBe(2);
    // The origins can tell that it is the same request.
    const ids = suite.farm.origins.flatMap(({ asked }) => asked.map(({ headers }) => headers["x-request-id"]));
    expect(new Set(ids).size).toBe(2);
  });

  it("and when all were asked, to one that was", async () => {
    for (const origin of suite.farm.origins) origin.behave({ status: 503, body: "busy" });
    expect(outcome(await ask("many"))).toEqual([503, "busy", 6]);
    expect(counts().every((count) => count >= 1)).toBe(true);
  });

  it("without retries is the answer", async () => {
    for (const name of ["none", "zero"] as const) {
      o(0).behave({ status: 503, body: "busy" });
      expect(outcome(await ask(name))).toEqual([503, "busy", 1]);
    }
    expect(counts()).toEqual([2, 0, 0]);
  });

  it("is retried for the statuses of `codes` only", async () => {
    for (const status of [404, 429, 500, 501]) {
      o(0).behave({ status });
      expect(outcome(await ask("one"))).toEqual([status, "o0", 1]);
    }
    o(0).behave({ status: 500 });
    expect(outcome(await ask("coded"))).toEqual([200, "o1", 2]);
    o(0).behave({ status: 429 });
    expect(outcome(await ask("coded"))).toEqual([200, "o1", 2]);
    o(0).behave({ status: 503 });
    expect((await ask("coded")).status).toBe(503);
    // But what is no answer always is.
    o(0).behave({ fails: "closes" });
    expect(outcome(await ask("coded"))).toEqual([200, "o1", 2]);
  });

  it("that is the last is passed on as it came", async () => {
    const headers = { "x-origin": "own", "retry-after": "7", "content-type": "text/x-own" };
    o(0).behave({ status: 503, body: "first" });
    o(1).behave({ status: 504, body: "second", headers });
    const received = await ask("one");
    expect(outcome(received)).toEqual([504, "second", 2]);
    expect(headerOf(received, "sluice-error")).toBeNull();
    for (const [name, value] of Object.entries(headers)) expect(headerOf(received, name)).toBe(value);
  });

  it("is not seen by clients: one answer in ten of one origin, attempts 1", async () => {
    const requests = 200;
    for (let count = 0; count < requests; count++) {
      o(0).behave(count % 10 === 0 ? { status: 503 } : {});
      expect((await ask("tenth")).status).toBe(200);
    }
    const [first, second] = counts();
    console.info(`one answer in ten of one origin fails: ${requests} requests, ${second} retried, 0 failed`);
    expect([first, second]).toEqual([requests, requests / 10]);
  });
});

describe("what may not be sent twice", () => {
  const post: Sent = { method: "POST", body: "abc" };
  const keyed: Sent = { ...post, headers: [["Idempotency-Key", '"8e03978e"']] };

  it("is a POST or PATCH without an idempotency key, with one it is", async () => {
    for (const fails of ["closes", undefined] as const) {
      for (const method of ["POST", "PATCH"]) {
        await suite.farm.reset();
        o(0).behave(fails ? { fails } : { status: 503 });
        expect((await ask("one", { ...post, method })).status).toBe(fails ? 502 : 503);
        expect(counts()).toEqual([1, 0, 0]);
        expect(outcome(await ask("one", { ...keyed, method }))).toEqual([200, "o1", 2]);
        expect(o(1).asked[0]?.headers["idempotency-key"]).toBe('"8e03978e"');
        expect(o(1).asked[0]?.body.toString()).toBe("abc");
      }
    }
  });

  it("is a body above bodyBytes, however it is framed", async () => {
    o(0).behave({ status: 503 });
    for (const name of ["small", "mirrored"] as const) {
      for (const body of ["x".repeat(1_001), ["x".repeat(600), "x".repeat(401)]]) {
        expect((await ask(name, { method: "PUT", body })).status).toBe(503);
      }
    }
    expect(counts()).toEqual([4, 0, 0]);
  });
});

describe("a body that is kept", () => {
  const text = Array.from({ length: 250 }, (_, index) => String(index).padStart(4, "0")).join("");

  it.each<[string, Sent["body"], object]>([
    ["with Content-Length", text, { "content-length": "1000" }],
    ["in chunks", [text.slice(0, 300), text.slice(300, 301), text.slice(301)], { "transfer-encoding": "chunked" }],
    ["of no bytes", "", { "content-length": "0" }],
  ])("%s arrives whole at the second origin, framed as it came", async (_, body, framing) => {
    for (const behaviour of [{ status: 503 }, { fails: "closes" }] as const) {
      await suite.farm.reset();
      o(0).behave(behaviour);
      expect(outcome(await ask("small", { method: "PUT", ...(body !== undefined && { body }) }))).toEqual([
        200,
        "o1",
        2,
      ]);
      const [again] = o(1).asked;
      expect(again?.body.toString()).toBe(body?.length === 0 ? "" : text);
      expect(again?.headers).toMatchObject(framing);
      const other = "content-length" in framing ? "transfer-encoding" : "content-length";
      expect(again?.headers).not.toHaveProperty(other);
    }
  });

  it.each(["Content-Length", "Transfer-Encoding"] as const)(
    "and is still coming (%s) when the first origin fails",
    async (name) => {
      const isLength = name === "Content-Length";
      const frame = (bytes: string) => (isLength ? bytes : chunk(bytes));
      const failed = new Promise<void>((resolve) => {
        raw[0].clear(async (request) => {
          await request.pieces().next();
          request.reset();
          resolve();
        });
      });
      raw[1].clear(async (request) => request.reply("200 OK", [], await request.body()));
      const connection = await open(suite.gateway.url);
      const headers = [[name, isLength ? "9" : "chunked"]] as const;
      await connection.send({ method: "PUT", target: "/raw", headers });
      await connection.wire.write(frame("abc"));
      await failed;
      await wait(50);
      await connection.wire.write(frame("def"));
      await wait(50);
      await connection.wire.write(frame("ghi"));
      if (!isLength) await connection.wire.write(chunk());
      const received = await connection.receive("PUT");
      connection.close();
      expect(outcome(received)).toEqual([200, "abcdefghi", 2]);
      expect(raw[1].only().framing).toBe(isLength ? "length" : "chunked");
    },
  );

  it.each(["Content-Length", "Transfer-Encoding"] as const)("is not held back meanwhile (%s)", async (name) => {
    const isLength = name === "Content-Length";
    const first = new Promise<string>((resolve) => {
      raw[0].clear(async (request) => {
        const pieces = request.pieces();
        resolve(String((await pieces.next()).value));
        for await (const _ of pieces);
        await request.reply("200 OK", []);
      });
    });
    const connection = await open(suite.gateway.url);
    await connection.send({ method: "PUT", target: "/raw", headers: [[name, isLength ? "6" : "chunked"]] });
    await connection.wire.write(isLength ? "abc" : chunk("abc"));
    // Only now that the origin has the first piece the client sends the last.
    expect(await first).toBe("abc");
    await connection.wire.write(isLength ? "def" : Buffer.concat([chunk("def"), chunk()]));
    expect((await connection.receive("PUT")).status).toBe(200);
    connection.close();
  });
});

describe("the pause before a retry", () => {
  it("is drawn anew, between none and the longest", async () => {
    for (const origin of suite.farm.origins) origin.behave({ status: 503 });
    const clients = Array.from({ length: 30 }, (_, client) => String(client));
    await Promise.all(clients.map((client) => ask("jittered", { headers: [["X-Client", client]] })));
    const tries = suite.farm.origins.flatMap(({ asked }) => asked);
    const pauses = clients.flatMap((client) => {
      const moments = tries.filter(({ headers }) => headers["x-client"] === client).map(({ atMs }) => atMs);
      const [first = 0, second = 0, third = 0] = moments.sort((a, b) => a - b);
      return [(second - first) / backoffMs, (third - second) / backoffMs];
    });
    const mean = pauses.reduce((sum, one) => sum + one, 0) / pauses.length;
    console.info(`${pauses.length} pauses: ${mean.toFixed(2)} of the longest on average`);
    expect(tries.length).toBe(clients.length * 3);
    expect(Math.min(...pauses)).toBeLessThan(0.4);
    expect(Math.max(...pauses)).toBeGreaterThan(0.6);
    expect(Math.max(...pauses)).toBeLessThan(1.2 + slackMs / backoffMs);
    // A uniform draw has a mean of 0.5, and of sixty a standard deviation of 0.04.
    expect(mean).toBeGreaterThan(0.3);
    expect(mean).toBeLessThan(0.7 + slackMs / backoffMs);
  });

  it("is no shorter than Retry-After", async () => {
    o(0).behave({ status: 503, headers: { "retry-after": "1" } });
    const startMs = performance.now();
    expect(outcome(await ask("asked"))).toEqual([200, "o1", 2]);
    expect((performance.now() - startMs) / 1_000).toBeGreaterThan(0.99);
    expect((o(1).asked[0]!.atMs - o(0).asked[0]!.atMs) / 1_000).toBeGreaterThan(0.99);
  });

  it("is not made when Retry-After is longer than the time left: the answer is passed on at once", async () => {
    o(0).behave({ status: 503, body: "later", headers: { "retry-after": "4" } });
    const startMs = performance.now();
    const received = await ask("asked");
    expect((performance.now() - startMs) / 3_000).toBeLessThan(0.5);
    expect(outcome(received)).toEqual([503, "later", 1]);
    expect(headerOf(received, "retry-after")).toBe("4");
    expect(decisionOf(received)).not.toHaveProperty("retry");
    expect(counts()).toEqual([1, 0, 0]);
  });

  it("may last until the time of the request is over: 504 request_timeout within a fifth of requestMs", async () => {
    o(0).behave({ status: 503 });
    // Drawn from a minute, it is hardly ever shorter than a second.
    const all = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const startMs = performance.now();
        const received = await ask("patient");
        return { received, ratio: (performance.now() - startMs) / patientMs };
      }),
    );
    const late = all.filter(({ received }) => received.status !== 200);
    expect(late.length).toBeGreaterThan(5);
    for (const { received, ratio } of late) {
      expect(codeOf(received)).toEqual([504, "request_timeout"]);
      expect(decisionOf(received).tries).toBe(1);
      expect(ratio).toBeGreaterThan(0.95);
      expect(ratio).toBeLessThan(1.2 + slackMs / patientMs);
    }
  });
});

describe("the budget", () => {
  it("when spent means no retry, and sluice-decision says so", async () => {
    o(0).behave({ status: 503, body: "busy" });
    const received = await ask("broke");
    expect(outcome(received)).toEqual([503, "busy", 1]);
    expect(decisionOf(received).retry).toBe("spent");
    o(0).behave({ fails: "closes" });
    const lost = await ask("broke");
    expect([codeOf(lost), decisionOf(lost).retry]).toEqual([[502, "upstream_unreachable"], "spent"]);
    o(0).behave({});
    expect(decisionOf(await ask("broke"))).not.toHaveProperty("retry");
  });

  it("bounds the retries of a service that is down to its percentage", async () => {
    for (const origin of suite.farm.origins) origin.behave({ status: 503 });
    const requests = 100;
    for (let count = 0; count < requests; count++) expect((await ask("frugal")).status).toBe(503);
    const tries = counts().reduce((sum, count) => sum + count, 0);
    console.info(`a service that is down: ${requests} requests, ${tries - requests} retries`);
    expect(tries - requests).toBeLessThanOrEqual(requests / 5);
    expect(tries - requests).toBeGreaterThanOrEqual(requests / 10);
  });

  it("is never less than minPerSecond for ten seconds", async () => {
    for (const origin of suite.farm.origins) origin.behave({ status: 503 });
    const retried = [];
    for (let count = 0; count < 10; count++) retried.push(decisionOf(await ask("granted")));
    expect(retried.map(({ tries }) => tries)).toEqual([2, 2, 2, 2, 2, 1, 1, 1, 1, 1]);
    expect(retried.map(({ retry }) => retry === "spent")).toEqual(retried.map(({ tries }) => tries === 1));
  });
});

/** Every way in which an origin can fail a request: what the client gets, when, and how often the origin was asked. */
import { gunzipSync, gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { exchange, open, type Received, type Sent } from "../../support/client.ts";
import { closesUsed, type Incoming, type Script } from "../../support/origin.ts";
import { pause, useSuite } from "../../support/suite.ts";
import { chunk, headerOf, Truncated } from "../../support/wire.ts";

/** All times of this file; what takes so long is done at once. A fifth of it is more than a busy machine is late. */
const limitMs = 1_500;
const lateMax = 1.2;

const timeouts = {
  plain: {},
  attempt: { attemptMs: limitMs },
  request: { requestMs: limitMs },
  idle: { idleMs: limitMs },
  retried: { attemptMs: limitMs },
};
type RouteName = keyof typeof timeouts | "refused";

const suite = useSuite((url) => ({
  services: {
    app: { origins: [{ id: "a", url }] },
    refused: { origins: [{ id: "r", url: "http://127.0.0.1:1" }] },
  },
  routes: [
    ...Object.entries(timeouts).map(([name, limits]) => ({
      name,
      service: "app",
      matches: [{ path: { prefix: `/${name}` } }],
      timeouts: limits,
      ...(name === "retried" && { retries: { attempts: 3, backoffMs: 1, maxBackoffMs: 1 } }),
    })),
    { name: "refused", service: "refused", matches: [{ path: { prefix: "/refused" } }] },
  ],
}));

interface Timed extends Received {
  /** Time to the end of the answer, as a multiple of `limitMs`. */
  readonly ratio: number;
}

async function timed(target: string, sent: Sent = {}): Promise<Timed> {
  const startMs = performance.now();
  const received = await exchange(suite.gateway.url, { ...sent, target });
  return { ...received, ratio: (performance.now() - startMs) / limitMs };
}

const askedFor = (target: string): readonly Incoming[] =>
  suite.origin.requests.filter((request) => request.target === target);

const codeOf = (received: Received) => [received.status, headerOf(received, "sluice-error")];

const ratios = (all: readonly Timed[]) => all.map(({ ratio }) => ratio.toFixed(3)).join(", ");

function expectInTime(all: readonly Timed[]): void {
  for (const { ratio } of all) {
    expect(ratio).toBeGreaterThan(0.95);
    expect(ratio).toBeLessThan(lateMax);
  }
}

describe("an origin that fails before the head of its answer", () => {
  const saying =
    (text: string): Script =>
    async ({ body, wire }) => {
      await body();
      await wire.write(text);
      wire.socket.end();
    };
  /** Bytes come all the time, but never the end of the header section. */
  const drippingHead: Script = async ({ wire }) => {
    await wire.write("HTTP/1.1 200 OK\r\n");
    for (let count = 0; !wire.ended; count++) {
      await wire.write(`X-Drip-${count}: 1\r\n`);
      await pause(limitMs / 5);
    }
  };
  /** By the last segment of the path. */
  const faults: Record<string, Script> = {
    reset: (request) => request.reset(),
    closed: saying(""),
    "closed-in-head": saying("HTTP/1.1 200 OK\r\nContent-Le"),
    garbage: saying("220 smtp.example.com ESMTP\r\n"),
    blackhole: ({ wire }) => wire.closed(),
    "dripping-head": drippingHead,
  };
  const silent = ["blackhole", "dripping-head"];
  const lost = Object.keys(faults).filter((name) => !silent.includes(name));
  const bodies: Sent[] = [{}, { method: "POST", body: "abc" }, { method: "POST", body: ["a", "bc"] }];

  beforeEach(() => suite.script((request) => faults[request.target.split("/").at(-1) ?? ""]?.(request)));

  it.each(["refused", ...lost])("%s: 502 upstream_unreachable, at once", async (fault) => {
    for (const sent of bodies) {
      const received = await timed(fault === "refused" ? "/refused" : `/plain/${fault}`, sent);
      expect(codeOf(received)).toEqual([502, "upstream_unreachable"]);
      expect(received.ratio).toBeLessThan(0.5);
    }
  });

  it.each<[RouteName, string]>([
    ["attempt", "upstream_timeout"],
    ["request", "request_timeout"],
  ])("silent or slow, by the time for the %s: 504 %s within a fifth of it", async (route, code) => {
    const all = await Promise.all(silent.flatMap((fault) => bodies.map((sent) => timed(`/${route}/${fault}`, sent))));
    console.info(`${code} after ${ratios(all)} of the configured time`);
    for (const received of all) expect(codeOf(received)).toEqual([504, code]);
    expectInTime(all);
    // Each was told that nobody waits any more.
    await Promise.all(suite.origin.requests.map(({ wire }) => wire.closed()));
    expect(suite.origin.requests.length).toBe(all.length);
  });

  it("never gets a POST or PATCH twice without an idempotency key, whether there are retries or not", async () => {
    const sent: [string, Sent][] = [
      ["whole", { method: "POST", body: "abc" }],
      ["none", { method: "POST" }],
      ["chunked", { method: "PATCH", body: ["a", "bc"] }],
    ];
    const targets = ["attempt", "retried"].flatMap((route) =>
      sent.flatMap(([name, one]) =>
        Object.keys(faults).map((fault) => [`/${route}/${name}/${fault}`, one, silent.includes(fault)] as const),
      ),
    );
    await Promise.all(
      targets.map(async ([target, one, isSilent]) => {
        expect([target, (await timed(target, one)).status]).toEqual([target, isSilent ? 504 : 502]);
      }),
    );
    expect(targets.filter(([target]) => askedFor(target).length !== 1)).toEqual([]);
  });

  it.each<[RouteName, number]>([
    ["plain", 2],
    ["retried", 4],
  ])("gets GET again, on the route %s %i times in all: the connection may have been stale", async (route, times) => {
    await Promise.all(
      lost.map(async (fault) => {
        expect((await timed(`/${route}/${fault}`)).status).toBe(502);
        expect([fault, askedFor(`/${route}/${fault}`).length]).toEqual([fault, times]);
      }),
    );
  });
});

describe("a kept connection that the origin closes as it is used again", () => {
  it.each<RouteName>(["plain", "idle", "retried"])(
    "costs GET nothing and POST no second try, route %s",
    async (route) => {
      suite.script(closesUsed());
      expect((await timed(`/${route}/first`)).status).toBe(200);
      expect((await timed(`/${route}/second`)).status).toBe(200);
      expect(askedFor(`/${route}/second`).length).toBe(2);
      const posted = await timed(`/${route}/third`, { method: "POST", body: "abc" });
      expect(codeOf(posted)).toEqual([502, "upstream_unreachable"]);
      expect(askedFor(`/${route}/third`).length).toBe(1);
    },
  );
});

describe("an answer that stops in its body is never taken for whole", () => {
  const text = "x".repeat(20_000);
  const encodings = { identity: Buffer.from(text), gzip: gzipSync(Buffer.from(text), { level: 0 }) };
  const framings = ["length", "chunked", "close"] as const;
  type Case = readonly [framing: (typeof framings)[number], encoding: keyof typeof encodings];
  const cases: readonly Case[] = framings.flatMap((framing) => [
    [framing, "identity"],
    [framing, "gzip"],
  ]);
  const encoded = ["Content-Encoding", "gzip"] as const;
  const targetOf = (route: RouteName, [framing, encoding]: Case) => `/${route}/${framing}/${encoding}`;

  /** Sends the head and half of the body, then does `next`. */
  const half =
    (next: (request: Incoming, rest: Buffer, framing: Case[0]) => void | Promise<void>): Script =>
    async (request) => {
      const [framing, encoding] = request.target.split("/").slice(2) as unknown as Case;
      const bytes = encodings[encoding];
      const lines = {
        length: ["Content-Length", String(bytes.length)],
        chunked: ["Transfer-Encoding", "chunked"],
        close: ["Connection", "close"],
      } as const;
      await request.head("200 OK", [lines[framing], ...(encoding === "gzip" ? [encoded] : [])]);
      const first = bytes.subarray(0, bytes.length / 2);
      await request.wire.write(framing === "chunked" ? chunk(first) : first);
      await next(request, bytes.subarray(first.length), framing);
    };

  const expectTruncated = (received: Received, encoding: Case[1]) => {
    expect([received.status, received.complete]).toEqual([200, false]);
    if (encoding === "identity") expect(text.startsWith(received.body.toString())).toBe(true);
    else expect(() => gunzipSync(received.body)).toThrow();
  };

  it.each(["plain", "idle", "retried"] as const)(
    "when it is reset, and nothing is sent again: route %s",
    async (route) => {
      suite.script(
        half(async (request) => {
          await pause(50);
          request.reset();
        }),
      );
      for (const one of cases) expectTruncated(await timed(targetOf(route, one)), one[1]);
      expect(suite.origin.requests.length).toBe(cases.length);
    },
  );

  it("when it falls silent for idleMs: cut off within a fifth of it, on both sides", async () => {
    suite.script(half(({ wire }) => wire.closed()));
    const all = await Promise.all(cases.map((one) => timed(targetOf("idle", one))));
    console.info(`cut off after ${ratios(all)} of idleMs`);
    for (const [index, received] of all.entries()) expectTruncated(received, cases[index]![1]);
    expectInTime(all);
    await Promise.all(suite.origin.requests.map(({ wire }) => wire.closed()));
  });

  it("but shorter pauses cost nothing", async () => {
    suite.script(
      half(async ({ wire }, rest, framing) => {
        for (const piece of [rest.subarray(0, 5_000), rest.subarray(5_000)]) {
          await pause(limitMs * 0.6);
          await wire.write(framing === "chunked" ? chunk(piece) : piece);
        }
        if (framing === "chunked") await wire.write(chunk());
        if (framing === "close") wire.socket.end();
      }),
    );
    await Promise.all(
      cases.map(async (one) => {
        const [framing, encoding] = one;
        const received = await timed(targetOf("idle", one));
        expect([received.status, received.complete]).toEqual([200, true]);
        expect((encoding === "gzip" ? gunzipSync(received.body) : received.body).toString()).toBe(text);
        if (framing === "length" && encoding === "identity") expect(received.framing).toBe("length");
        expect(received.ratio).toBeGreaterThan(1);
      }),
    );
  });

  it("and an answer without a body is what it was", async () => {
    suite.script(({ target, head }) => head(target.slice("/idle/".length), [["X-Kept", "1"]]));
    for (const status of [204, 304]) {
      const received = await timed(`/idle/${status}`);
      expect([received.status, headerOf(received, "x-kept")]).toEqual([status, "1"]);
    }
    suite.script((request) => request.head("200 OK", [["Content-Length", "5"]]));
    const received = await timed("/idle", { method: "HEAD" });
    expect([received.status, headerOf(received, "content-length")]).toEqual([200, "5"]);
  });
});

describe("an upload", () => {
  const framings = ["Content-Length", "Transfer-Encoding"] as const;
  type Framing = (typeof framings)[number];

  /** A POST whose body is sent piece by piece. */
  const begin = async (framing: Framing, bytes: number) => {
    const connection = await open(suite.gateway.url);
    const value = framing === "Content-Length" ? String(bytes) : "chunked";
    await connection.send({ method: "POST", target: `/idle/${framing}`, headers: [[framing, value]] });
    const push = (text: string) => connection.wire.write(framing === "Content-Length" ? text : chunk(text));
    return { connection, push };
  };

  it("that falls silent: 408 upload_idle, and the origin does not get it as whole", async () => {
    suite.script(async (request) => void (await request.body()));
    const one = async (framing: Framing): Promise<Timed> => {
      const { connection, push } = await begin(framing, 9);
      await push("abc");
      const startMs = performance.now();
      const received = await connection.receive("POST");
      connection.close();
      return { ...received, ratio: (performance.now() - startMs) / limitMs };
    };
    const all = await Promise.all(framings.map(one));
    console.info(`upload_idle after ${ratios(all)} of idleMs`);
    for (const received of all) expect(codeOf(received)).toEqual([408, "upload_idle"]);
    expectInTime(all);
    for (const framing of framings) {
      const [request, ...more] = askedFor(`/idle/${framing}`);
      expect(more).toEqual([]);
      await expect(request?.body()).rejects.toThrow(Truncated);
    }
  });

  it("that pauses for less goes through as it is", async () => {
    suite.script(async (request) => request.reply("200 OK", [], await request.body()));
    await Promise.all(
      framings.map(async (framing) => {
        const { connection, push } = await begin(framing, 9);
        for (const piece of ["abc", "def", "ghi"]) {
          await pause(limitMs * 0.6);
          await push(piece);
        }
        if (framing === "Transfer-Encoding") await connection.wire.write(chunk());
        const received = await connection.receive("POST");
        connection.close();
        expect([received.status, received.body.toString()]).toEqual([200, "abcdefghi"]);
        const [request] = askedFor(`/idle/${framing}`);
        expect(request?.framing).toBe(framing === "Content-Length" ? "length" : "chunked");
      }),
    );
  });

  it("of which the origin takes no more: 504 upstream_timeout", async () => {
    suite.script(async ({ wire }) => {
      wire.socket.pause();
      await pause(limitMs * 6);
    });
    const pieces = 64;
    const piece = "x".repeat(1024 * 1024);
    await Promise.all(
      framings.map(async (framing) => {
        const { connection, push } = await begin(framing, pieces * piece.length);
        const startMs = performance.now();
        const sending = (async () => {
          for (let sent = 0; sent < pieces; sent++) await push(piece);
        })();
        const received = await connection.receive("POST");
        expect(codeOf(received)).toEqual([504, "upstream_timeout"]);
        // The buffers in between go on taking a little for a while.
        expect((performance.now() - startMs) / limitMs).toBeGreaterThan(0.95);
        connection.close();
        await sending;
      }),
    );
    for (const { wire } of suite.origin.requests) wire.socket.destroy();
  });
});

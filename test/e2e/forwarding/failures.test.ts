/** What a client gets when an origin fails, how long that takes, and how often the origin was asked. */
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { exchange, open, type Received } from "../../support/client.ts";
import { closesUsed, type Script } from "../../support/origin.ts";
import { pause, useSuite } from "../../support/suite.ts";
import { chunk, headerOf } from "../../support/wire.ts";

const requestMs = 300;

const suite = useSuite(
  (url) => ({
    services: {
      app: { origins: [{ id: "a", url }] },
      refused: { origins: [{ id: "r", url: "http://127.0.0.1:1" }] },
      unknown: { origins: [{ id: "u", url: "http://no-such-host.invalid" }] },
      empty: {},
    },
    routes: [
      { name: "app", service: "app" },
      { name: "patient", service: "app", matches: [{ path: { prefix: "/patient" } }], timeouts: { requestMs: 0 } },
      { name: "quick", service: "app", matches: [{ path: { prefix: "/quick" } }], timeouts: { requestMs } },
      ...["refused", "unknown", "empty"].map((name) => ({
        name,
        service: name,
        matches: [{ path: { prefix: `/${name}` } }],
      })),
    ].map((route) => ({ ...route, hosts: ["*.test"] })),
  }),
  { isolates: 2 },
);

/** Checks everything that an error has to have, and that it does not tell where the origin is. */
function expectProblem(received: Received, status: number, code: string): void {
  expect([received.status, headerOf(received, "sluice-error")]).toEqual([status, code]);
  expect(headerOf(received, "content-type")).toBe("application/problem+json");
  const text = received.body.toString();
  const requestId = headerOf(received, "x-request-id");
  expect(JSON.parse(text)).toMatchObject({
    type: expect.stringMatching(/./),
    title: expect.stringMatching(/./),
    detail: expect.stringMatching(/./),
    status,
    code,
    requestId,
  });
  const everything = text + JSON.stringify(received.headers);
  for (const secret of ["127.0.0.1", String(suite.origin.port), ".invalid", "Network connection", "internal error"]) {
    expect(everything).not.toContain(secret);
  }
}

const bytes =
  (text: string, end: "close" | "stay" = "close"): Script =>
  async (request) => {
    await request.body();
    await request.wire.write(text);
    if (end === "close") request.wire.socket.end();
  };

describe("502", () => {
  it.each<[string, string, Script | undefined]>([
    ["refuses", "/refused", undefined],
    ["has no address", "/unknown", undefined],
    ["resets the connection", "/", (request) => request.reset()],
    ["closes the connection", "/", bytes("")],
    ["closes it in the middle of the status line", "/", bytes("HTTP/1.1 20")],
    ["closes it in the middle of the headers", "/", bytes("HTTP/1.1 200 OK\r\nContent-Le")],
    ["does not speak HTTP", "/", bytes("SSH-2.0-OpenSSH_9.9\r\n")],
    ["answers with garbage and stays", "/", bytes("garbage garbage\r\n\r\n", "stay")],
    ["answers with a status of two digits", "/", bytes("HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n", "stay")],
  ])("when the origin %s: upstream_unreachable", async (_, target, script) => {
    suite.script(script);
    expectProblem(await suite.ask({ target }), 502, "upstream_unreachable");
    expectProblem(await suite.ask({ target, method: "POST", body: "abc" }), 502, "upstream_unreachable");
    expectProblem(await suite.ask({ target, method: "POST", body: ["abc"] }), 502, "upstream_unreachable");
  });

  it.each([600, 777, 999])("when the origin answers with %i: upstream_invalid_response", async (status) => {
    suite.script(bytes(`HTTP/1.1 ${status} Odd\r\nContent-Length: 3\r\n\r\nabc`, "stay"));
    expectProblem(await suite.ask(), 502, "upstream_invalid_response");
    expect(suite.origin.requests.length).toBe(1);
    suite.script();
    expect((await suite.ask()).status).toBe(200);
  });

  it("while a body is on its way up", async () => {
    suite.script(async (request) => {
      await request.pieces().next();
      request.reset();
    });
    for (const framing of [["Content-Length", "100000"] as const, ["Transfer-Encoding", "chunked"] as const]) {
      const connection = await open(suite.gateway.url);
      await connection.send({ method: "POST", headers: [framing] });
      await connection.wire.write(framing[0] === "Content-Length" ? "abc" : chunk("abc"));
      expectProblem(await connection.receive(), 502, "upstream_unreachable");
      connection.close();
    }
  });

  it("of HEAD has no body but the same headers", async () => {
    const received = await suite.ask({ method: "HEAD", target: "/refused" });
    expect([received.status, headerOf(received, "sluice-error")]).toEqual([502, "upstream_unreachable"]);
  });
});

describe("the gateway's other refusals", () => {
  it("no route: 404", async () => {
    expectProblem(await suite.ask({ headers: [["Host", "unknown.example"]] }), 404, "route_not_found");
  });

  it("no origin: 503", async () => {
    expectProblem(await suite.ask({ target: "/empty" }), 503, "no_origin");
  });

  it("a loop: 508", async () => {
    const via = Array.from({ length: 4 }, () => "1.1 sluice").join(", ");
    expectProblem(await suite.ask({ headers: [["Via", via]] }), 508, "loop_detected");
  });
});

describe("504", () => {
  const tolerance = 3;

  it("after the time for headers, and the origin's connection is given up", async () => {
    let left = () => {};
    const gone = new Promise<void>((resolve) => {
      left = resolve;
    });
    suite.script(async (request) => {
      await request.wire.closed();
      left();
    });
    const started = performance.now();
    const received = await suite.ask({ target: "/quick" });
    const ratio = (performance.now() - started) / requestMs;
    expectProblem(received, 504, "request_timeout");
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThan(tolerance);
    await gone;
    expect(suite.origin.requests.length).toBe(1);
  });

  it("when a connection is taken but never read", async () => {
    const sockets = new Set<import("node:net").Socket>();
    const deaf = createServer((socket) => {
      sockets.add(socket.on("error", () => {}).pause());
    });
    await new Promise<void>((resolve) => deaf.listen(0, "127.0.0.1", resolve));
    const { port } = deaf.address() as AddressInfo;
    const before = (await (await suite.gateway.admin("/v1/config")).json()) as Record<string, object>;
    await suite.gateway.put({
      ...before,
      services: { ...before.services, deaf: { origins: [{ id: "d", url: `http://127.0.0.1:${port}` }] } },
      routes: [
        ...(before.routes as object[]),
        {
          name: "deaf",
          service: "deaf",
          hosts: ["*.test"],
          matches: [{ path: { prefix: "/deaf" } }],
          timeouts: { requestMs },
        },
      ],
    });
    expectProblem(await suite.ask({ target: "/deaf" }), 504, "request_timeout");
    await suite.gateway.put(before);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => deaf.close(resolve));
  });

  it.each<[string, [string, string], (bytes: string) => Buffer | string]>([
    ["with Content-Length", ["Content-Length", "5"], (text) => text],
    ["in chunks", ["Transfer-Encoding", "chunked"], chunk],
  ])("never for a slow upload %s, but after it", async (_, framing, frame) => {
    for (const answers of [true, false]) {
      suite.script(async (request) => {
        await request.body();
        if (answers) await request.reply("200 OK", []);
      });
      const connection = await open(suite.gateway.url);
      await connection.send({ target: "/quick", method: "POST", headers: [framing] });
      for (const letter of "slow!") {
        await pause(requestMs / 3);
        await connection.wire.write(frame(letter));
      }
      if (framing[0] === "Transfer-Encoding") await connection.wire.write(chunk());
      const handedOver = performance.now();
      const received = await connection.receive();
      connection.close();
      const ratio = (performance.now() - handedOver) / requestMs;
      if (answers) expect(received.status).toBe(200);
      else expectProblem(received, 504, "request_timeout");
      expect(ratio).toBeLessThan(tolerance);
      expect((await suite.origin.only().body()).toString()).toBe("slow!");
    }
  });

  it("never for a response's body, however long it takes", async () => {
    suite.script(async (request) => {
      await request.head("200 OK", [["Transfer-Encoding", "chunked"]]);
      for (const letter of "slow!") {
        await pause(requestMs / 3);
        await request.wire.write(chunk(letter));
      }
      await request.wire.write(chunk());
    });
    const received = await suite.ask({ target: "/quick" });
    expect([received.status, received.body.toString(), received.complete]).toEqual([200, "slow!", true]);
  });

  it("never without a limit", async () => {
    suite.script(async (request) => {
      await pause(requestMs * 2);
      await request.reply("200 OK", []);
    });
    expect((await suite.ask({ target: "/patient" })).status).toBe(200);
  });
});

describe("a connection that the origin closes just when it is used again", () => {
  it.each(["GET", "HEAD", "OPTIONS", "TRACE"])("costs %s nothing", async (method) => {
    suite.script(closesUsed());
    expect((await suite.ask()).status).toBe(200);
    expect((await suite.ask({ method })).status).toBe(200);
    const [first, stale, again] = suite.origin.requests;
    expect(suite.origin.requests.length).toBe(3);
    expect(stale?.connection).toBe(first?.connection);
    expect(again?.connection).not.toBe(first?.connection);
  });

  it("costs GET nothing in an isolate that has never seen the origin: connections are shared", async () => {
    suite.script(closesUsed());
    expect((await suite.ask()).status).toBe(200);
    expect((await exchange(suite.gateway.urls[1]!, {})).status).toBe(200);
  });

  it.each<[string, string | string[] | undefined]>([
    ["POST", undefined],
    ["DELETE", undefined],
    ["POST", "abc"],
    ["POST", ["abc"]],
    ["PUT", "abc"],
    ["PATCH", "abc"],
    ["DELETE", "abc"],
    ["POST", ""],
    ["OPTIONS", "abc"],
  ])("makes no second %s of %j", async (method, body) => {
    suite.script(closesUsed());
    expect((await suite.ask()).status).toBe(200);
    expectProblem(await suite.ask({ method, ...(body !== undefined && { body }) }), 502, "upstream_unreachable");
    expect(suite.origin.requests.map((request) => request.method)).toEqual(["GET", method]);
  });

  it("is not used when it was closed before: nothing is lost, whatever the method", async () => {
    suite.script(async (request) => {
      await request.body();
      await request.reply("200 OK", []);
      request.wire.socket.end();
    });
    for (let round = 0; round < 5; round++) {
      expect((await suite.ask({ method: "POST", body: "abc" })).status).toBe(200);
      await pause(10);
    }
  });

  it("is used again otherwise", async () => {
    for (let round = 0; round < 5; round++) await suite.ask({ method: "POST", body: "abc" });
    expect(new Set(suite.origin.requests.map(({ connection }) => connection)).size).toBe(1);
  });
});

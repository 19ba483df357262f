/** WebSockets pass in both directions, from the handshake to the close. */
import { describe, expect, it } from "vitest";
import { open } from "../../support/client.ts";
import type { Incoming } from "../../support/origin.ts";
import { useSuite } from "../../support/suite.ts";
import {
  accept,
  acceptOf,
  closePayload,
  key,
  opcodes,
  readFrame,
  sendFrame,
  upgradeHeaders,
} from "../../support/websocket.ts";
import { headerOf } from "../../support/wire.ts";

const suite = useSuite((url) => ({
  services: { app: { origins: [{ id: "a", url }] } },
  routes: [
    { name: "app", service: "app", timeouts: { requestMs: 300 } },
    {
      name: "edited",
      service: "app",
      matches: [{ path: { prefix: "/edited" } }],
      response: { setHeaders: { "X-Edited": "1" } },
    },
  ],
}));

async function echo(request: Incoming): Promise<void> {
  await accept(request, [["Sec-WebSocket-Protocol", "chat.v2"]]);
  for (;;) {
    const { opcode, payload } = await readFrame(request.wire);
    await sendFrame(request.wire, opcode, payload, false);
    if (opcode === opcodes.close) return void request.wire.socket.end();
  }
}

describe.each(["/", "/edited"])("on %s", (target) => {
  it("the handshake, with its subprotocol", async () => {
    suite.script(echo);
    const connection = await open(suite.gateway.url);
    await connection.send({ target, headers: upgradeHeaders([["Sec-WebSocket-Protocol", "chat.v1, chat.v2"]]) });
    const head = await connection.head();
    connection.close();
    expect(head.status).toBe(101);
    expect(headerOf(head, "sec-websocket-accept")).toBe(acceptOf(key));
    expect(headerOf(head, "sec-websocket-protocol")).toBe("chat.v2");
    const request = suite.origin.only();
    expect(headerOf(request, "upgrade")).toBe("websocket");
    expect(headerOf(request, "sec-websocket-protocol")).toBe("chat.v1, chat.v2");
    expect(headerOf(request, "x-forwarded-host")).toBe("gateway.test");
  });

  it("text and binary, small and large, longer than any timeout for headers", async () => {
    suite.script(echo);
    const { wire, ...connection } = await open(suite.gateway.url);
    await connection.send({ target, headers: upgradeHeaders() });
    await connection.head();
    const started = Date.now();
    const messages: [number, Buffer][] = [
      [opcodes.text, Buffer.from("grüße")],
      [opcodes.binary, Buffer.from([0, 255, 128, 13, 10])],
      [opcodes.binary, Buffer.alloc(500_000, 7)],
      [opcodes.text, Buffer.alloc(0)],
    ];
    while (Date.now() - started < 400) {
      for (const [opcode, payload] of messages) {
        await sendFrame(wire, opcode, payload, true);
        expect(await readFrame(wire)).toEqual({ opcode, payload });
      }
    }
    connection.close();
  });

  it.each([
    [1000, ""],
    [4001, "bye"],
  ])("a close by the client with %i", async (code, reason) => {
    suite.script(echo);
    const { wire, ...connection } = await open(suite.gateway.url);
    await connection.send({ target, headers: upgradeHeaders() });
    await connection.head();
    await sendFrame(wire, opcodes.close, closePayload(code, reason), true);
    expect(await readFrame(wire)).toEqual({ opcode: opcodes.close, payload: closePayload(code, reason) });
    connection.close();
  });

  it("a close by the origin", async () => {
    let answered: Buffer = Buffer.alloc(0);
    let settle = () => {};
    const done = new Promise<void>((resolve) => {
      settle = resolve;
    });
    suite.script(async (request) => {
      await accept(request);
      await sendFrame(request.wire, opcodes.close, closePayload(4002, "enough"), false);
      answered = (await readFrame(request.wire)).payload;
      settle();
    });
    const { wire, ...connection } = await open(suite.gateway.url);
    await connection.send({ target, headers: upgradeHeaders() });
    await connection.head();
    const frame = await readFrame(wire);
    expect(frame).toEqual({ opcode: opcodes.close, payload: closePayload(4002, "enough") });
    await sendFrame(wire, opcodes.close, frame.payload, true);
    await done;
    connection.close();
    expect(answered).toEqual(closePayload(4002, "enough"));
  });

  it("either end that is lost takes the other with it", async () => {
    suite.script(async (request) => {
      await accept(request);
      request.reset();
    });
    const orphan = await open(suite.gateway.url);
    await orphan.send({ target, headers: upgradeHeaders() });
    await orphan.head();
    await orphan.wire.closed();

    let settle = () => {};
    const originGone = new Promise<void>((resolve) => {
      settle = resolve;
    });
    suite.script(async (request) => {
      await accept(request);
      await request.wire.closed();
      settle();
    });
    const leaving = await open(suite.gateway.url);
    await leaving.send({ target, headers: upgradeHeaders() });
    await leaving.head();
    leaving.close();
    await originGone;
  });

  it("a refusal is the origin's answer", async () => {
    suite.script((request) => request.reply("403 Forbidden", [["X-Why", "no"]], "refused"));
    const received = await suite.ask({ target, headers: upgradeHeaders() });
    expect([received.status, headerOf(received, "x-why"), received.body.toString()]).toEqual([403, "no", "refused"]);
  });
});

it("an origin that switches protocols unasked is refused", async () => {
  suite.script((request) =>
    request.head("101 Switching Protocols", [
      ["Connection", "Upgrade"],
      ["Upgrade", "other"],
    ]),
  );
  const received = await suite.ask();
  expect([received.status, headerOf(received, "sluice-error")]).toEqual([502, "upstream_invalid_response"]);
});

it.each(["POST", "PUT", "DELETE"])(
  "a %s that asks for one is an ordinary request: its method and body stay",
  async (method) => {
    suite.script();
    const received = await suite.ask({ method, headers: [["Upgrade", "websocket"]], body: "hello" });
    expect(received.status).toBe(200);
    const request = suite.origin.only();
    expect([request.startLine, String(await request.body())]).toEqual([`${method} / HTTP/1.1`, "hello"]);
  },
);

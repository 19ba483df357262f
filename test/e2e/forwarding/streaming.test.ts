/** Nothing is held back on its way, and neither end is left waiting for one that is gone. */
import { describe, expect, it } from "vitest";
import { type Connection, open } from "../../support/client.ts";
import { pause, useSuite } from "../../support/suite.ts";
import { chunk, headerOf, Truncated } from "../../support/wire.ts";

const suite = useSuite((url) => ({
  services: { app: { origins: [{ id: "a", url }] } },
  routes: [
    { name: "app", service: "app" },
    {
      name: "edited",
      service: "app",
      matches: [{ path: { prefix: "/edited" } }],
      response: { setHeaders: { "X-Edited": "1" } },
    },
  ],
}));

/** Runs `use` on a connection, which is closed in any case. */
async function connected<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await open(suite.gateway.url);
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}

/** A promise and what settles it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let release = () => {};
  const opened = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { opened, open: () => release() };
}

describe("upload", () => {
  it.each<[string, [string, string], (bytes: string) => Buffer | string]>([
    ["with Content-Length", ["Content-Length", "6"], (bytes) => bytes],
    ["in chunks", ["Transfer-Encoding", "chunked"], chunk],
  ])("%s: the first byte is there before the last is sent", async (_, framing, frame) => {
    const first = gate();
    suite.script(async (request) => {
      const pieces = request.pieces();
      expect((await pieces.next()).value?.toString()).toBe("abc");
      first.open();
      expect((await pieces.next()).value?.toString()).toBe("def");
      await pieces.next();
      await request.reply("200 OK", []);
    });
    await connected(async ({ send, wire, receive }) => {
      await send({ method: "POST", headers: [framing] });
      await wire.write(frame("abc"));
      await first.opened;
      await wire.write(frame("def"));
      if (framing[0] === "Transfer-Encoding") await wire.write(chunk());
      expect((await receive()).status).toBe(200);
    });
  });

  it.each<[string, [string, string], (bytes: string) => Buffer | string]>([
    ["with Content-Length", ["Content-Length", "1000"], (bytes) => bytes],
    ["in chunks", ["Transfer-Encoding", "chunked"], chunk],
  ])("%s: a client that goes away leaves the origin a request that is not whole", async (_, framing, frame) => {
    for (let round = 0; round < 5; round++) {
      const begun = gate();
      const ended = gate();
      let outcome: unknown = "whole";
      suite.script(async (request) => {
        try {
          for await (const _piece of request.pieces()) begun.open();
        } catch (error) {
          outcome = error;
        }
        ended.open();
      });
      const connection = await open(suite.gateway.url);
      await connection.send({ method: "POST", headers: [framing] });
      await connection.wire.write(frame("abc"));
      await begun.opened;
      connection.reset();
      await ended.opened;
      expect(outcome).toBeInstanceOf(Truncated);
    }
  });

  it("is given up when the origin answers before it is complete", async () => {
    suite.script((request) => request.reply("401 Unauthorized", [], "no"));
    await connected(async ({ send, wire, receive }) => {
      await send({ method: "POST", headers: [["Content-Length", "1000"]] });
      await wire.write("abc");
      const received = await receive();
      expect([received.status, received.body.toString()]).toEqual([401, "no"]);
    });
  });
});

describe("a side that does not read stops the other, so that nothing piles up here", () => {
  const piece = Buffer.alloc(256 * 1024);
  // What the sockets of the kernel hold on both connections, and no more.
  const heldBytesMax = 24 * 1024 * 1024;

  /** Bytes written until the other side has taken none for a while. */
  async function writtenUntilStopped(write: (bytes: Buffer) => Promise<void>): Promise<number> {
    for (let written = 0; ; written += piece.length) {
      const taken = await Promise.race([write(piece).then(() => true), pause(300).then(() => false)]);
      if (!taken || written > 2 * heldBytesMax) return written;
    }
  }

  it.each<[string, [string, string], (bytes: Buffer) => Buffer]>([
    ["with Content-Length", ["Content-Length", "100000000"], (bytes) => bytes],
    ["in chunks", ["Transfer-Encoding", "chunked"], chunk],
  ])("upload %s", async (_, framing, frame) => {
    const reached = gate();
    suite.script(async (request) => {
      request.wire.socket.pause();
      reached.open();
      await request.wire.closed();
    });
    await connected(async ({ send, wire }) => {
      await send({ method: "POST", headers: [framing] });
      await reached.opened;
      expect(await writtenUntilStopped((bytes) => wire.write(frame(bytes)))).toBeLessThan(heldBytesMax);
    });
    for (const { socket } of suite.origin.connections) socket.destroy();
  });

  it.each(["/", "/edited"])("download from %s", async (target) => {
    const stopped = gate();
    let written = 0;
    suite.script(async (request) => {
      await request.head("200 OK", [["Transfer-Encoding", "chunked"]]);
      written = await writtenUntilStopped((bytes) => request.wire.write(chunk(bytes)));
      stopped.open();
      await request.wire.closed();
    });
    await connected(async ({ send, wire, reset }) => {
      wire.socket.pause();
      await send({ target });
      await stopped.opened;
      reset();
    });
    expect(written).toBeLessThan(heldBytesMax);
  });
});

describe.each(["/", "/edited"])("download from %s", (target) => {
  it("both ways at once", async () => {
    suite.script(async (request) => {
      await request.head("200 OK", [["Transfer-Encoding", "chunked"]]);
      for await (const piece of request.pieces()) await request.wire.write(chunk(piece));
      await request.wire.write(chunk());
    });
    await connected(async ({ send, wire, head }) => {
      await send({ method: "POST", target, headers: [["Transfer-Encoding", "chunked"]] });
      await wire.write(chunk("0"));
      expect((await head()).status).toBe(200);
      const echoed = wire.body("chunked", 0);
      expect(String((await echoed.next()).value)).toBe("0");
      for (const word of ["one", "two", "three"]) {
        await wire.write(chunk(word));
        expect(String((await echoed.next()).value)).toBe(word);
      }
      await wire.write(chunk());
      expect((await echoed.next()).done).toBe(true);
    });
  });

  it("events arrive one by one, as they are sent", async () => {
    const turns = [gate(), gate(), gate()];
    const left = gate();
    suite.script(async (request) => {
      await request.head("200 OK", [
        ["Content-Type", "text/event-stream"],
        ["Transfer-Encoding", "chunked"],
      ]);
      for (const [at, turn] of turns.entries()) {
        await turn.opened;
        await request.wire.write(chunk(`data: ${at}\n\n`));
      }
      await request.wire.closed();
      left.open();
    });
    const { send, wire, head, reset } = await open(suite.gateway.url);
    await send({ target });
    expect(headerOf(await head(), "content-type")).toBe("text/event-stream");
    const events = wire.body("chunked", 0);
    for (const [at, turn] of turns.entries()) {
      turn.open();
      expect(String((await events.next()).value)).toBe(`data: ${at}\n\n`);
    }
    // The origin hears that the client is gone although it sends nothing.
    reset();
    await left.opened;
  });

  it("a client that leaves quietly is noticed with what is sent next", async () => {
    const left = gate();
    suite.script(async (request) => {
      await request.head("200 OK", [["Transfer-Encoding", "chunked"]]);
      const timer = setInterval(() => void request.wire.write(chunk(": still here\n\n")), 10);
      await request.wire.closed();
      clearInterval(timer);
      left.open();
    });
    await connected(async ({ send, head }) => {
      await send({ target });
      await head();
    });
    await left.opened;
  });

  it.each<[string, [string, string], (bytes: string) => Buffer | string]>([
    ["with Content-Length", ["Content-Length", "1000"], (bytes) => bytes],
    ["in chunks", ["Transfer-Encoding", "chunked"], chunk],
  ])("%s: an origin that breaks off leaves the client an answer that is not whole", async (_, framing, frame) => {
    for (const end of ["reset", "close"]) {
      suite.script(async (request) => {
        await request.head("200 OK", [framing]);
        await request.wire.write(frame("abc"));
        await pause(20);
        if (end === "reset") request.reset();
        else request.wire.socket.end();
      });
      const received = await suite.ask({ target });
      expect([received.status, received.body.toString(), received.complete]).toEqual([200, "abc", false]);
    }
  });
});

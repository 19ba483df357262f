/** Bodies, either way: the same bytes, framed the same, and never more than allowed. */
import { createHash, randomBytes } from "node:crypto";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { open, type Sent } from "../../support/client.ts";
import { pause, useSuite } from "../../support/suite.ts";
import { chunk, headerOf, valuesOf } from "../../support/wire.ts";

const maxBodyBytes = 1_000_000;
const mebibyte = 1024 * 1024;

const configOf = (url: string, gateway = {}) => ({
  gateway,
  services: { app: { origins: [{ id: "a", url }] } },
  routes: [
    { name: "app", service: "app" },
    // An answer that is changed is a new Response around the old body, which must not change the body.
    {
      name: "edited",
      service: "app",
      matches: [{ path: { prefix: "/edited" } }],
      response: { setHeaders: { "X-Edited": "1" } },
    },
  ],
});

const suite = useSuite((url) => configOf(url));

const sizes = [0, 1, 4095, 65_536, 1_000_003, 10 * mebibyte];
const digest = (bytes: Uint8Array) => `${bytes.length} ${createHash("sha256").update(bytes).digest("hex")}`;
const pieces = (bytes: Buffer, size = 100_000) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));

describe("a request's body", () => {
  it.each(sizes)("%i bytes with Content-Length", async (size) => {
    const body = randomBytes(size);
    await suite.ask({ method: "POST", body });
    const request = suite.origin.only();
    expect([request.framing, headerOf(request, "content-length")]).toEqual(["length", String(size)]);
    expect(digest(await request.body())).toBe(digest(body));
  });

  it.each(sizes)("%i bytes in chunks", async (size) => {
    const body = randomBytes(size);
    await suite.ask({ method: "POST", body: pieces(body) });
    const request = suite.origin.only();
    expect([request.framing, valuesOf(request, "content-length")]).toEqual(["chunked", []]);
    expect(digest(await request.body())).toBe(digest(body));
  });

  it.each(["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])("of %s", async (method) => {
    await suite.ask({ method, body: "abc" });
    const request = suite.origin.only();
    expect([request.method, headerOf(request, "content-length")]).toEqual([method, "3"]);
    expect((await request.body()).toString()).toBe("abc");
  });

  it.each<[string, Buffer]>([
    ["gzip", gzipSync("x".repeat(1000))],
    ["br", brotliCompressSync("x".repeat(1000))],
    ["gzip", Buffer.from("not gzip")],
  ])("in %s is not decoded", async (encoding, body) => {
    await suite.ask({ method: "POST", headers: [["Content-Encoding", encoding]], body });
    const request = suite.origin.only();
    expect(headerOf(request, "content-encoding")).toBe(encoding);
    expect(digest(await request.body())).toBe(digest(body));
  });

  it.each(["GET", "HEAD"])("of %s is dropped, and is never read as the next request", async (method) => {
    const connection = await open(suite.gateway.url);
    await connection.send({ method, target: "/first", body: "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n" });
    expect((await connection.receive(method)).status).toBe(200);
    await connection.send({ target: "/second" });
    expect((await connection.receive()).status).toBe(200);
    connection.close();
    expect(suite.origin.requests.map(({ target, framing }) => [target, framing])).toEqual([
      ["/first", "none"],
      ["/second", "none"],
    ]);
  });

  it("with both framings is read as chunked, and is framed once for the origin", async () => {
    await suite.ask({ method: "POST", headers: [["Content-Length", "3"]], body: ["abc", "def"] });
    const request = suite.origin.only();
    expect([request.framing, valuesOf(request, "content-length")]).toEqual(["chunked", []]);
    expect((await request.body()).toString()).toBe("abcdef");
  });

  it.each<[string, Sent]>([
    ["two lengths", { method: "POST", headers: [["Content-Length", "3"]], body: "ab" }],
    ["a negative length", { method: "POST", headers: [["Content-Length", "-1"]] }],
    ["no number", { method: "POST", headers: [["Content-Length", "x"]] }],
  ])("with %s is refused and not forwarded", async (_, sent) => {
    expect((await suite.ask(sent)).status).toBe(400);
    expect(suite.origin.requests).toEqual([]);
  });
});

describe("the limit of a request's body", () => {
  beforeAll(() => suite.gateway.put(configOf(suite.origin.url, { maxBodyBytes })));
  afterAll(() => suite.gateway.put(configOf(suite.origin.url)));

  it("holds for what is declared and for what comes, to the byte", async () => {
    for (const body of [Buffer.alloc(maxBodyBytes), pieces(Buffer.alloc(maxBodyBytes))]) {
      suite.script();
      expect((await suite.ask({ method: "POST", body })).status).toBe(200);
      expect((await suite.origin.only().body()).length).toBe(maxBodyBytes);
    }

    suite.script();
    const declared = await suite.ask({ method: "POST", headers: [["Content-Length", String(maxBodyBytes + 1)]] });
    expect([declared.status, headerOf(declared, "sluice-error")]).toEqual([413, "payload_too_large"]);
    expect(suite.origin.requests).toEqual([]);
  });

  it("cuts a chunked body off where it is passed, so that the origin never takes a part for the whole", async () => {
    for (let round = 0; round < 5; round++) {
      let outcome = "";
      let got = 0;
      suite.script(async (request) => {
        outcome = "cut off";
        for await (const piece of request.pieces()) got += piece.length;
        outcome = "whole";
        await request.reply("200 OK", []);
      });
      const connection = await open(suite.gateway.url);
      await connection.send({ method: "POST", headers: [["Transfer-Encoding", "chunked"]] });
      for (const piece of pieces(Buffer.alloc(maxBodyBytes + 1))) await connection.wire.write(chunk(piece));
      const received = await connection.receive();
      await connection.wire.write(chunk());
      await pause(20);
      connection.close();
      expect([received.status, headerOf(received, "sluice-error")]).toEqual([413, "payload_too_large"]);
      expect([outcome, got <= maxBodyBytes]).toEqual(["cut off", true]);
    }
  });
});

describe.each(["/", "/edited"])("a response's body on %s", (target) => {
  it("is that of an answer which was changed, or was not", async () => {
    expect(valuesOf(await suite.ask({ target }), "x-edited")).toEqual(target === "/edited" ? ["1"] : []);
  });

  it.each(sizes)("%i bytes with Content-Length", async (size) => {
    const body = randomBytes(size);
    suite.script((request) => request.reply("200 OK", [], body));
    const received = await suite.ask({ target });
    expect([received.framing, headerOf(received, "content-length")]).toEqual(["length", String(size)]);
    expect(digest(received.body)).toBe(digest(body));
  });

  it.each(sizes)("%i bytes in chunks", async (size) => {
    const body = randomBytes(size);
    suite.script(async (request) => {
      await request.head("200 OK", [["Transfer-Encoding", "chunked"]]);
      for (const piece of pieces(body)) await request.wire.write(chunk(piece));
      await request.wire.write(chunk());
    });
    const received = await suite.ask({ target });
    expect([received.framing, received.complete]).toEqual(["chunked", true]);
    expect(digest(received.body)).toBe(digest(body));
  });

  it("that ends with the connection", async () => {
    suite.script(async (request) => {
      await request.head("200 OK", []);
      await request.wire.write("abc");
      request.wire.socket.end();
    });
    const received = await suite.ask({ target });
    expect([received.complete, received.body.toString()]).toEqual([true, "abc"]);
  });

  const gzip = gzipSync("hello ".repeat(10_000));
  const brotli = brotliCompressSync("hello ".repeat(10_000));
  it.each<[encoding: string, bytes: Buffer, chunked: boolean]>([
    ["gzip", gzip, false],
    ["gzip", gzip, true],
    ["br", brotli, false],
    ["br", brotli, true],
    ["gzip", Buffer.from("not gzip at all"), false],
    ["deflate", Buffer.from("whatever"), false],
    ["zstd", Buffer.from("whatever"), true],
    ["gzip, br", Buffer.from("whatever"), false],
  ])("in %s is neither decoded nor encoded again", async (encoding, bytes, chunked) => {
    suite.script(async (request) => {
      if (!chunked) return request.reply("200 OK", [["Content-Encoding", encoding]], bytes);
      await request.head("200 OK", [
        ["Content-Encoding", encoding],
        ["Transfer-Encoding", "chunked"],
      ]);
      await request.wire.write(Buffer.concat([chunk(bytes), chunk()]));
    });
    const received = await suite.ask({ target, headers: [["Accept-Encoding", "gzip, br"]] });
    expect(headerOf(received, "content-encoding")).toBe(encoding);
    expect([received.framing, headerOf(received, "content-length")]).toEqual(
      chunked ? ["chunked", null] : ["length", String(bytes.length)],
    );
    expect(digest(received.body)).toBe(digest(bytes));
  });

  it("that is a range", async () => {
    suite.script((request) =>
      request.reply(
        "206 Partial Content",
        [
          ["Content-Range", "bytes 2-4/10"],
          ["Accept-Ranges", "bytes"],
        ],
        "cde",
      ),
    );
    const received = await suite.ask({ target, headers: [["Range", "bytes=2-4"]] });
    expect(headerOf(suite.origin.only(), "range")).toBe("bytes=2-4");
    expect([received.status, headerOf(received, "content-range")]).toEqual([206, "bytes 2-4/10"]);
    expect([headerOf(received, "content-length"), received.body.toString()]).toEqual(["3", "cde"]);
  });

  it.each<[status: string, length: string | null]>([
    ["204 No Content", null],
    ["304 Not Modified", null],
    ["205 Reset Content", "0"],
  ])("of %s is none", async (status, length) => {
    suite.script((request) =>
      request.head(status, [["ETag", '"x"'], ...(length === null ? [] : [["Content-Length", length] as const])]),
    );
    const received = await suite.ask({ target });
    expect(received.startLine).toBe(`HTTP/1.1 ${status}`);
    expect([headerOf(received, "etag"), headerOf(received, "content-length")]).toEqual(['"x"', length]);
    expect([received.body.length, valuesOf(received, "transfer-encoding")]).toEqual([0, []]);
  });

  it.each<[string, [string, string][]]>([
    ["a length", [["Content-Length", "12345"]]],
    [
      "gzip",
      [
        ["Content-Length", "12345"],
        ["Content-Encoding", "gzip"],
      ],
    ],
    ["no length", []],
  ])("of HEAD with %s is none", async (_, headers) => {
    suite.script((request) => request.head("200 OK", headers));
    const received = await suite.ask({ method: "HEAD", target });
    expect(received.status).toBe(200);
    for (const [name, value] of headers) expect(headerOf(received, name.toLowerCase())).toBe(value);
    expect(valuesOf(received, "content-length").length).toBe(headers.length === 0 ? 0 : 1);
  });
});

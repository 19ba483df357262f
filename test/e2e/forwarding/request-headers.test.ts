/** What of a request's header section reaches the origin. */
import { describe, expect, it } from "vitest";
import type { HeaderLines } from "../../support/client.ts";
import { exchange } from "../../support/client.ts";
import { useSuite } from "../../support/suite.ts";
import { headerOf, valuesOf } from "../../support/wire.ts";

const config = (origins: Record<string, string>, trustedProxyHops = 0) => ({
  gateway: { trustedProxyHops },
  services: Object.fromEntries(Object.entries(origins).map(([name, url]) => [name, { origins: [{ id: name, url }] }])),
  routes: Object.keys(origins).map((name) => ({
    name,
    service: name,
    matches: [{ path: { prefix: name === "app" ? "/" : `/${name}` } }],
  })),
});

const suite = useSuite((url) => config({ app: url }));

/** The header section that the origin got for a request with `headers`. */
async function forwarded(headers: HeaderLines) {
  suite.script();
  const received = await suite.ask({ headers });
  expect(received.status).toBe(200);
  return suite.origin.only();
}

const peer = ["CF-Connecting-IP", "198.51.100.7"] as const;

describe("hop-by-hop fields stay here", () => {
  it.each<[name: string, value: string]>([
    ["Keep-Alive", "timeout=5"],
    ["TE", "trailers"],
    ["Trailer", "X-Sum"],
    ["Upgrade", "h2c"],
    ["Proxy-Authorization", "Basic eDp5"],
    ["Proxy-Authenticate", "Basic"],
    ["Proxy-Connection", "keep-alive"],
    ["Proxy-Anything", "1"],
  ])("%s: %s", async (name, value) => {
    expect(valuesOf(await forwarded([[name, value]]), name.toLowerCase())).toEqual([]);
  });

  it("Connection is the origin's connection's own", async () => {
    const request = await forwarded([
      ["Connection", "close, X-Named"],
      ["X-Named", "cannot be known"],
    ]);
    expect(valuesOf(request, "connection")).toEqual([]);
  });

  it("Expect is answered here, before the origin is called", async () => {
    const { open } = await import("../../support/client.ts");
    const connection = await open(suite.gateway.url);
    await connection.send({
      method: "POST",
      headers: [
        ["Expect", "100-continue"],
        ["Content-Length", "3"],
      ],
    });
    expect((await connection.head()).status).toBe(100);
    await connection.wire.write("abc");
    expect((await connection.receive()).status).toBe(200);
    connection.close();
    expect(valuesOf(suite.origin.only(), "expect")).toEqual([]);
    expect((await suite.origin.only().body()).toString()).toBe("abc");
  });
});

describe("nothing that only the gateway may say is believed", () => {
  it.each([
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Real-IP",
    "X-Sluice-Route",
    "Sluice-Decision",
    "sluice-error",
    "X_Forwarded_For",
    "X_Real_IP",
    "x_sluice_route",
    "sluice_decision",
    "X-Forwarded_Host",
    "Proxy_Authorization",
  ])("%s", async (name) => {
    const request = await forwarded([peer, [name, "forged"]]);
    expect(request.headers.filter(([, value]) => value.includes("forged"))).toEqual([]);
  });
});

describe("where the request came from", () => {
  const rows: [hops: number, headers: HeaderLines, forwardedFor: string | null, proto: string, host: string][] = [
    [0, [], null, "http", "gateway.test"],
    [0, [peer], "198.51.100.7", "http", "gateway.test"],
    [0, [peer, ["X-Forwarded-For", "6.6.6.6"]], "198.51.100.7", "http", "gateway.test"],
    [0, [peer, ["X-Forwarded-Proto", "https"]], "198.51.100.7", "http", "gateway.test"],
    [0, [peer, ["X-Forwarded-Host", "evil.test"]], "198.51.100.7", "http", "gateway.test"],
    [0, [["Host", "Api.Example.com:8080"]], null, "http", "api.example.com:8080"],
    [1, [peer], "198.51.100.7", "http", "gateway.test"],
    [1, [peer, ["X-Forwarded-For", "6.6.6.6, 203.0.113.9"]], "203.0.113.9, 198.51.100.7", "http", "gateway.test"],
    [1, [peer, ["X-Forwarded-Proto", "https"]], "198.51.100.7", "https", "gateway.test"],
    [1, [peer, ["X-Forwarded-Proto", "ftp, https"]], "198.51.100.7", "https", "gateway.test"],
    [1, [peer, ["X-Forwarded-Host", "evil.test, www.example.com"]], "198.51.100.7", "http", "www.example.com"],
    [
      1,
      [peer, ["X-Forwarded-For", "6.6.6.6"], ["X-Forwarded-For", "203.0.113.9"]],
      "203.0.113.9, 198.51.100.7",
      "http",
      "gateway.test",
    ],
    [
      2,
      [peer, ["X-Forwarded-For", "6.6.6.6, 203.0.113.9, 192.0.2.1"]],
      "203.0.113.9, 192.0.2.1, 198.51.100.7",
      "http",
      "gateway.test",
    ],
    [2, [peer, ["X-Forwarded-For", "203.0.113.9"]], "203.0.113.9, 198.51.100.7", "http", "gateway.test"],
    [2, [peer, ["X-Forwarded-Proto", "https"]], "198.51.100.7", "https", "gateway.test"],
    [2, [peer, ["X-Forwarded-Proto", "x, https, http"]], "198.51.100.7", "https", "gateway.test"],
  ];
  it.each([0, 1, 2])("behind %i trusted proxies", async (hops) => {
    await suite.gateway.put(config({ app: suite.origin.url }, hops));
    for (const [, headers, forwardedFor, proto, host] of rows.filter(([of]) => of === hops)) {
      const request = await forwarded(headers);
      const got = ["for", "proto", "host"].map((name) => headerOf(request, `x-forwarded-${name}`));
      expect(got, JSON.stringify(headers)).toEqual([forwardedFor, proto, host]);
    }
    await suite.gateway.put(config({ app: suite.origin.url }));
  });
});

describe("Via", () => {
  it.each<[HeaderLines, string]>([
    [[], "1.1 sluice"],
    [[["Via", "1.0 fred"]], "1.0 fred, 1.1 sluice"],
    [[["Via", "1.0 fred, 1.1 p.example.net (Apache/1.1)"]], "1.0 fred, 1.1 p.example.net (Apache/1.1), 1.1 sluice"],
    [[["Via", "1.1 sluice, 1.1 sluice, 1.1 sluice"]], "1.1 sluice, 1.1 sluice, 1.1 sluice, 1.1 sluice"],
  ])("%j", async (headers, expected) => {
    expect(valuesOf(await forwarded(headers), "via").join(", ")).toBe(expected);
  });

  it.each<[passes: string, status: number]>([
    ["1.1 sluice, 1.1 sluice, 1.1 sluice", 200],
    ["1.1 sluice, 1.0 a, 1.1 sluice, 1.1 sluices, 1.1 sluice", 200],
    ["1.1 sluice, 1.1 sluice, 1.1 sluice, 1.1 sluice", 508],
    ["1.1 sluice, HTTP/1.1 Sluice, 2 SLUICE (x), 1.1 sluice", 508],
  ])("%s is answered %i", async (via, status) => {
    const received = await suite.ask({ headers: [["Via", via]] });
    expect([received.status, headerOf(received, "sluice-error")]).toEqual([
      status,
      status === 508 ? "loop_detected" : null,
    ]);
    expect(suite.origin.requests.length).toBe(status === 508 ? 0 : 1);
  });

  it("an origin that is the gateway itself ends in 508", async () => {
    const self = suite.gateway.url;
    await suite.gateway.put(config({ app: suite.origin.url, loop: self }));
    const received = await exchange(self, { target: "/loop" });
    expect(received.status).toBe(508);
    expect(JSON.parse(received.body.toString())).toMatchObject({ code: "loop_detected" });
    await suite.gateway.put(config({ app: suite.origin.url }));
  });
});

describe("x-request-id", () => {
  it.each(["a", "A-z_0.9", "x".repeat(128)])("%s is kept", async (id) => {
    expect(headerOf(await forwarded([["X-Request-Id", id]]), "x-request-id")).toBe(id);
  });

  it.each<[string, HeaderLines]>([
    ["absent", []],
    ["empty", [["X-Request-Id", ""]]],
    ["too long", [["X-Request-Id", "x".repeat(129)]]],
    ["with a space", [["X-Request-Id", "a b"]]],
    ["with a quote", [["X-Request-Id", 'a"']]],
    [
      "two",
      [
        ["X-Request-Id", "a"],
        ["X-Request-Id", "b"],
      ],
    ],
  ])("%s is replaced", async (_, headers) => {
    expect(headerOf(await forwarded(headers), "x-request-id")).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe("the rest as it came", () => {
  it("Host is the origin's", async () => {
    const request = await forwarded([["Host", "other.test"]]);
    expect(headerOf(request, "host")).toBe(`127.0.0.1:${suite.origin.port}`);
    expect(headerOf(request, "x-forwarded-host")).toBe("other.test");
  });

  it.each<[HeaderLines, string]>([
    [[["Cookie", "a=1; b=2"]], "a=1; b=2"],
    [
      [
        ["Cookie", "a=1"],
        ["Cookie", "b=2; c=3"],
        ["Cookie", "d=4"],
      ],
      "a=1; b=2; c=3; d=4",
    ],
    [[["Cookie", 'a="x,y"; b=1,2']], 'a="x,y"; b=1,2'],
  ])("cookies %j arrive as one line", async (headers, expected) => {
    expect(valuesOf(await forwarded(headers), "cookie")).toEqual([expected]);
  });

  it.each<[name: string, value: string]>([
    ["Authorization", "Bearer abc.def"],
    ["Accept", "text/html;q=0.8, */*"],
    ["Accept-Encoding", "identity"],
    ["Accept-Language", "nb"],
    ["Content-Type", "application/x-thing; a=b"],
    ["Content-Encoding", "gzip"],
    ["If-None-Match", '"x", W/"y"'],
    ["Range", "bytes=0-9"],
    ["Origin", "https://a.example"],
    ["Referer", "https://a.example/?q"],
    ["User-Agent", "curl/8"],
    ["X-Empty", ""],
    ["X-Latin-1", "caf\xe9"],
    ["X-Utf-8", "caf\xc3\xa9"],
    ["X-Long", "x".repeat(8000)],
    ["X_Custom", "1"],
    ["Priority", "u=1, i"],
    ["Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
  ])("%s: %s", async (name, value) => {
    expect(headerOf(await forwarded([[name, value]]), name.toLowerCase())).toBe(value);
  });

  it("a repeated header keeps its values and their order", async () => {
    const request = await forwarded([
      ["X-Many", "1"],
      ["X-Many", "2, 3"],
      ["x-many", "4"],
    ]);
    expect(valuesOf(request, "x-many").join(", ")).toBe("1, 2, 3, 4");
  });

  it("nothing else is added", async () => {
    const request = await forwarded([["X-Only", "1"]]);
    const names = request.headers.map(([name]) => name.toLowerCase()).sort();
    expect(names).toEqual(["host", "via", "x-forwarded-host", "x-forwarded-proto", "x-only", "x-request-id"]);
  });
});

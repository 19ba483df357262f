/** The origin's answer as the client sees it, and what the gateway adds when it is asked to. */
import { parseDictionary } from "structured-headers";
import { describe, expect, it } from "vitest";
import type { HeaderLines } from "../../support/client.ts";
import { useSuite } from "../../support/suite.ts";
import { headerOf, valuesOf } from "../../support/wire.ts";

const cors = {
  allowOrigins: ["https://app.example"],
  allowMethods: ["GET", "PUT"],
  allowHeaders: ["x-a"],
  exposeHeaders: ["x-b"],
};
const at = (prefix: string) => [{ path: { prefix } }];

const suite = useSuite((url) => configOf(url, {}));

function configOf(url: string, gateway: Record<string, unknown>) {
  return {
    gateway,
    services: {
      app: { origins: [{ id: "a", url }] },
      versioned: {
        origins: [{ id: "v", url, version: "v1" }],
        versions: { v1: { deprecation: "2024-01-01T00:00:00Z", sunset: "2030-01-01T00:00:00Z" } },
      },
      gone: { origins: [{ id: "gone", url: "http://127.0.0.1:1" }] },
      empty: {},
    },
    routes: [
      { name: "app", service: "app" },
      { name: "versioned", service: "versioned", matches: at("/versioned") },
      {
        name: "edits",
        service: "app",
        matches: at("/edits"),
        response: {
          setHeaders: { "X-Set": "new" },
          addHeaders: { "X-Add": "more", "Set-Cookie": "c=3" },
          removeHeaders: ["X-Gone", "Server"],
        },
      },
      { name: "cors", service: "app", matches: at("/cors"), cors },
      { name: "cors-gone", service: "gone", matches: at("/cors/gone"), cors },
      { name: "cors-empty", service: "empty", matches: at("/cors/empty"), cors },
      { name: "moved", matches: at("/moved"), redirect: { hostname: "b.test" } },
      {
        name: "moved-far",
        matches: at("/far"),
        redirect: { scheme: "https", hostname: "www.example.com", path: { replaceFullPath: "/new" }, statusCode: 301 },
      },
      {
        name: "moved-port",
        matches: at("/port"),
        redirect: { port: 8443, path: { replacePrefixMatch: "/p" }, statusCode: 308 },
      },
      { name: "moved-default", matches: at("/default"), redirect: { scheme: "https", port: 443, statusCode: 307 } },
    ].map((route) => ({ ...route, hosts: ["*.test"] })),
  };
}

/** Header lines without case and order, which the platform does not keep between different names. */
const lines = (headers: HeaderLines) => headers.map(([name, value]) => `${name.toLowerCase()}: ${value}`).sort();

describe("untouched", () => {
  it("a header section is exactly what the origin sent", async () => {
    const sent: HeaderLines = [
      ["Content-Type", "text/plain;charset=latin1"],
      ["Cache-Control", "private, max-age=3"],
      ["Set-Cookie", "a=1; Path=/; HttpOnly"],
      ["Set-Cookie", "b=2, c; Expires=Thu, 01 Jan 2037 00:00:00 GMT"],
      ["Set-Cookie", "a=3"],
      ["ETag", 'W/"x"'],
      ["Link", "</a>; rel=preload"],
      ["Vary", "Accept, Cookie"],
      ["Server", "origin/1"],
      ["Date", "Thu, 01 Jan 1970 00:00:00 GMT"],
      ["Via", "1.1 varnish"],
      ["X-Request-Id", "the-origin-s-own"],
      ["X-Latin-1", "caf\xe9"],
      ["X-Utf-8", "caf\xc3\xa9"],
      ["X-Empty", ""],
      ["X-Twice", "1"],
      ["X-Twice", "2"],
      ["Access-Control-Allow-Origin", "*"],
      ["Deprecation", "@1"],
      ["Retry-After", "7"],
      ["RateLimit", '"x";r=1'],
    ];
    suite.script((request) => request.reply("200 OK", sent, "abc"));
    const received = await suite.ask({ headers: [["Origin", "https://app.example"]] });
    expect(lines(received.headers)).toEqual(lines([...sent, ["Content-Length", "3"]]));
    expect(valuesOf(received, "set-cookie")).toEqual(valuesOf({ headers: sent }, "set-cookie"));
  });

  it.each([
    "200 OK",
    "201 Made It",
    "203 Non-Authoritative Information",
    "299 Custom",
    "300 Multiple Choices",
    "400 Bad Request",
    "401 Unauthorized",
    "404 Not Found",
    "418 I'm a teapot",
    "429 Slow Down Please",
    "500 Oops",
    "502 Bad Gateway",
    "503 Service Unavailable",
    "504 Gateway Timeout",
    "599 Last",
  ])("status %s", async (status) => {
    suite.script((request) => request.reply(status, [], "body"));
    const received = await suite.ask();
    expect([received.startLine, received.body.toString()]).toEqual([`HTTP/1.1 ${status}`, "body"]);
    expect(valuesOf(received, "sluice-error")).toEqual([]);
  });

  it.each(["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])(
    "a redirect is passed on, not followed: %s",
    async (status) => {
      const sent: HeaderLines = [
        ["Location", "/else?x=1#y"],
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"],
      ];
      suite.script((request) => request.reply(status, sent, "moved"));
      const received = await suite.ask();
      expect(received.startLine).toBe(`HTTP/1.1 ${status}`);
      expect(lines(received.headers)).toEqual(lines([...sent, ["Content-Length", "5"]]));
      expect(suite.origin.requests.length).toBe(1);
    },
  );

  it("interim answers and trailers are dropped", async () => {
    suite.script((request) =>
      request.wire.write(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
      ),
    );
    const received = await suite.ask();
    expect([received.status, received.body.toString(), received.complete]).toEqual([200, "abc", true]);
    expect(lines(received.headers)).toEqual(["transfer-encoding: chunked"]);
  });
});

describe("changed", () => {
  it("what only the gateway may say is dropped from an origin's answer", async () => {
    const forged: HeaderLines = [
      ["Sluice-Error", "route_not_found"],
      ["sluice-decision", 'route="x"'],
      ["SLUICE-Anything", "1"],
    ];
    suite.script((request) =>
      request.reply("200 OK", [...forged, ["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]], "abc"),
    );
    const received = await suite.ask();
    expect(lines(received.headers)).toEqual(["content-length: 3", "set-cookie: a=1", "set-cookie: b=2"]);
  });

  it("edits: removed, set, then added behind what is there", async () => {
    const sent: HeaderLines = [
      ["X-Set", "old"],
      ["X-Set", "older"],
      ["X-Add", "some"],
      ["X-Gone", "1"],
      ["Server", "origin"],
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ];
    suite.script((request) => request.reply("200 Fine", sent, "abc"));
    const received = await suite.ask({ target: "/edits" });
    expect(received.startLine).toBe("HTTP/1.1 200 Fine");
    expect(valuesOf(received, "x-add").join(", ")).toBe("some, more");
    expect(valuesOf(received, "set-cookie")).toEqual(["a=1", "b=2", "c=3"]);
    const rest = received.headers.filter(([name]) => !/^(x-add|set-cookie)$/i.test(name));
    expect(lines(rest)).toEqual(["content-length: 3", "x-set: new"]);
  });

  it("a deprecated version says so", async () => {
    suite.script((request) => request.reply("200 OK", [["Sunset", "whenever"]], "abc"));
    const received = await suite.ask({ target: "/versioned" });
    expect(headerOf(received, "deprecation")).toBe("@1704067200");
    expect(headerOf(received, "sunset")).toBe("Tue, 01 Jan 2030 00:00:00 GMT");
  });

  it("the request's id comes back when that is asked for", async () => {
    await suite.gateway.put(configOf(suite.origin.url, { echoRequestId: true }));
    const received = await suite.ask({ headers: [["X-Request-Id", "mine"]] });
    expect(lines(received.headers)).toEqual(["content-length: 0", "x-request-id: mine"]);
    expect(headerOf(await suite.ask(), "x-request-id")).toBe(headerOf(suite.origin.requests[1]!, "x-request-id"));
    await suite.gateway.put(configOf(suite.origin.url, {}));
  });

  it("the decision comes with debugHeaders, on answers and on errors", async () => {
    const revision = await suite.gateway.put(configOf(suite.origin.url, { debugHeaders: true }));
    const decisionOf = async (target: string, host = "gateway.test") => {
      const received = await suite.ask({ target, headers: [["Host", host]] });
      expect(headerOf(received, "x-request-id")).not.toBeNull();
      const members = [...parseDictionary(headerOf(received, "sluice-decision") ?? "")];
      // How old the snapshot was, in milliseconds: always another number.
      expect(members.pop()).toEqual(["age", [expect.any(Number), new Map()]]);
      return members.map(([name, [value]]) => [name, value]);
    };
    const tail = [
      ["calls", 0],
      ["revision", revision],
    ];
    expect(await decisionOf("/")).toEqual([
      ["route", "app"],
      ["service", "app"],
      ["reason", "any"],
      ["origin", "a"],
      ["tries", 1],
      ...tail,
    ]);
    expect((await decisionOf("/versioned")).slice(0, 2)).toEqual([
      ["route", "versioned"],
      ["service", "versioned"],
    ]);
    expect(await decisionOf("/cors/empty")).toEqual([
      ["route", "cors-empty"],
      ["service", "empty"],
      ["reason", "any"],
      ...tail,
    ]);
    expect(await decisionOf("/nothing", "unknown.example")).toEqual(tail);
    expect(await decisionOf("/moved")).toEqual([["route", "moved"], ...tail]);
    await suite.gateway.put(configOf(suite.origin.url, {}));
  });
});

describe("redirects of the gateway's own", () => {
  it.each<[target: string, host: string, status: number, location: string]>([
    ["/moved/x?q=%2F", "a.test", 302, "http://b.test/moved/x?q=%2F"],
    ["/moved", "a.test:8080", 302, "http://b.test:8080/moved"],
    ["/far/away?q", "a.test:8080", 301, "https://www.example.com/new?q"],
    ["/port/x%2Fy?q", "a.test", 308, "http://a.test:8443/p/x%2Fy?q"],
    ["/default", "a.test:8080", 307, "https://a.test/default"],
  ])("%s on %s", async (target, host, status, location) => {
    const received = await suite.ask({ target, headers: [["Host", host]] });
    expect([received.status, headerOf(received, "location")]).toEqual([status, location]);
    expect(suite.origin.requests).toEqual([]);
  });
});

describe("cross-origin requests", () => {
  const origin = ["Origin", "https://app.example"] as const;

  it("a preflight is answered here", async () => {
    const received = await suite.ask({
      method: "OPTIONS",
      target: "/cors",
      headers: [origin, ["Access-Control-Request-Method", "PUT"], ["Access-Control-Request-Headers", "x-a"]],
    });
    expect([received.status, received.body.length]).toEqual([204, 0]);
    expect(lines(received.headers)).toEqual([
      "access-control-allow-headers: x-a",
      "access-control-allow-methods: GET, PUT",
      "access-control-allow-origin: https://app.example",
      "access-control-max-age: 5",
      "vary: Origin",
    ]);
    expect(suite.origin.requests).toEqual([]);
  });

  it("a preflight on a route without a policy is the origin's", async () => {
    suite.script((request) => request.reply("200 OK", [["Access-Control-Allow-Origin", "x"]]));
    const received = await suite.ask({
      method: "OPTIONS",
      headers: [origin, ["Access-Control-Request-Method", "PUT"]],
    });
    expect(headerOf(received, "access-control-allow-origin")).toBe("x");
    expect(suite.origin.only().method).toBe("OPTIONS");
  });

  it("an answer carries the policy's headers, not the origin's", async () => {
    suite.script((request) =>
      request.reply("200 OK", [
        ["Access-Control-Allow-Origin", "https://other.example"],
        ["Access-Control-Max-Age", "9"],
        ["Vary", "Accept"],
      ]),
    );
    const allowed = await suite.ask({ target: "/cors", headers: [origin] });
    expect(headerOf(allowed, "access-control-allow-origin")).toBe("https://app.example");
    expect(headerOf(allowed, "access-control-expose-headers")).toBe("x-b");
    expect(headerOf(allowed, "access-control-max-age")).toBeNull();
    expect(valuesOf(allowed, "vary").join(", ")).toBe("Accept, Origin");
    const stranger = await suite.ask({ target: "/cors", headers: [["Origin", "https://evil.example"]] });
    expect(headerOf(stranger, "access-control-allow-origin")).toBeNull();
    expect(valuesOf(stranger, "vary").join(", ")).toBe("Accept, Origin");
  });

  it.each<[target: string, code: string]>([
    ["/cors/gone", "upstream_unreachable"],
    ["/cors/empty", "no_origin"],
  ])("an error on %s can be read by the page", async (target, code) => {
    const received = await suite.ask({ target, headers: [origin] });
    expect(headerOf(received, "sluice-error")).toBe(code);
    expect(headerOf(received, "access-control-allow-origin")).toBe("https://app.example");
  });
});

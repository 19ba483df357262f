import { describe, expect, test } from "vitest";
import { matchRoute } from "../../../src/core/routing/table.ts";
import { configOf, decide, factsOf, published, routeOf, snapshotOf, withRoute } from "./support.ts";

const versions = (...list: string[]) => ({
  origins: list.map((version) => ({ id: `o-${version}`, url: `https://${version}.example.com`, version })),
});

describe("matching", () => {
  const config = configOf({
    services: { s: {} },
    routes: [
      { name: "any", service: "s" },
      { name: "wild", service: "s", hosts: ["*.example.com"] },
      { name: "host", service: "s", hosts: ["api.example.com", "[::1]"], matches: [{ path: { prefix: "/v2/" } }] },
      {
        name: "two",
        service: "s",
        matches: [
          { path: { exact: "/two" }, methods: ["POST"] },
          { path: { pattern: "/two/:id/*" } },
          { path: { regex: "/t[0-9]+" } },
        ],
      },
    ],
  });
  test.each([
    ["http://other.example/", "any"],
    ["http://a.b.example.com/", "wild"],
    ["http://example.com/", "any"],
    ["http://api.example.com/v2", "host"],
    ["http://api.example.com:8080/v2/x", "host"],
    ["http://api.example.com/v2x", "wild"],
    ["http://[::1]/v2", "host"],
    ["http://x/two", "any"],
    ["http://x/two/7", "two"],
    ["http://x/two/7/8/9", "two"],
    ["http://x/t12", "two"],
    ["http://x/at12", "any"],
  ])("%s -> %s", (address, route) => {
    expect(routeOf(config, address)).toBe(route);
  });
  test("of several matches one is enough, of one match all conditions are needed", () => {
    expect(routeOf(config, "http://x/two", { method: "POST" })).toBe("two");
    expect(routeOf(config, "http://x/two", { method: "PUT" })).toBe("any");
  });
});

describe("rewrites", () => {
  const path = (rewrite: object, address: string, prefix = "/api/users") =>
    decide(snapshotOf(withRoute({ matches: [{ path: { prefix } }], rewrite })), address)?.path;
  test.each([
    [{}, "/api/users/7", "/api/users/7"],
    [{ stripPrefix: "/api" }, "/api/users/7", "/users/7"],
    [{ stripPrefix: "/api/users/" }, "/api/users", "/"],
    [{ stripPrefix: "/api/users/7" }, "/api/users/8", "/api/users/8"],
    [{ path: { replaceFullPath: "/x" } }, "/api/users/7", "/x"],
    [{ path: { replacePrefixMatch: "/v3" } }, "/api/users/7", "/v3/7"],
    [{ path: { replacePrefixMatch: "" } }, "/api/users/7", "/7"],
    [{ stripPrefix: "/api", path: { replacePrefixMatch: "/v3" } }, "/api/users/7", "/v3/7"],
  ])("%j of %s gives %s", (rewrite, address, sent) => {
    expect(path(rewrite, address)).toBe(sent);
  });
  test("each match of a route replaces its own prefix", () => {
    const snapshot = snapshotOf(
      withRoute({
        matches: [{ path: { prefix: "/a" } }, { path: { prefix: "/b/c" } }],
        rewrite: { path: { replacePrefixMatch: "/x" } },
      }),
    );
    expect(decide(snapshot, "/a/1")?.path).toBe("/x/1");
    expect(decide(snapshot, "/b/c/1")?.path).toBe("/x/1");
  });
});

describe("a split", () => {
  const snapshot = snapshotOf(
    withRoute(
      {
        matches: [{ path: { prefix: "/api" } }],
        rewrite: { stripPrefix: "/api", setHeaders: { a: "route", b: "route" }, addHeaders: { c: "route" } },
        traffic: [
          {
            split: [
              { version: "v1", weight: 50 },
              {
                version: "v2",
                weight: 30,
                rewrite: { path: { replacePrefixMatch: "/two" }, setHeaders: { B: "entry" } },
              },
              { version: "v3", weight: 20, rewrite: { removeHeaders: ["c"] } },
              { version: "v4", weight: 0 },
            ],
          },
        ],
      },
      versions("v1", "v2", "v3", "v4"),
    ),
  );
  const at = (draw: number) => decide(snapshot, "/api/x", {}, () => draw);
  test.each([
    [0, "v1"],
    [0.4999, "v1"],
    [0.5, "v2"],
    [0.7999, "v2"],
    [0.8, "v3"],
    [0.99999, "v3"],
  ])("draws in proportion: %d is %s", (draw, version) => {
    expect(at(draw)).toMatchObject({ version, reason: "split", origins: [`o-${version}`] });
  });
  test("an entry without a rewrite has the route's", () => {
    expect(at(0)).toMatchObject({
      path: "/x",
      headers: {
        set: [
          ["a", "route"],
          ["b", "route"],
        ],
        add: [["c", "route"]],
      },
    });
  });
  test("an entry's path edit replaces the route's, its header edits come on top", () => {
    expect(at(0.5)).toMatchObject({
      path: "/two/x",
      headers: {
        set: [
          ["a", "route"],
          ["B", "entry"],
        ],
        add: [["c", "route"]],
      },
    });
  });
  test("an entry with header edits only keeps the route's path edit", () => {
    expect(at(0.9)).toMatchObject({ path: "/x", headers: { remove: ["c"], add: [] } });
  });

  test("is sticky by the first key that is there, on every route of the service alike", () => {
    const split = {
      split: [
        { version: "v1", weight: 50 },
        { version: "v2", weight: 50 },
      ],
      stickyBy: ["header:x-user", "ip"],
    };
    const routes = ["/a", "/b"].map((prefix) => ({
      name: prefix.slice(1),
      service: "s",
      matches: [{ path: { prefix } }],
      traffic: [split],
    }));
    const sticky = snapshotOf({ services: { s: versions("v1", "v2") }, routes });
    const seen = new Set<string>();
    for (let user = 0; user < 50; user++) {
      const asked = { headers: { "X-User": `u${user}` }, ip: "10.0.0.1" };
      const first = decide(sticky, "/a", asked, () => 0);
      expect(first).toMatchObject({ reason: "sticky" });
      expect(decide(sticky, "/b", asked, () => 0.99)).toMatchObject({ version: first?.version });
      seen.add(first?.version ?? "");
    }
    expect(seen).toEqual(new Set(["v1", "v2"]));
    expect(decide(sticky, "/a", { ip: "10.0.0.1" }, () => 0)).toMatchObject({ reason: "sticky" });
    expect(decide(sticky, "/a", {}, () => 0.99)).toMatchObject({ reason: "split", version: "v2" });
  });
});

describe("version rules", () => {
  const snapshot = snapshotOf(
    withRoute(
      {
        matches: [{ path: { pattern: "/:version/x" } }, { path: { prefix: "/" } }],
        traffic: [
          { versionFrom: { header: "API-Version" } },
          { versionFrom: { query: "v" }, onUnknown: "next" },
          { versionFrom: { cookie: "v" } },
          { versionFrom: { param: "version" }, onUnknown: "next" },
          { versionFrom: { accept: "version" } },
          { when: { headers: [{ name: "X-Canary", prefix: "al" }], methods: ["GET"] }, version: "v2" },
          { when: { country: ["NO"], ip: ["10.0.0.0/8", "2001:db8::/32"] }, version: "v3", onEmpty: "next" },
          { when: { cookies: [{ name: "beta", exact: "1" }] }, version: "empty" },
          { when: { query: [{ name: "mobile", present: true }] }, version: "empty", onEmpty: "next" },
        ],
      },
      { ...versions("v1", "v2"), defaultVersion: "v1", versions: { announced: {} } },
    ),
  );
  test.each<readonly [string, Parameters<typeof factsOf>[1], object]>([
    ["/", {}, { version: "v1", reason: "default", origins: ["o-v1"] }],
    ["/", { headers: { "api-version": "v2" } }, { version: "v2", reason: "header" }],
    ["/", { headers: { "api-version": "v9" } }, { error: "version_unknown" }],
    ["/", { headers: { "api-version": "toString" } }, { error: "version_unknown" }],
    ["/", { headers: { "api-version": "announced" } }, { version: "announced", reason: "header", origins: [] }],
    ["/?v=v2", {}, { version: "v2", reason: "query" }],
    ["/?v=v9", {}, { version: "v1", reason: "default" }],
    ["/?v=", {}, { version: "v1", reason: "default" }],
    ["/", { cookies: { v: "v2" } }, { version: "v2", reason: "cookie" }],
    ["/v2/x", {}, { version: "v2", reason: "param" }],
    ["/v9/x", {}, { version: "v1", reason: "default" }],
    ["/", { headers: { accept: "text/html, application/json;version=v2" } }, { version: "v2", reason: "accept" }],
    ["/", { headers: { "x-canary": "always" } }, { version: "v2", reason: "when" }],
    ["/", { headers: { "x-canary": "always" }, method: "PUT" }, { version: "v1", reason: "default" }],
    ["/", { country: "NO", ip: "10.1.2.3" }, { version: "v1", reason: "default" }],
    ["/", { cookies: { beta: "1" } }, { version: "empty", reason: "when", origins: [] }],
    ["/?mobile", {}, { version: "v1", reason: "default" }],
  ])("%s %j", (address, asked, decided) => {
    expect(decide(snapshot, address, asked)).toMatchObject(decided);
  });
  test.each([
    ["10.1.2.3", "NO", "v3"],
    ["::ffff:10.1.2.3", "NO", "v3"],
    ["2001:db8::1", "NO", "v3"],
    ["11.1.2.3", "NO", "v1"],
    ["10.1.2.3", "SE", "v1"],
    ["unknown", "NO", "v1"],
    [null, "NO", "v1"],
  ])("address %s in %s", (ip, country, version) => {
    const document = withRoute(
      { traffic: [{ when: { country: ["NO"], ip: ["10.0.0.0/8", "2001:db8::/32"] }, version: "v3" }] },
      { ...versions("v1", "v3"), defaultVersion: "v1" },
    );
    expect(decide(snapshotOf(document), "/", { ip, country })).toMatchObject({ version });
  });
  test("without a default every origin of the service may answer", () => {
    expect(decide(snapshotOf(withRoute({}, versions("v1", "v2"))), "/")).toMatchObject({
      version: null,
      reason: "any",
      origins: ["o-v1", "o-v2"],
    });
  });
});

describe("a service as requests see it", () => {
  const document = withRoute(
    { traffic: [{ split: [{ version: "split", weight: 1 }] }] },
    {
      origins: [
        { id: "a", url: "https://static.example.com", version: "v1" },
        { id: "off", url: "https://off.example.com", weight: 0, version: "v0" },
      ],
      defaultVersion: "v1",
      versions: { told: {} },
    },
  );
  const snapshot = snapshotOf(document, {
    users: published(
      { id: "a", url: "https://registered.example.com", version: "v9" },
      { id: "b", version: "v2" },
      { id: "c", version: "v2", state: "draining" },
      { id: "d", version: "v3", weight: 0 },
      { id: "e", version: "v2", state: "suspect" },
      { id: "f", version: null },
    ),
    stranger: published({ id: "x" }),
  });
  const view = snapshot.services.get("users");
  test("an id that the document lists is the document's", () => {
    expect(view?.origins.find(({ id }) => id === "a")?.url).toBe("https://static.example.com");
    expect(view?.versions.has("v9")).toBe(false);
  });
  test("draining and weight 0 take no new traffic, suspect does", () => {
    expect(view?.usable.map(({ id }) => id)).toEqual(["a", "b", "e", "f"]);
    expect([...(view?.usableByVersion ?? [])].map(([version, list]) => [version, list.map(({ id }) => id)])).toEqual([
      ["v1", ["a"]],
      ["v2", ["b", "e"]],
    ]);
  });
  test("versions are those of the document and of every origin that is there", () => {
    expect([...(view?.versions ?? [])].sort()).toEqual(["split", "told", "v0", "v1", "v2", "v3"]);
  });
  test("a service that the document does not declare is not there", () => {
    expect([...snapshot.services.keys()]).toEqual(["users"]);
  });
});

describe("what is said of versions", () => {
  test("is ready to send (RFC 9745, RFC 8594)", () => {
    const config = configOf({
      services: {
        s: {
          versions: {
            old: { deprecation: "2027-01-01T00:00:00Z", sunset: "2027-06-30T23:59:59+02:00" },
            older: { sunset: "2026-01-01T00:00:00Z" },
          },
        },
      },
    });
    expect(Object.fromEntries(config.services.get("s")?.notices ?? [])).toEqual({
      old: { deprecation: "@1798761600", sunset: "Wed, 30 Jun 2027 21:59:59 GMT" },
      older: { deprecation: null, sunset: "Thu, 01 Jan 2026 00:00:00 GMT" },
    });
  });
});

describe("the rest of a route", () => {
  const { route } = matchRoute(
    configOf({
      routes: [
        {
          name: "r",
          matches: [{ path: { prefix: "/old" } }],
          redirect: { hostname: "new.example", path: { replacePrefixMatch: "/new" } },
          response: { setHeaders: { a: "b" } },
          cors: { allowOrigins: ["*", "https://A.example:443", "https://*.b.example"], maxAge: 7 },
          timeouts: { requestMs: 5 },
        },
      ],
    }).table,
    factsOf("/old/x"),
  ).match!.entry;
  test("is as written, defaults filled in", () => {
    expect(route).toMatchObject({
      service: null,
      redirect: {
        hostname: "new.example",
        statusCode: 302,
        path: { kind: "replacePrefixMatch", value: "/new", matchedSegments: 1 },
      },
      response: { set: [["a", "b"]] },
      cors: { any: true, allowOrigins: new Set(["https://a.example"]), maxAgeSeconds: 7, allowCredentials: false },
      requestTimeoutMs: 5,
      rewrite: { path: null, headers: null },
    });
  });
});

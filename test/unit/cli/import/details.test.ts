/** What becomes of the parts that routing does not show: limits, policies, edits, times, names. */
import { describe, expect, test } from "vitest";
import type { Imported } from "../../../../cli/import/index.ts";
import { importGatewayApi, importKong, importOpenApi } from "../../../../cli/import/index.ts";
import { fixture, listed, silent } from "./support.ts";

const routeOf = ({ config }: Imported, name: string) => {
  const route = config.routes?.find((candidate) => candidate.name === name);
  if (route === undefined) throw new Error(`no route ${name}`);
  return route;
};
const hintsOf = ({ notes }: Imported, what: string) =>
  notes.filter((note) => note.what === what).map(({ hint }) => hint);

describe("Kong", () => {
  const imported = importKong(fixture("kong.yaml"));
  test("limits keep their windows, keys and what happens when the counter is away", () => {
    expect(imported.config.rateLimits).toEqual({
      "rate-limiting": {
        algorithm: "fixed-window",
        windows: [
          { limit: 5, seconds: 1 },
          { limit: 1000, per: "hour" },
        ],
        onUnavailable: "deny",
        key: ["header:x-client-id", "ip"],
        headers: "legacy",
      },
      "rate-limiting-advanced": {
        algorithm: "sliding-window",
        windows: [
          { limit: 10, seconds: 1 },
          { limit: 100, seconds: 60 },
        ],
        key: ["ip"],
        headers: "none",
      },
    });
    expect(routeOf(imported, "orders-public").rateLimits).toEqual(["rate-limiting"]);
    expect(routeOf(imported, "catalog-top").rateLimits).toEqual(["rate-limiting-advanced"]);
  });
  test("an upstream gives origins, balancing and checks", () => {
    expect(imported.config.services?.orders).toEqual({
      origins: [
        { id: "orders-a.example.net-8080", url: "http://orders-a.example.net:8080", weight: 100 },
        { id: "orders-b.example.net-8080", url: "http://orders-b.example.net:8080", weight: 0 },
      ],
      loadBalancing: { policy: "consistent-hash", hashOn: ["header:x-user", "ip"] },
      healthCheck: {
        path: "/up",
        intervalSeconds: 5,
        timeoutMs: 2_000,
        statuses: [200, 302],
        healthyAfter: 2,
        unhealthyAfter: 4,
      },
    });
  });
  test("times, retries, CORS and header edits", () => {
    const route = routeOf(imported, "orders-public");
    expect(route.timeouts).toEqual({ requestMs: 0, attemptMs: 25_000, idleMs: 60_000 });
    expect(route.retries).toEqual({ attempts: 3, codes: [] });
    expect(route.cors).toMatchObject({
      allowOrigins: ["https://www.example.com"],
      allowCredentials: true,
      maxAge: 3600,
    });
    expect(routeOf(imported, "catalog-top").rewrite).toEqual({
      setHeaders: { "x-gateway": "yes", "x-both": "1" },
      removeHeaders: ["x-debug"],
    });
    expect(routeOf(imported, "catalog").response).toEqual({
      removeHeaders: ["server"],
      addHeaders: { "via-kong": "no" },
    });
    expect(imported.config.gateway).toEqual({ maxBodyBytes: 8 * 1_048_576 });
  });
  test("a canary is a version of its service, which other routes do not get", () => {
    const { origins, defaultVersion } = imported.config.services?.catalog ?? {};
    expect(origins?.map(({ version }) => version)).toEqual(["stable", "canary"]);
    expect(defaultVersion).toBe("stable");
    expect(routeOf(imported, "catalog").traffic?.at(-1)).toMatchObject({ stickyBy: ["ip"] });
    expect(routeOf(imported, "catalog-top").traffic).toBeUndefined();
  });
  test("a closed route has a service that nobody can join", () => {
    const { service, fallback } = routeOf(imported, "catalog-closed");
    expect(fallback).toEqual({ status: 403, body: { message: "Closed" } });
    expect(imported.config.services?.[service ?? ""]).toEqual({ registration: { allowedHosts: [] } });
  });
  test("what opens a service, or sends requests elsewhere, is said", () => {
    expect(hintsOf(imported, "plugin key-auth")).toEqual([expect.stringContaining("get through without it")]);
    expect(hintsOf(imported, "precedence among routes")).toEqual([expect.stringContaining("catalog-closed")]);
    expect(listed(imported)).toEqual(
      expect.arrayContaining([
        "0/services/1/routes/1: route chosen by sources",
        "0/services/2: service that speaks grpc",
        "0/services/3: disabled service",
        "0/routes/1: route without a service",
        "0/consumers: consumers has no counterpart",
        "0/plugins/3: disabled plugin bot-detection",
      ]),
    );
  });
  test.each<[string, object, object]>([
    ["least-connections", { algorithm: "least-connections" }, { policy: "least-request" }],
    ["latency", { algorithm: "latency" }, { policy: "ewma" }],
    ["by consumer", { algorithm: "consistent-hashing", hash_on: "consumer" }, { policy: "consistent-hash" }],
    ["by path", { algorithm: "consistent-hashing", hash_on: "path" }, { policy: "consistent-hash", hashOn: ["path"] }],
    [
      "by cookie or query",
      {
        algorithm: "consistent-hashing",
        hash_on: "cookie",
        hash_on_cookie: "sid",
        hash_fallback: "query_arg",
        hash_fallback_query_arg: "u",
      },
      { policy: "consistent-hash", hashOn: ["cookie:sid", "query:u"] },
    ],
  ])("balancing %s", (_, upstream, loadBalancing) => {
    const documents = [
      {
        services: [{ name: "s", host: "up" }],
        upstreams: [{ name: "up", ...upstream, targets: [{ target: "a.example.com" }] }],
      },
    ];
    const { config } = importKong(documents);
    expect(config.services?.s).toEqual({
      origins: [{ id: "a.example.com", url: "http://a.example.com:8000", weight: 100 }],
      loadBalancing,
    });
    expect(silent(importKong, documents)).toEqual([]);
  });
  test.each<[string, object, object | undefined]>([
    ["raw JSON", { status_code: 418, content_type: "application/json", body: "[1]" }, { status: 418, body: [1] }],
    ["other text", { body: "gone" }, { status: 503 }],
    ["an informational status", { status_code: 100 }, { status: 503 }],
    ["on a trigger", { trigger: "x-stop" }, undefined],
  ])("an answer in store: %s", (_, config, fallback) => {
    const plugins = [{ name: "request-termination", config }];
    const documents = [
      { services: [{ name: "s", url: "http://s.example.com", routes: [{ name: "r", paths: ["/"], plugins }] }] },
    ];
    expect(routeOf(importKong(documents), "r").fallback).toEqual(fallback);
    expect(silent(importKong, documents)).toEqual([]);
  });
  test.each<[string, string, object, object | undefined]>([
    ["of a consumer", "rate-limiting", { minute: 5 }, { key: ["ip"], onUnavailable: "allow" }],
    ["of a service", "rate-limiting", { minute: 5, limit_by: "service" }, { key: ["global"] }],
    [
      "of a path",
      "rate-limiting",
      { day: 5, limit_by: "path", error_code: 420, error_message: "no" },
      { key: ["path"] },
    ],
    ["of a year", "rate-limiting", { year: 5 }, undefined],
    ["of half a request", "rate-limiting", { minute: 0.5, hour: 3 }, { windows: [{ limit: 3, per: "hour" }] }],
    [
      "in fixed windows",
      "rate-limiting-advanced",
      { limit: [7], window_size: [30], window_type: "fixed" },
      { algorithm: "fixed-window" },
    ],
    ["in half seconds", "rate-limiting-advanced", { limit: [7], window_size: [0.5] }, undefined],
    ["by no header", "rate-limiting", { minute: 1, limit_by: "header", header_name: "a b" }, { key: ["ip", "ip"] }],
  ])("a limit %s", (_, name, config, limit) => {
    const documents = [
      {
        services: [{ name: "s", url: "http://s.example.com", routes: [{ paths: ["/a"] }] }],
        plugins: [{ name, config }],
      },
    ];
    const limits = Object.values(importKong(documents).config.rateLimits ?? {});
    if (limit === undefined) expect(limits).toEqual([]);
    else expect(limits).toEqual([expect.objectContaining(limit)]);
    expect(silent(importKong, documents)).toEqual([]);
  });
  test("of plugins with one name the nearest counts, and the others are noted", () => {
    const cors = (origin: string) => ({ name: "cors", config: { origins: [origin] } });
    const routes = [{ name: "r", paths: ["/"], plugins: [cors("https://route.example.com")] }];
    const service = { name: "s", url: "http://s.example.com", routes, plugins: [cors("https://service.example.com")] };
    const documents = [{ services: [service], plugins: [cors("*"), { name: "cors", route: "r", enabled: false }] }];
    const imported = importKong(documents);
    expect(routeOf(imported, "r").cors?.allowOrigins).toEqual(["https://route.example.com"]);
    expect(listed(imported).filter((line) => line.includes("plugin cors"))).toHaveLength(3);
    expect(silent(importKong, documents)).toEqual([]);
  });
  test.each<[string, object, string]>([
    ["an expression", { expression: 'http.path == "/"' }, "route chosen by expression"],
    [
      "an SNI that is no host of its own",
      { hosts: ["a.example.com"], snis: ["b.example.com"] },
      "route chosen by snis",
    ],
    ["no condition", {}, "route without a condition"],
    ["another protocol", { protocols: ["grpc"], paths: ["/a"] }, "route for grpc"],
    ["a host that is no name", { hosts: ["example.*"] }, "route with a condition that is not supported"],
    ["a method that is none", { methods: ["get"] }, "route with a condition that is not supported"],
    ["a header that is none", { headers: { "a b": ["c"] } }, "route with a condition that is not supported"],
  ])("a route with %s is left out, with a note", (_, route, what) => {
    const documents = [{ services: [{ name: "s", url: "http://s.example.com", routes: [{ name: "r", ...route }] }] }];
    const imported = importKong(documents);
    expect(imported.config.routes).toEqual([]);
    expect(hintsOf(imported, what)).toHaveLength(1);
    expect(silent(importKong, documents)).toEqual([]);
  });
  test("an SNI among the hosts, a port of a host and buffering change nothing", () => {
    const route = { name: "r", hosts: ["a.example.com:8443"], snis: ["a.example.com:8443"], request_buffering: true };
    const documents = [{ services: [{ name: "s", url: "http://s.example.com", routes: [route] }] }];
    expect(routeOf(importKong(documents), "r").hosts).toEqual(["a.example.com"]);
    expect(silent(importKong, documents)).toEqual([]);
  });
  test("two canaries of one service: the first stays, and that is said", () => {
    const canary = (host: string, more = {}) => ({
      name: "canary",
      config: { upstream_host: host, percentage: 5, upstream_uri: "/x", ...more },
    });
    const routes = [
      { name: "a", paths: ["/a"], plugins: [canary("one.example.com", { hash: "none" })] },
      { name: "b", paths: ["/b"], plugins: [canary("two.example.com", { hash: "header", hash_header: "x-user" })] },
      { name: "c", paths: ["/c"], plugins: [canary("one.example.com", { hash: "consumer" })] },
      { name: "d", paths: ["/d"], plugins: [{ name: "canary", config: { start: 1 } }] },
    ];
    const documents = [{ services: [{ name: "s", url: "http://s.example.com", routes }] }];
    const imported = importKong(documents);
    expect(imported.config.services?.s?.origins?.map(({ url }) => url)).toEqual([
      "http://s.example.com",
      "http://one.example.com",
    ]);
    expect(hintsOf(imported, "two canaries of one service")).toEqual(["All of them go to http://one.example.com."]);
    expect(routeOf(imported, "b").traffic?.at(-1)).toMatchObject({ stickyBy: ["header:x-user", "ip"] });
    expect(routeOf(imported, "d").traffic).toBeUndefined();
  });
  test("several files make one configuration", () => {
    const one = { _format_version: "3.0", services: [{ name: "s", url: "https://s.example.com" }] };
    const two = { _format_version: "3.0", routes: [{ name: "r", service: "s", hosts: ["a.example.com"] }] };
    expect(routeOf(importKong([one, two]), "r")).toMatchObject({ service: "s", hosts: ["a.example.com"] });
  });
});

describe("Gateway API", () => {
  const imported = importGatewayApi(fixture("gateway-api.yaml"));
  test("each set of backends is a service, each backend a version with its share", () => {
    expect(imported.config.services?.["foo-v1-foo-v2"]?.origins?.map(({ version }) => version)).toEqual([
      "foo-v1",
      "foo-v2",
    ]);
    expect(routeOf(imported, "foo-1").traffic).toEqual([
      {
        split: [
          { version: "foo-v1", weight: 90 },
          { version: "foo-v2", weight: 10, rewrite: { setHeaders: { "x-version": "2" } } },
        ],
      },
    ]);
  });
  test("times and retries", () => {
    const { timeouts, retries } = routeOf(imported, "foo-some");
    expect(timeouts).toEqual({ requestMs: 10_000, attemptMs: 2_500 });
    expect(retries).toEqual({ attempts: 3, codes: [503], backoffMs: 100, maxBackoffMs: 800 });
  });
  test("filters", () => {
    expect(routeOf(imported, "edits-1").mirror).toEqual([expect.objectContaining({ service: "audit", percent: 25 })]);
    const { response, cors } = routeOf(imported, "edits-2");
    expect(response).toEqual({ addHeaders: { "x-a": "1, 2" }, removeHeaders: ["server"] });
    expect(cors).toMatchObject({ allowOrigins: ["https://*.bar.com"], allowHeaders: ["*"], allowCredentials: true });
  });
  test("a redirect to HTTPS alone would go in circles, so it is left out", () => {
    expect(hintsOf(imported, "redirect to https")).toEqual([expect.stringContaining("Always Use HTTPS")]);
    expect(imported.config.routes?.map(({ name }) => name)).not.toContain("to-https");
  });
  test("hosts are those that a listener of the Gateway has too", () => {
    expect(routeOf(imported, "foo-1").hosts).toEqual(["foo.example.com"]);
    const gateway = (hostname: string) => ({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      metadata: { name: "g" },
      spec: { listeners: [{ name: "l", port: 80, protocol: "HTTP", hostname }] },
    });
    const route = (hostnames: string[]) => ({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name: "r" },
      spec: { parentRefs: [{ name: "g", port: 80 }], hostnames, rules: [{ backendRefs: [{ name: "b", port: 80 }] }] },
    });
    const hosts = (listener: string, own: string[]) =>
      importGatewayApi([{ kind: "List", items: [gateway(listener), route(own)] }]).config.routes?.[0]?.hosts;
    expect(hosts("*.example.com", [])).toEqual(["*.example.com"]);
    expect(hosts("a.example.com", ["*.example.com"])).toEqual(["a.example.com"]);
    expect(hosts("*.example.com", ["*.b.example.com"])).toEqual(["*.b.example.com"]);
    expect(hosts("*.example.com", ["example.com"])).toBeUndefined();
  });
  test("a Gateway of another namespace takes its routes only where it says so, which is noted", () => {
    const apiVersion = "gateway.networking.k8s.io/v1";
    const notes = (namespace: string, allowedRoutes?: object) =>
      importGatewayApi([
        {
          ...{ apiVersion, kind: "Gateway", metadata: { name: "g", namespace: "one" } },
          spec: { listeners: [{ name: "l", port: 80, protocol: "HTTP", ...(allowedRoutes && { allowedRoutes }) }] },
        },
        {
          ...{ apiVersion, kind: "HTTPRoute", metadata: { name: "r", namespace } },
          spec: { parentRefs: [{ name: "g", namespace: "one" }], rules: [{ backendRefs: [{ name: "b", port: 80 }] }] },
        },
      ]);
    const hint = "It takes no routes of another namespace; here the route gets its requests.";
    expect(hintsOf(notes("two"), "Gateway one/g")).toEqual([hint]);
    expect(hintsOf(notes("one"), "Gateway one/g")).toEqual([]);
    expect(hintsOf(notes("two", { namespaces: { from: "All" } }), "Gateway one/g")).toEqual([]);
  });
  test("what is not possible in a rule leaves the rule or the filter out, with a note", () => {
    const rules = [
      { matches: [{ path: { type: "RegularExpression", value: "(?!a)" } }], backendRefs: [{ name: "a" }] },
      { matches: [{ headers: [{ name: "a b", value: "c" }] }], backendRefs: [{ name: "a" }] },
      {
        matches: [
          {
            path: { type: "Exact", value: "/a" },
            queryParams: [{ type: "RegularExpression", name: "q", value: "[a-z]" }],
          },
        ],
        filters: [
          { type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/b" } } },
          {
            type: "RequestHeaderModifier",
            requestHeaderModifier: { add: [{ name: "x-a", value: "1" }], remove: ["x-b"] },
          },
        ],
        timeouts: { request: "soon", backendRequest: "50s" },
        retry: { attempts: 50 },
        backendRefs: [
          {
            name: "a",
            port: 80,
            filters: [
              { type: "CORS", cors: { allowOrigins: ["nowhere"] } },
              { type: "URLRewrite", urlRewrite: { path: { type: "ReplaceFullPath", replaceFullPath: "/c" } } },
            ],
          },
        ],
      },
      {
        filters: [
          { type: "RequestRedirect", requestRedirect: { hostname: "www.example.com", port: 8443, statusCode: 308 } },
        ],
      },
      { filters: [{ type: "RequestRedirect", requestRedirect: { statusCode: 200 } }] },
      { backendRefs: [{ name: "a", weight: 0 }] },
    ];
    const documents = [
      {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: "r" },
        spec: { parentRefs: [{ kind: "Service", name: "a" }, { name: "g" }], rules },
      },
    ];
    const odd = importGatewayApi(documents);
    expect(odd.config.routes?.map(({ name }) => name)).toEqual(["r-3", "r-4", "r-6"]);
    expect(routeOf(odd, "r-3")).toMatchObject({
      rewrite: { addHeaders: { "x-a": "1" }, removeHeaders: ["x-b"] },
      timeouts: { requestMs: 0, attemptMs: 50_000 },
      retries: { attempts: 10, codes: [] },
      traffic: [{ split: [{ version: "a", weight: 1, rewrite: { path: { replaceFullPath: "/c" } } }] }],
    });
    expect(routeOf(odd, "r-4").redirect).toEqual({ hostname: "www.example.com", port: 8443, statusCode: 308 });
    expect(routeOf(odd, "r-6").fallback).toEqual({ status: 500 });
    expect(silent((list) => importGatewayApi(list), documents)).toEqual([]);
  });
  test("of routes that ask for the same the first by namespace and name wins, as files have no ages", () => {
    const route = (name: string) => ({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name, namespace: "n" },
      spec: { rules: [{ backendRefs: [{ name, port: 80 }] }] },
    });
    const both = importGatewayApi([route("b"), route("a")]);
    expect(both.config.routes?.map(({ name }) => name)).toEqual(["a", "b"]);
  });
  test("backends of other kinds need a URL", () => {
    expect(imported.config.services?.files).toEqual({ origins: [] });
    expect(hintsOf(imported, "backend of the kind Bucket")).toEqual([expect.stringContaining("default/files:443")]);
  });
});

describe("OpenAPI", () => {
  test("operations give routes their names, made valid and unique", () => {
    const names = importOpenApi(fixture("operations.yaml")).config.routes?.map(({ name }) => name);
    expect(names).toEqual([
      "report",
      "report-2",
      "head-reports-id",
      "cancel-all-jobs",
      "get-uploads-up-load",
      "upload",
      "shared",
    ]);
  });
  test("parameters that are whole segments make patterns, others expressions", () => {
    const { config } = importOpenApi(fixture("operations.yaml"));
    expect(config.routes?.map(({ matches }) => matches?.[0]?.path)).toEqual([
      { regex: "/live/reports/[^/]+\\.[^/]+" },
      { pattern: "/live/reports/:id" },
      { pattern: "/live/reports/:id" },
      { exact: "/live/jobs:cancel" },
      { pattern: "/relative/uploads/:up_load/" },
      { pattern: "/uploads/:up_load/" },
      { exact: "/live/shared" },
    ]);
  });
  test("the first server gets the traffic", () => {
    const { config } = importOpenApi(fixture("operations.yaml"));
    expect(config.services?.["Operations-more"]).toEqual({
      origins: [
        { id: "api.example.com", url: "https://api.example.com" },
        { id: "test.example.com", url: "https://test.example.com", weight: 0 },
      ],
    });
  });
  test("a document of another version is left alone", () => {
    const imported = importOpenApi([{ swagger: "2.0", paths: { "/a": { get: {} } } }]);
    expect(imported).toEqual({
      config: { services: {}, routes: [] },
      notes: [expect.objectContaining({ source: { document: 0, path: [] }, why: "not supported" })],
    });
  });
});

import { describe, expect, test } from "vitest";
import { bounds } from "../../../src/bounds.ts";
import { configOf, errorsOf, routeOf, warningsOf, withRoute } from "./support.ts";

const redirectTo = (redirect: object, rest: object = {}) => ({ routes: [{ name: "r", redirect, ...rest }] });
const match = (path: object) => ({ matches: [{ path }] });
const traffic = (...rules: object[]) => withRoute({ traffic: rules });
const at = "#/routes/0";

/** A document, and the one place that is refused with what is said of it. */
type Refused = readonly [what: string, document: object, pointer: string, detail: RegExp];

const targets: Refused[] = [
  ["neither service nor redirect", { routes: [{ name: "r" }] }, at, /either a service or a redirect/],
  ["both", withRoute({ redirect: { scheme: "https" } }), at, /either a service or a redirect/],
  ["an unknown service", { routes: [{ name: "r", service: "x" }] }, `${at}/service`, /no service has this name/],
  [
    "two routes of one name",
    {
      routes: [
        { name: "r", redirect: { port: 1 } },
        { name: "r", redirect: { port: 2 }, ...match({ exact: "/a" }) },
      ],
    },
    "#/routes/1/name",
    /another route/,
  ],
  ["a redirect that changes nothing", redirectTo({}), `${at}/redirect`, /to where it is/],
  ["a redirect that changes the status only", redirectTo({ statusCode: 308 }), `${at}/redirect`, /to where it is/],
  [
    "another status",
    redirectTo({ scheme: "https", statusCode: 304 }),
    `${at}/redirect/statusCode`,
    /301\|302\|303\|307\|308/,
  ],
  ["no host name", redirectTo({ hostname: "https://a.example" }), `${at}/redirect/hostname`, /not a host name/],
  [
    "a wildcard to redirect to",
    redirectTo({ hostname: "*.example.com" }),
    `${at}/redirect/hostname`,
    /not a host name/,
  ],
  [
    "traffic rules of a redirect",
    redirectTo({ port: 1 }, { traffic: [] }),
    `${at}/traffic`,
    /no meaning for a redirect/,
  ],
  ["a rewrite of a redirect", redirectTo({ port: 1 }, { rewrite: {} }), `${at}/rewrite`, /no meaning for a redirect/],
];

const badHosts: readonly (readonly [string, RegExp])[] = [
  ["*", /lone "\*"/],
  ["", />=1/],
  ["a b", /not a host name/],
  ["exa*mple.com", /not a host name/],
  ["a.*.example.com", /not a host name/],
  ["*.", /not a host name/],
  ["https://example.com", /not a host name/],
  ["example.com/path", /not a host name/],
  ["bücher.example", /not a host name/],
  ["-a.example", /not a host name/],
  ["a..example", /not a host name/],
  [`${"a".repeat(64)}.example`, /not a host name/],
  ["1.2.3.4.5", /not a host name/],
  ["300.1.1.1", /not a host name/],
  ["[::1", /not a host name/],
  ["[1.2.3.4]", /not a host name/],
  ["*.10.0.0.1", /no wildcard/],
  ["*.[::1]", /no wildcard/],
];
const hosts: Refused[] = badHosts.map(([host, detail]) => [
  `the host ${host}`,
  withRoute({ hosts: [host] }),
  `${at}/hosts/0`,
  detail,
]);

/** A part of a document, and the place in it that is refused. */
type Part = readonly [what: string, part: object, place: string, detail: RegExp];

const badMatches: readonly Part[] = [
  ["a backreference", match({ regex: "/(a)\\1" }), "path/regex", /RE2.*no backreference/],
  ["look-ahead", match({ regex: "/(?=a)a" }), "path/regex", /RE2/],
  ["look-behind", match({ regex: "/(?<=a)a" }), "path/regex", /RE2/],
  ["a broken regex", match({ regex: "/(a" }), "path/regex", /missing closing/],
  ["a regex that grows too large", match({ regex: "((a{100}){100}){100}" }), "path/regex", /repeat/],
  ["a broken regex of a header", { matches: [{ headers: [{ name: "a", regex: "[" }] }] }, "headers/0/regex", /RE2/],
  ["a broken regex of a parameter", { matches: [{ query: [{ name: "a", regex: "*" }] }] }, "query/0/regex", /RE2/],
  ["two kinds of path", match({ exact: "/a", prefix: "/a" }), "path", /exactly one/],
  ["no kind of path", match({}), "path", /exactly one/],
  ["a relative path", match({ prefix: "a" }), "path/prefix", /begin with '\/'/],
  ["a path with a query", match({ exact: "/a?b" }), "path/exact", /percent-encoded/],
  ["a path with a space", match({ exact: "/a b" }), "path/exact", /percent-encoded/],
  ["a parameter twice", match({ pattern: "/:a/:a" }), "path/pattern", /twice/],
  ["a star in the middle", match({ pattern: "/*/a" }), "path/pattern", /last segment/],
  ["an empty exact value", { matches: [{ headers: [{ name: "a", exact: "" }] }] }, "headers/0/exact", />=1/],
  [
    "two conditions in one",
    { matches: [{ headers: [{ name: "a", exact: "b", present: true }] }] },
    "headers/0",
    /exactly one/,
  ],
  ["no condition", { matches: [{ query: [{ name: "a" }] }] }, "query/0", /exactly one/],
  ["no header name", { matches: [{ headers: [{ name: "a b", present: true }] }] }, "headers/0/name", /header name/],
  ["a method in lower case", { matches: [{ methods: ["get"] }] }, "methods/0", /upper case/],
  ["no methods", { matches: [{ methods: [] }] }, "methods", />=1/],
];
const matches = badMatches.map(
  ([what, route, place, detail]): Refused => [what, withRoute(route), `${at}/matches/0/${place}`, detail],
);

const badRules: readonly Part[] = [
  ["no form of rule", {}, "", /fits none of the forms: versionFrom.*version.*split/],
  ["a mixture of rules", { version: "v1", split: [{ version: "v1", weight: 1 }] }, "", /fits none of the forms/],
  ["an empty when", { when: {}, version: "v1" }, "/when", /has no condition/],
  ["a country in lower case", { when: { country: ["no"] }, version: "v1" }, "/when/country/0", /ISO 3166-1/],
  ["an address that is none", { when: { ip: ["10.0.0.256"] }, version: "v1" }, "/when/ip/0", /CIDR/],
  ["a range that is none", { when: { ip: ["::1", "10.0.0.0/33"] }, version: "v1" }, "/when/ip/1", /CIDR/],
  ["half an address", { when: { ip: ["10.1"] }, version: "v1" }, "/when/ip/0", /CIDR/],
  [
    "a broken regex of a cookie",
    { when: { cookies: [{ name: "a", regex: "(" }] }, version: "v1" },
    "/when/cookies/0/regex",
    /RE2/,
  ],
  ["two sources of a version", { versionFrom: { header: "a", query: "b" } }, "/versionFrom", /exactly one/],
  ["no source of a version", { versionFrom: {} }, "/versionFrom", /exactly one/],
  ["another word for unknown", { versionFrom: { header: "a" }, onUnknown: "ignore" }, "/onUnknown", /"reject"\|"next"/],
  ["a parameter that no pattern has", { versionFrom: { param: "id" } }, "/versionFrom/param", /no pattern/],
  [
    "weights of 0",
    {
      split: [
        { version: "a", weight: 0 },
        { version: "b", weight: 0 },
      ],
    },
    "/split",
    /add up to 0/,
  ],
  ["an empty split", { split: [] }, "/split", />=1/],
  [
    "a negative weight",
    {
      split: [
        { version: "a", weight: -1 },
        { version: "b", weight: 2 },
      ],
    },
    "/split/0/weight",
    />=0/,
  ],
  ["a weight without bound", { split: [{ version: "a", weight: 1e9 }] }, "/split/0/weight", /<=1000000/],
  ["a version that is no name", { split: [{ version: "a b", weight: 1 }] }, "/split/0/version", /letters/],
  [
    "an unknown key source",
    { split: [{ version: "a", weight: 1 }], stickyBy: ["ip", "user"] },
    "/stickyBy/1",
    /must be ip, path/,
  ],
  [
    "a key source without a name",
    { split: [{ version: "a", weight: 1 }], stickyBy: ["header:"] },
    "/stickyBy/0",
    /must be ip, path/,
  ],
  [
    "a key of no pattern",
    { split: [{ version: "a", weight: 1 }], stickyBy: ["path-param:id"] },
    "/stickyBy/0",
    /no pattern/,
  ],
];
const rules = badRules.map(
  ([what, rule, place, detail]): Refused => [what, traffic(rule), `${at}/traffic/0${place}`, detail],
);

const badEdits: readonly Part[] = [
  [
    "stripPrefix that no prefix allows",
    { ...match({ prefix: "/api" }), rewrite: { stripPrefix: "/web" } },
    "rewrite/stripPrefix",
    /no request/,
  ],
  [
    "stripPrefix that no exact path allows",
    { ...match({ exact: "/api/a" }), rewrite: { stripPrefix: "/api/a/b" } },
    "rewrite/stripPrefix",
    /no request/,
  ],
  [
    "stripPrefix of half a segment",
    { ...match({ exact: "/api" }), rewrite: { stripPrefix: "/ap" } },
    "rewrite/stripPrefix",
    /no request/,
  ],
  [
    "stripPrefix that no pattern allows",
    { ...match({ pattern: "/a/:b" }), rewrite: { stripPrefix: "/a/x/y" } },
    "rewrite/stripPrefix",
    /no request/,
  ],
  [
    "stripPrefix of a split",
    {
      ...match({ prefix: "/api" }),
      traffic: [{ split: [{ version: "a", weight: 1, rewrite: { stripPrefix: "/b" } }] }],
    },
    "traffic/0/split/0/rewrite/stripPrefix",
    /no request/,
  ],
  [
    "replacePrefixMatch of an exact path",
    { ...match({ exact: "/a" }), rewrite: { path: { replacePrefixMatch: "/b" } } },
    "rewrite/path/replacePrefixMatch",
    /must then be a prefix/,
  ],
  [
    "replacePrefixMatch of one pattern",
    {
      matches: [{ path: { prefix: "/a" } }, { path: { pattern: "/:b" } }],
      rewrite: { path: { replacePrefixMatch: "/b" } },
    },
    "rewrite/path/replacePrefixMatch",
    /must then be a prefix/,
  ],
  [
    "replacePrefixMatch of a split",
    {
      ...match({ regex: "/a" }),
      traffic: [{ split: [{ version: "a", weight: 1, rewrite: { path: { replacePrefixMatch: "/" } } }] }],
    },
    "traffic/0/split/0/rewrite/path/replacePrefixMatch",
    /must then be a prefix/,
  ],
  [
    "two path edits",
    { rewrite: { path: { replaceFullPath: "/a", replacePrefixMatch: "/b" } } },
    "rewrite/path",
    /exactly one/,
  ],
  [
    "a reserved header to set",
    { rewrite: { setHeaders: { Host: "a" } } },
    "rewrite/setHeaders/Host",
    /cannot be edited/,
  ],
  [
    "a reserved header to add",
    { rewrite: { addHeaders: { "X-Forwarded-For": "a" } } },
    "rewrite/addHeaders/X-Forwarded-For",
    /cannot be edited/,
  ],
  [
    "a reserved header to remove",
    { rewrite: { removeHeaders: ["x-a", "Via"] } },
    "rewrite/removeHeaders/1",
    /cannot be edited/,
  ],
  [
    "the request id",
    { rewrite: { setHeaders: { "x-request-id": "a" } } },
    "rewrite/setHeaders/x-request-id",
    /cannot be edited/,
  ],
  [
    "a reserved header, spelled with underscores",
    { rewrite: { setHeaders: { x_forwarded_host: "a" } } },
    "rewrite/setHeaders/x_forwarded_host",
    /cannot be edited/,
  ],
  [
    "a reserved header of a split",
    { traffic: [{ split: [{ version: "a", weight: 1, rewrite: { setHeaders: { "sluice-x": "1" } } }] }] },
    "traffic/0/split/0/rewrite/setHeaders/sluice-x",
    /cannot be edited/,
  ],
  [
    "the framing of an answer",
    { response: { setHeaders: { "content-length": "1" } } },
    "response/setHeaders/content-length",
    /cannot be edited/,
  ],
  [
    "a header of the gateway's own",
    { response: { addHeaders: { "Sluice-Error": "x" } } },
    "response/addHeaders/Sluice-Error",
    /cannot be edited/,
  ],
  ["a line break in a value", { rewrite: { setHeaders: { a: "b\r\nc: d" } } }, "rewrite/setHeaders/a", /header value/],
  ["a name that is none", { response: { setHeaders: { "a:b": "c" } } }, "response/setHeaders/a:b", /header name/],
  [
    "attemptMs above requestMs",
    { timeouts: { requestMs: 10, attemptMs: 11 } },
    "timeouts/attemptMs",
    /larger than requestMs/,
  ],
  [
    "a CORS origin with a path",
    { cors: { allowOrigins: ["https://a.example/"] } },
    "cors/allowOrigins/0",
    /http\(s\):\/\/host/,
  ],
  [
    "a CORS origin without a scheme",
    { cors: { allowOrigins: ["https://a.example", "a.example"] } },
    "cors/allowOrigins/1",
    /http\(s\):\/\/host/,
  ],
  [
    "a CORS wildcard inside a label",
    { cors: { allowOrigins: ["https://a*.example"] } },
    "cors/allowOrigins/0",
    /whole first label/,
  ],
];
const edits = badEdits.map(
  ([what, route, place, detail]): Refused => [what, withRoute(route), `${at}/${place}`, detail],
);

const service = (value: object) => ({ services: { s: value } });
const origin = (url: string) => service({ origins: [{ id: "a", url }] });
const badServices: readonly Part[] = [
  [
    "an origin id twice",
    service({ origins: ["a", "b", "a"].map((id) => ({ id, url: "https://a.example.com" })) }),
    "origins/2/id",
    /another origin/,
  ],
  ["a URL that is none", origin("a.example.com"), "origins/0/url", /not an absolute URL/],
  ["another scheme", origin("ftp://a.example.com"), "origins/0/url", /http:\/\/ or https:\/\//],
  ["credentials", origin("https://u:p@a.example.com"), "origins/0/url", /credentials/],
  ["a private address", origin("http://10.0.0.1"), "origins/0/url", /public/],
  ["loopback", origin("http://localhost:8080"), "origins/0/url", /public/],
  ["a metadata address", origin("http://169.254.169.254"), "origins/0/url", /public/],
  [
    "a sunset before the deprecation",
    service({ versions: { v1: { deprecation: "2027-02-01T00:00:00Z", sunset: "2027-01-01T00:00:00Z" } } }),
    "versions/v1/sunset",
    /before the deprecation/,
  ],
  [
    "a time without a zone",
    service({ versions: { v1: { sunset: "2027-01-01T00:00:00" } } }),
    "versions/v1/sunset",
    /datetime/,
  ],
  [
    "a default below the minimum",
    service({ registration: { ttlSeconds: { min: 30, default: 20 } } }),
    "registration/ttlSeconds",
    /min <= default <= max/,
  ],
  [
    "a default above the maximum",
    service({ registration: { ttlSeconds: { max: 10 } } }),
    "registration/ttlSeconds",
    /min <= default <= max/,
  ],
  [
    "a ttl below the bound",
    service({ registration: { ttlSeconds: { min: 1 } } }),
    "registration/ttlSeconds/min",
    />=5/,
  ],
  [
    "an allowed host that is none",
    service({ registration: { allowedHosts: ["https://a.example"] } }),
    "registration/allowedHosts/0",
    /not a host name/,
  ],
  [
    "every host as a wildcard",
    service({ registration: { allowedHosts: ["a.example", "*"] } }),
    "registration/allowedHosts/1",
    /lone/,
  ],
  ["another policy", service({ loadBalancing: { policy: "fastest" } }), "loadBalancing/policy", /"round-robin"/],
];
const services = badServices.map(
  ([what, document, place, detail]): Refused => [what, document, `#/services/s/${place}`, detail],
);

describe.each<readonly [string, readonly Refused[]]>([
  ["targets", targets],
  ["hosts", hosts],
  ["matches", matches],
  ["traffic rules", rules],
  ["edits, times and CORS", edits],
  ["services", services],
])("refused among %s", (_, table) => {
  test.each(table)("%s", (_what, document, pointer, detail) => {
    expect(errorsOf(document)).toEqual({ [pointer]: expect.stringMatching(detail) });
  });
});

describe("accepted", () => {
  test.each<readonly [string, object]>([
    ["a redirect by scheme alone", redirectTo({ scheme: "https" })],
    ["a redirect to an IPv6 address", redirectTo({ hostname: "[2001:db8::1]" })],
    ["an IPv4 host", withRoute({ hosts: ["10.0.0.1"] })],
    ["a host with underscores", withRoute({ hosts: ["my_host.example"] })],
    ["a host of one label", withRoute({ hosts: ["localhost"] })],
    ["stripPrefix within the prefix", withRoute({ ...match({ prefix: "/api/v1" }), rewrite: { stripPrefix: "/api" } })],
    [
      "stripPrefix longer than the prefix",
      withRoute({ ...match({ prefix: "/api" }), rewrite: { stripPrefix: "/api/v1" } }),
    ],
    [
      "stripPrefix that one of two matches allows",
      withRoute({ matches: [{ path: { prefix: "/a" } }, { path: { prefix: "/b" } }], rewrite: { stripPrefix: "/a" } }),
    ],
    [
      "stripPrefix through a parameter",
      withRoute({ ...match({ pattern: "/:tenant/*" }), rewrite: { stripPrefix: "/acme/api/x" } }),
    ],
    ["stripPrefix of a regex", withRoute({ ...match({ regex: "/.*" }), rewrite: { stripPrefix: "/a" } })],
    ["an empty replacement of the prefix", withRoute({ rewrite: { path: { replacePrefixMatch: "" } } })],
    [
      "a parameter of one of two patterns",
      withRoute({
        matches: [{ path: { pattern: "/:id" } }, { path: { prefix: "/x" } }],
        traffic: [{ versionFrom: { param: "id" } }],
      }),
    ],
    ["a version that nobody has", traffic({ version: "v9" })],
    ["no time limit", withRoute({ timeouts: { requestMs: 0 } })],
    ["authorization to set", withRoute({ rewrite: { setHeaders: { authorization: "Bearer x" } } })],
    [
      "addresses and ranges",
      traffic({ when: { ip: ["10.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32", "::ffff:1.2.3.4"] }, version: "v1" }),
    ],
    [
      "a sunset at the deprecation",
      service({ versions: { v1: { deprecation: "2027-01-01T00:00:00Z", sunset: "2027-01-01T01:00:00+01:00" } } }),
    ],
    ["an allowed host with a port", service({ registration: { allowedHosts: ["a.example:8443", "*.b.example"] } })],
  ])("%s", (_, document) => {
    expect(warningsOf(document)).toEqual({});
  });

  test("private origins, only where the deployment allows them", () => {
    const document = origin("http://10.0.0.1:8080/base");
    expect(Object.keys(errorsOf(document, { ALLOW_PRIVATE_ORIGINS: "1" }))).toEqual(["#/services/s/origins/0/url"]);
    const config = configOf(document, { ALLOW_PRIVATE_ORIGINS: "true" });
    expect(config.services.get("s")?.staticOrigins[0]?.url).toBe("http://10.0.0.1:8080/base");
  });
  test("allowed hosts in the form in which they are compared", () => {
    const config = configOf(service({ registration: { allowedHosts: ["A.Example.:8443", "*.B.example"] } }));
    expect(config.services.get("s")?.registration.allowedHosts).toEqual(["a.example", "*.b.example"]);
  });
  test.each([
    ["[2001:DB8:0:0::1]", "http://[2001:db8::1]:8080/"],
    ["API.Example.COM.:443", "https://api.example.com/"],
    ["127.1", "http://127.0.0.1/"],
  ])("the host %s in the spelling that requests have", (host, address) => {
    expect(routeOf(configOf(withRoute({ hosts: [host] })), address)).toBe("users");
  });
});

describe("warned of", () => {
  const repeated = {
    headers: [
      { name: "X-A", exact: "1" },
      { name: "x-a", exact: "2" },
    ],
  };
  test.each<readonly [string, object, string, RegExp]>([
    [
      "a header named twice in a match",
      withRoute({ matches: [repeated] }),
      `${at}/matches/0/headers/1`,
      /does not count/,
    ],
    [
      "a parameter named twice",
      withRoute({
        matches: [
          {
            query: [
              { name: "a", present: true },
              { name: "a", exact: "1" },
            ],
          },
        ],
      }),
      `${at}/matches/0/query/1`,
      /does not count/,
    ],
    [
      "a cookie named twice",
      traffic({
        when: {
          cookies: [
            { name: "a", present: true },
            { name: "a", exact: "1" },
          ],
        },
        version: "v1",
      }),
      `${at}/traffic/0/when/cookies/1`,
      /does not count/,
    ],
    [
      "a rule behind one that always applies",
      traffic({ version: "v1" }, { version: "v2" }),
      `${at}/traffic/1`,
      /rule 0 always/,
    ],
    [
      "a rule behind a split",
      traffic({ split: [{ version: "v1", weight: 1 }] }, { when: { country: ["NO"] }, version: "v2" }),
      `${at}/traffic/1`,
      /rule 0 always/,
    ],
    [
      "a share too small for a bucket",
      traffic({
        split: [
          { version: "v1", weight: 100_000 },
          { version: "v2", weight: 1 },
        ],
      }),
      `${at}/traffic/0/split/1/weight`,
      /nobody/,
    ],
    [
      "a match equal to one before",
      {
        services: { s: {} },
        routes: [
          { name: "a", service: "s" },
          { name: "b", service: "s" },
        ],
      },
      "#/routes/1",
      /#\/routes\/0 has an equal match/,
    ],
    [
      "two equal matches",
      withRoute({ matches: [{ methods: ["GET", "PUT"] }, { methods: ["PUT", "GET"] }] }),
      at,
      /two of its matches/,
    ],
  ])("%s", (_, document, pointer, detail) => {
    expect(warningsOf(document)).toEqual({ [pointer]: expect.stringMatching(detail) });
  });
  test("every rule behind the first that always applies, by its index", () => {
    expect(warningsOf(traffic({ version: "v1" }, { version: "v2" }, { version: "v3" }))).toEqual({
      [`${at}/traffic/1`]: expect.stringMatching(/rule 0 always/),
      [`${at}/traffic/2`]: expect.stringMatching(/rule 0 always/),
    });
  });
  test("of a header named twice the first counts", () => {
    const config = configOf(withRoute({ matches: [repeated] }));
    expect(routeOf(config, "/", { headers: { "x-a": "1" } })).toBe("users");
    expect(routeOf(config, "/", { headers: { "x-a": "2" } })).toBeNull();
  });
  test.each<readonly [string, object]>([
    ["a rule behind one that may pass on", traffic({ version: "v1", onEmpty: "next" }, { version: "v2" })],
    ["a rule behind a condition", traffic({ when: { country: ["NO"] }, version: "v1" }, { version: "v2" })],
    [
      "a weight of 0",
      traffic({
        split: [
          { version: "v1", weight: 1 },
          { version: "v2", weight: 0 },
        ],
      }),
    ],
    [
      "equal matches on different hosts",
      {
        services: { s: {} },
        routes: [
          { name: "a", service: "s", hosts: ["a.example"] },
          { name: "b", service: "s" },
        ],
      },
    ],
  ])("but not %s", (_, document) => {
    expect(warningsOf(document)).toEqual({});
  });
});

/** Time of the fastest of a few runs: what else the machine does only adds to it. */
function leastMs(run: () => void): number {
  const times = [1, 2, 3].map(() => {
    const startMs = performance.now();
    run();
    return performance.now() - startMs;
  });
  return Math.min(...times);
}

describe("regular expressions take linear time", () => {
  test.each(["(a+)+$", "(a|a)*b", "(.*a){20}", ".*.*.*=.*", "(a?){100}a{100}"])("%s", (regex) => {
    const config = configOf(withRoute({ matches: [{ headers: [{ name: "x", regex }] }] }));
    const time = (length: number) =>
      leastMs(() => expect(routeOf(config, "/", { headers: { x: `${"a".repeat(length)}!` } })).toBeNull());
    // Ten times as long: a hundred times the work if that were squared, and no end to it if it were more.
    expect(time(50_000) / time(5_000)).toBeLessThan(50);
  });
});

describe("entries of the route table are bounded", () => {
  const hostsOf = (count: number) => Array.from({ length: count }, (_, index) => `h${index}.example`);
  const matchesOf = (count: number) => Array.from({ length: count }, (_, index) => ({ path: { exact: `/${index}` } }));
  const route = (index: number, matches: number) => ({
    name: `r${index}`,
    service: "s",
    hosts: hostsOf(50),
    matches: matchesOf(matches),
  });
  const document = (...last: object[]) => ({
    services: { s: {} },
    routes: [...Array.from({ length: 19 }, (_, index) => route(index, 50)), ...last],
  });
  test("one too many is refused", () => {
    const many = document(route(19, 50), { name: "one", service: "s" });
    expect(errorsOf(many)).toEqual({
      "#/routes": `${bounds.routeEntriesMax + 1} entries (hosts x matches), at most ${bounds.routeEntriesMax}`,
    });
  });
  test("many too many are refused without making them", () => {
    const routes = Array.from({ length: 3_000 }, (_, index) => route(index, 64));
    const refused = leastMs(() => expect(Object.keys(errorsOf({ services: { s: {} }, routes }))).toEqual(["#/routes"]));
    const made = leastMs(() => configOf(document(route(19, 50))));
    // They would be 192 times as many.
    expect(refused / made).toBeLessThan(20);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../src/bounds.ts";
import { matchRoute } from "../../../src/core/routing/table.ts";
import { compileDocument } from "../../../src/snapshot/compile.ts";
import { contractExample } from "./contract-example.ts";
import {
  compile,
  configOf,
  errorsOf,
  factsOf,
  routeOf,
  snapshotOf,
  variable,
  warningsOf,
  withRoute,
} from "./support.ts";

describe("the contract's example", () => {
  test("compiles, and is warned of the hash that its policy does not use", () => {
    expect(warningsOf(contractExample)).toEqual({
      "#/services/users/loadBalancing/hashOn": "has no effect: it is for consistent-hash only",
    });
    const config = configOf(contractExample);
    expect(routeOf(config, "http://api.example.com/api/users/7?beta", { headers: { "x-tenant": "acme" } })).toBe(
      "users",
    );
    expect(routeOf(config, "http://elsewhere.example/old")).toBe("old");
  });
  test("needs the service that its mirror names", () => {
    const { users } = contractExample.services;
    expect(errorsOf({ ...contractExample, services: { users } })).toEqual({
      "#/routes/0/mirror/1/service": "no service has this name",
    });
  });
});

describe("the smallest documents", () => {
  test.each([["{}"], ['{"routes":[]}'], ['{"services":{},"rateLimits":{},"gateway":{}}'], [' \n{ "$schema": "x" }']])(
    "%s compiles and matches nothing",
    (text) => {
      const config = configOf(text);
      expect(routeOf(config, "http://any.example/any")).toBeNull();
      expect(config.gateway).toEqual({
        trustedProxyHops: 0,
        debugHeaders: false,
        echoRequestId: false,
        allowFaults: false,
        maxBodyBytes: bounds.bodyBytesDefault,
      });
      expect(config.services.size).toBe(0);
    },
  );
  test.each([
    ["", /not JSON/],
    ["{", /not JSON/],
    ["{'a':1}", /not JSON/],
    ["[]", /expected object, received array/],
    ["null", /expected object, received null/],
    ["3", /expected object, received number/],
    ['"{}"', /expected object, received string/],
  ])("%j is refused as a whole", (text, detail) => {
    expect(errorsOf(text)).toEqual({ "#": expect.stringMatching(detail) });
  });
});

describe("unknown keys are errors, each at its place", () => {
  test.each([
    [{ service: {} }, "#/service"],
    [{ gateway: { debug: true } }, "#/gateway/debug"],
    [{ services: { a: { url: "x" } } }, "#/services/a/url"],
    [
      { services: { a: { origins: [{ id: "a", url: "https://a.example.com", port: 1 }] } } },
      "#/services/a/origins/0/port",
    ],
    [
      { services: { a: { registration: { ttlSeconds: { maximum: 1 } } } } },
      "#/services/a/registration/ttlSeconds/maximum",
    ],
    [{ services: { a: { versions: { v1: { since: "x" } } } } }, "#/services/a/versions/v1/since"],
    [{ services: { a: { circuitBreaker: { window: 1 } } } }, "#/services/a/circuitBreaker/window"],
    [{ services: { a: { healthCheck: { status: 200 } } } }, "#/services/a/healthCheck/status"],
    [{ services: { a: { outlierDetection: { percent: 1 } } } }, "#/services/a/outlierDetection/percent"],
    [{ services: { a: { adaptiveConcurrency: { max: 1 } } } }, "#/services/a/adaptiveConcurrency/max"],
    [{ services: { a: { clientThrottling: { k: 2 } } } }, "#/services/a/clientThrottling/k"],
    [{ services: { a: { loadBalancing: { zones: { eu: "eu" } } } } }, "#/services/a/loadBalancing/zones/eu"],
    [{ rateLimits: { a: { window: [] } } }, "#/rateLimits/a/window"],
    [withRoute({ host: "a" }), "#/routes/0/host"],
    [withRoute({ matches: [{ path: { prefix: "/", suffix: "x" } }] }), "#/routes/0/matches/0/path/suffix"],
    [
      withRoute({ matches: [{ headers: [{ name: "a", equals: "b", exact: "b" }] }] }),
      "#/routes/0/matches/0/headers/0/equals",
    ],
    [
      withRoute({ matches: [{ query: [{ name: "a", prefix: "b", present: true }] }] }),
      "#/routes/0/matches/0/query/0/prefix",
    ],
    [withRoute({ traffic: [{ version: "v1", weight: 1 }] }), "#/routes/0/traffic/0/weight"],
    [withRoute({ traffic: [{ versionFrom: { header: "a", body: "b" } }] }), "#/routes/0/traffic/0/versionFrom/body"],
    [withRoute({ traffic: [{ when: { header: [] }, version: "v1" }] }), "#/routes/0/traffic/0/when/header"],
    [
      withRoute({ traffic: [{ split: [{ version: "v1", weight: 1, percent: 1 }] }] }),
      "#/routes/0/traffic/0/split/0/percent",
    ],
    [withRoute({ rewrite: { host: "x" } }), "#/routes/0/rewrite/host"],
    [withRoute({ response: { status: 1 } }), "#/routes/0/response/status"],
    [withRoute({ cors: { origins: [] } }), "#/routes/0/cors/origins"],
    [withRoute({ timeouts: { connectMs: 1 } }), "#/routes/0/timeouts/connectMs"],
    [withRoute({ retries: { count: 1 } }), "#/routes/0/retries/count"],
    [withRoute({ hedging: { delayMs: 1 } }), "#/routes/0/hedging/delayMs"],
    [withRoute({ mirror: [{ version: "v2", share: 1 }] }), "#/routes/0/mirror/0/share"],
    [withRoute({ fallback: { status: 200, text: "a" } }), "#/routes/0/fallback/text"],
    [withRoute({ faults: [{ delayMs: 1, status: 500 }] }), "#/routes/0/faults/0/status"],
    [withRoute({ "a/b~c": 1 }), "#/routes/0/a~1b~0c"],
  ])("%j", (document, pointer) => {
    expect(errorsOf(document)[pointer]).toBe("unknown key");
  });
});

describe("everything that is wrong is listed at once", () => {
  test("in the shape", () => {
    const document = {
      gateway: { trustedProxyHops: -1 },
      services: { "no name": {}, a: { origins: [{ url: 3, weight: -1 }] } },
      routes: [{ service: "a" }, { name: "x", hosts: [], matches: [{ methods: ["get"] }] }],
      extra: 1,
    };
    expect(errorsOf(document)).toEqual({
      "#/gateway/trustedProxyHops": expect.stringContaining(">=0"),
      "#/services/no name": expect.stringContaining("must begin with a letter or digit"),
      "#/services/a/origins/0/id": "missing: expected string",
      "#/services/a/origins/0/url": expect.stringContaining("expected string, received number"),
      "#/services/a/origins/0/weight": expect.stringContaining(">=0"),
      "#/routes/0/name": "missing: expected string",
      "#/routes/1/hosts": expect.stringContaining(">=1"),
      "#/routes/1/matches/0/methods/0": "must be an HTTP method in upper case",
      "#/extra": "unknown key",
    });
  });
  test("in the form of rule that was meant, however much is wrong inside it", () => {
    const split = [
      { version: "?", weight: -1 },
      { version: "v2", weight: "x", share: 1 },
    ];
    const errors = errorsOf(withRoute({ traffic: [{ split, stickyBy: "ip" }] }));
    expect(Object.keys(errors).sort()).toEqual([
      "#/routes/0/traffic/0/split/0/version",
      "#/routes/0/traffic/0/split/0/weight",
      "#/routes/0/traffic/0/split/1/share",
      "#/routes/0/traffic/0/split/1/weight",
      "#/routes/0/traffic/0/stickyBy",
    ]);
  });
  test("in the meaning", () => {
    const document = {
      services: {
        a: {
          origins: [
            { id: "x", url: "ftp://a.example.com" },
            { id: "x", url: "https://b.example.com" },
          ],
        },
      },
      routes: [
        { name: "r", service: "b", hosts: ["*"] },
        { name: "r", matches: [{ path: { regex: "(" } }], redirect: { hostname: "a b" } },
        { name: "s" },
      ],
    };
    expect(Object.keys(errorsOf(document)).sort()).toEqual([
      "#/routes/0/hosts/0",
      "#/routes/0/service",
      "#/routes/1/matches/0/path/regex",
      "#/routes/1/name",
      "#/routes/1/redirect/hostname",
      "#/routes/2",
      "#/services/a/origins/0/url",
      "#/services/a/origins/1/id",
    ]);
  });
  test("up to a bound, and the others are counted", () => {
    const result = compile({ routes: Array.from({ length: 250 }, () => ({})) });
    expect(result.ok ? [] : result.issues).toHaveLength(bounds.issuesMax);
    expect(result.ok ? 0 : result.total).toBe(250);
  });
});

describe("hostile text is refused or works, and never crashes", () => {
  const deep = (depth: number) => `{"routes":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  test.each([
    ["a name twice", '{"services":{"a":{},"a":{}}}', "#/services/a", /twice/],
    ["a name twice, escaped", '{"services":{"a":{},"\\u0061":{}}}', "#/services/a", /twice/],
    ["__proto__", '{"services":{"__proto__":{"origins":[]}}}', "#/services/__proto__", /__proto__/],
    ["a number beyond a double", '{"gateway":{"maxBodyBytes":1e999}}', "#/gateway/maxBodyBytes", /too large/],
    [
      "an integer that would be another one",
      '{"routes":[{"fallback":{"body":9007199254740993}}]}',
      "#/routes/0/fallback/body",
      /another one: 9007199254740992/,
    ],
    ["half a surrogate pair", '{"routes":[{"name":"\\ud800"}]}', "#/routes/0/name", /surrogate/],
    ["nesting", deep(40), `#/routes${"/0".repeat(bounds.jsonDepthMax - 1)}`, /nested more than/],
  ])("%s", (_, text, pointer, detail) => {
    expect(errorsOf(text)[pointer]).toMatch(detail);
  });
  test("a document in force was looked through when it was written", () => {
    const text = '{"services":{"a":{},"a":{}}}';
    expect(compileDocument(text, {}).ok).toBe(false);
    expect(compileDocument(text, {}, 1).ok).toBe(true);
  });
  test("nesting that would exhaust the stack", () => {
    expect(compile(deep(200_000)).ok).toBe(false);
  });
  test("long lists", () => {
    expect(errorsOf({ routes: Array.from({ length: 200_000 }, () => 0) })).toEqual({
      "#/routes": expect.stringContaining(`<=${bounds.routesMax}`),
    });
    expect(
      errorsOf({
        services: Object.fromEntries(Array.from({ length: bounds.servicesMax + 1 }, (_, i) => [`s${i}`, {}])),
      }),
    ).toEqual({ "#/services": `at most ${bounds.servicesMax} entries` });
  });
  test.each(["constructor", "toString", "hasOwnProperty", "valueOf", "prototype", "isPrototypeOf"])(
    "the name %s means nothing special",
    (name) => {
      expect(errorsOf({ routes: [{ name, service: name }] })).toEqual({
        "#/routes/0/service": "no service has this name",
      });
      const document = {
        services: {
          [name]: { origins: [{ id: name, url: "https://a.example.com", version: name }], versions: { [name]: {} } },
        },
        routes: [{ name, service: name, traffic: [{ version: name }] }],
      };
      const snapshot = snapshotOf(document);
      expect(routeOf(snapshot.config, "/")).toBe(name);
      expect(
        snapshot.services
          .get(name)
          ?.usableByVersion.get(name)
          ?.map(({ id }) => id),
      ).toEqual([name]);
    },
  );
  test("a name of the prototype is no variable", () => {
    expect(errorsOf(withRoute({ rewrite: { setHeaders: { a: variable("toString") } } }))).toEqual({
      "#/routes/0/rewrite/setHeaders/a": expect.stringMatching(/not a variable or secret/),
    });
  });
});

type Container = Record<string, unknown>;

/** Every place of a value, as member names and indexes. */
function placesOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, item]) => placesOf(item, [...path, key]))];
}

/** Does the pointer name a place of the document, or a member that an object there lacks? */
function names(document: unknown, pointer: string): boolean {
  const steps = pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  let value: unknown = document;
  for (const [index, step] of steps.entries()) {
    if (typeof value !== "object" || value === null) return false;
    if (!Object.hasOwn(value, step)) return index === steps.length - 1 && !Array.isArray(value);
    value = (value as Container)[step];
  }
  return true;
}

const oddValues = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(
    "",
    "*",
    variable("X"),
    variable("ADMIN_TOKEN"),
    "/",
    "/:a/:a",
    "/*/a",
    "(",
    "constructor",
    "__proto__",
    -1,
    0,
    1e21,
    {},
    [],
    null,
    "\u0000",
  ),
);
const mutations = fc.array(
  fc.record({
    place: fc.nat(),
    kind: fc.constantFrom("replace", "remove", "add"),
    key: fc.oneof(fc.string(), fc.constantFrom("service", "redirect", "versionFrom", "exact", "constructor")),
    value: oddValues,
  }),
  { minLength: 1, maxLength: 4 },
);

function mutated(changes: typeof mutations extends fc.Arbitrary<infer T> ? T : never): unknown {
  const root: Container = { document: structuredClone(contractExample) };
  for (const { place, kind, key, value } of changes) {
    const places = placesOf(root).slice(1);
    const path = places[place % places.length]!;
    const last = path.at(-1)!;
    const parent = path.slice(0, -1).reduce((at, step) => at[step] as Container, root);
    const target = parent[last];
    if (kind === "replace" || path.length === 1) parent[last] = value;
    else if (kind === "add" && typeof target === "object" && target !== null) {
      if (Array.isArray(target)) target.push(value);
      else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
    } else if (Array.isArray(parent)) parent.splice(Number(last), 1);
    else delete parent[last];
  }
  return root.document;
}

function holdsFor(document: unknown): void {
  const text = JSON.stringify(document);
  const result = compile(text, { X: "x" });
  if (result.ok) matchRoute(result.config.table, factsOf("http://api.example.com/api/users?beta"));
  else {
    expect(result.issues).not.toEqual([]);
    for (const { pointer, detail } of result.issues) {
      expect(detail).not.toBe("");
      expect(names(JSON.parse(text), pointer), `${pointer} in ${text}`).toBe(true);
    }
  }
}

describe("whatever is written", () => {
  test("any JSON is accepted, or refused at places that are there", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.dictionary(fc.constantFrom("services", "routes", "gateway", "rateLimits", "x"), fc.jsonValue()),
        ),
        holdsFor,
      ),
      { numRuns: 300 },
    );
  });
  test("so is every damaged document", () => {
    fc.assert(fc.property(mutations.map(mutated), holdsFor), { numRuns: 1_500 });
  });
  test("any text at all is answered", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0d1e9 \n/'.split("")), maxLength: 60 }), (text) => {
        expect(typeof compile(text).ok).toBe("boolean");
      }),
      { numRuns: 300 },
    );
  });
});

test("errors of meaning are listed beside those of shape, wherever they are", () => {
  const errors = errorsOf({
    gateway: { debug: true },
    services: { bad: { origins: 1 }, good: { origins: [{ id: "a", url: "ftp://a.example.com" }] } },
    rateLimits: { bad: { windows: 1 }, good: {} },
    routes: [
      { name: "a", service: "good", matches: [{ methods: ["get"] }] },
      { name: "b", service: "none", rateLimits: ["bad", "missing"] },
      { name: "b", service: "bad", hosts: ["*"] },
      { name: "c" },
      { name: "a", service: "good" },
    ],
  });
  expect(Object.keys(errors).sort()).toEqual([
    "#/gateway/debug",
    "#/rateLimits/bad/windows",
    "#/rateLimits/good/windows",
    "#/routes/0/matches/0/methods/0",
    "#/routes/1/rateLimits/1",
    "#/routes/1/service",
    "#/routes/2/hosts/0",
    "#/routes/2/name",
    "#/routes/3",
    "#/routes/4/name",
    "#/services/bad/origins",
    "#/services/good/origins/0/url",
  ]);
});

test("whether faults may be written is not asked of a gateway that has another mistake", () => {
  const faults = [{ delayMs: 1 }];
  const errors = errorsOf({ gateway: { debug: true }, routes: [{ name: "a", redirect: { port: 1 }, faults }] });
  expect(Object.keys(errors)).toEqual(["#/gateway/debug"]);
});

test("a part that others refer to has to be mended before those are judged", () => {
  const errors = errorsOf({ services: [], routes: [{ name: "a", service: "users" }] });
  expect(Object.keys(errors)).toEqual(["#/services"]);
});

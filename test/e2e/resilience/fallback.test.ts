/** Who answers instead when the gateway would have to with a failure of its own, and when nobody may. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Connection, type HeaderLines, open, type Received, type Sent } from "../../support/client.ts";
import { decisionOf } from "../../support/decision.ts";
import type { Behaviour, FarmOrigin } from "../../support/farm.ts";
import { useFarm } from "../../support/farm-suite.ts";
import { chunk, headerOf, Truncated, valuesOf } from "../../support/wire.ts";
import { force } from "./story.ts";
import { until } from "./traffic.ts";

const limitMs = 500;
const bodyMax = 64 * 1024;
const maxBodyBytes = 1024 * 1024;
const page = "https://app.example.com";

interface Failure {
  readonly code: string;
  readonly status: number;
  readonly service: string;
  readonly timeouts?: object;
  /** Of the origin that is asked; left out: none is. */
  readonly behaviour?: Behaviour;
}

/** Every failure of the gateway that a fallback answers for, by the last segment of the route's path. */
const failures: Record<string, Failure> = {
  shut: { code: "circuit_open", status: 503, service: "shut" },
  empty: { code: "no_origin", status: 503, service: "empty" },
  full: { code: "overloaded", status: 503, service: "full" },
  refused: { code: "upstream_unreachable", status: 502, service: "gone" },
  closed: { code: "upstream_unreachable", status: 502, service: "app", behaviour: { fails: "closes" } },
  invalid: { code: "upstream_invalid_response", status: 502, service: "app", behaviour: { status: 700 } },
  attempt: {
    ...{ code: "upstream_timeout", status: 504, service: "app" },
    ...{ timeouts: { attemptMs: limitMs }, behaviour: { fails: "hangs" } },
  },
  request: {
    ...{ code: "request_timeout", status: 504, service: "app" },
    ...{ timeouts: { requestMs: limitMs }, behaviour: { fails: "hangs" } },
  },
};
const names = Object.keys(failures);
const asked = names.filter((name) => failures[name]?.behaviour);

const stored = {
  status: 203,
  headers: { "x-stored": "yes", "cache-control": "max-age=5" },
  body: { users: [], note: "wörds" },
};

/** By the first segment of the path. `old` has a deprecated version. */
const fallbacks: Record<string, object | undefined> = {
  none: undefined,
  static: stored,
  bare: { status: 204 },
  typed: { headers: { "content-type": "text/plain" }, body: "text" },
  backup: { service: "backup" },
  old: { service: "old" },
  dead: { service: "dead" },
  vacant: { service: "vacant" },
};

const cors = { allowOrigins: [page], exposeHeaders: ["sluice-fallback"] };
const nextTo = (name: string) => ({ service: "app", matches: [{ path: { prefix: `/${name}` } }] });

/** `o0` is what fails, `o1` the backup, `o2` is held by one request and may have no second. */
const suite = useFarm(3, ([app = "", backup, full]) => ({
  gateway: { debugHeaders: true, maxBodyBytes },
  services: {
    app: { origins: [{ id: "o0", url: app }] },
    shut: { origins: [{ id: "o0", url: app }] },
    empty: {},
    vacant: {},
    full: { origins: [{ id: "o2", url: full }], maxConcurrentRequests: 1 },
    gone: { origins: [{ id: "gone", url: "http://127.0.0.1:1" }] },
    dead: { origins: [{ id: "dead", url: "http://127.0.0.1:1" }] },
    backup: { origins: [{ id: "o1", url: backup }] },
    old: {
      origins: [{ id: "o1", url: backup, version: "v1" }],
      defaultVersion: "v1",
      versions: { v1: { deprecation: "2027-01-01T00:00:00Z" } },
    },
  },
  rateLimits: { one: { algorithm: "fixed-window", windows: [{ limit: 1, per: "month" }], key: ["global"] } },
  routes: [
    ...Object.entries(fallbacks).flatMap(([kind, fallback]) =>
      Object.entries(failures).map(([name, { service, timeouts }]) => ({
        name: `${kind}-${name}`,
        matches: [{ path: { prefix: `/${kind}/${name}` } }],
        rewrite: { stripPrefix: `/${kind}`, setHeaders: { "x-route": name } },
        response: { setHeaders: { "x-edited": "yes" } },
        ...{ service, cors },
        ...(timeouts && { timeouts }),
        ...(fallback && { fallback }),
      })),
    ),
    { name: "hold", service: "full", matches: [{ path: { prefix: "/hold" } }], timeouts: { requestMs: 0 } },
    { ...nextTo("retried"), name: "retried", retries: { attempts: 2, backoffMs: 1 }, fallback: { service: "backup" } },
    { ...nextTo("limited"), name: "limited", rateLimits: ["one"], fallback: stored },
    { ...nextTo("versions"), name: "versions", traffic: [{ versionFrom: { header: "x-version" } }], fallback: stored },
    { ...nextTo("idle"), name: "idle", timeouts: { idleMs: limitMs }, fallback: stored },
  ],
}));

const origin = (index: number): FarmOrigin => suite.farm.origins[index]!;
let holder: Connection;

beforeAll(async () => {
  await force(suite.gateway, "shut", "forced-open");
  await until(async () => (await suite.ask({ target: "/none/shut" })).status === 503, "shut is refused");
  origin(2).behave({ fails: "hangs" });
  holder = await open(suite.gateway.url);
  await holder.send({ target: "/hold" });
  await until(() => origin(2).asked.length > 0, "the only place is taken");
});

afterAll(() => holder?.close());

/** A request that fails as `name` says, on a route with that fallback. */
function fail(kind: string, name: string, sent: Sent = {}): Promise<Received> {
  origin(0).behave(failures[name]?.behaviour ?? {});
  return suite.ask({ ...sent, target: `/${kind}/${name}${sent.target ?? ""}` });
}

/** The status, and what the answer says of where it comes from. */
const marks = (received: Pick<Received, "status" | "headers">) => [
  received.status,
  headerOf(received, "sluice-error"),
  headerOf(received, "sluice-fallback"),
  decisionOf(received).fallback,
];

const counts = () => [0, 1].map((index) => origin(index).asked.length);

describe.each(names)("the failure %s", (name) => {
  const { code, status, behaviour } = failures[name]!;

  it(`is ${code} without a fallback`, async () => {
    const received = await fail("none", name);
    expect(marks(received)).toEqual([status, code, null, undefined]);
    expect(JSON.parse(received.body.toString())).toMatchObject({ code, status });
  });

  it("is answered with what the document has in store", async () => {
    const received = await fail("static", name, { headers: [["Origin", page]] });
    expect(marks(received)).toEqual([stored.status, code, "?1", "static"]);
    expect(JSON.parse(received.body.toString())).toEqual(stored.body);
    const expected = { ...stored.headers, "content-type": "application/json", "x-edited": "yes" };
    for (const [header, value] of Object.entries(expected)) expect(headerOf(received, header)).toBe(value);
    expect(headerOf(received, "access-control-allow-origin")).toBe(page);
    expect(headerOf(received, "access-control-expose-headers")).toBe("sluice-fallback");
    expect(decisionOf(received)).toMatchObject({ route: `static-${name}`, service: failures[name]?.service });
  });

  it("is answered by another service, which gets the request as the first would have", async () => {
    const headers = [
      ["X-Tenant", "acme"],
      ["Origin", page],
      ["X-Request-Id", "same"],
    ] as const;
    const own = { "sluice-error": "forged", "access-control-allow-origin": "*", "x-own": "1" };
    origin(1).behave({ status: 201, headers: own, body: "instead" });
    const received = await fail("backup", name, { method: "PUT", target: "/x?y=1", headers, body: "text" });
    expect(marks(received)).toEqual([201, code, "?1", "backup"]);
    expect([received.body.toString(), headerOf(received, "x-own")]).toEqual(["instead", "1"]);
    expect(valuesOf(received, "access-control-allow-origin")).toEqual([page]);
    expect(decisionOf(received)).toMatchObject({ service: failures[name]?.service, origin: "o1" });
    expect(counts()).toEqual([behaviour ? 1 : 0, 1]);
    const [instead] = origin(1).asked;
    expect([instead?.method, instead?.target, instead?.body.toString()]).toEqual(["PUT", `/${name}/x?y=1`, "text"]);
    expect(instead?.headers).toMatchObject({ "x-tenant": "acme", "x-route": name, "x-request-id": "same" });
    const [first] = origin(0).asked;
    if (!first) return;
    const { host: _, ...rest } = first.headers;
    expect([first.method, first.target, first.body.toString()]).toEqual(["PUT", `/${name}/x?y=1`, "text"]);
    expect(instead?.headers).toMatchObject(rest);
  });

  it("is the first failure's when the other service has no answer either", async () => {
    origin(1).behave({ fails: "closes" });
    const isWaitedFor = code === "circuit_open" || code === "overloaded";
    for (const received of await Promise.all(["dead", "vacant", "backup"].map((kind) => fail(kind, name)))) {
      expect(marks(received)).toEqual([status, code, null, undefined]);
      expect(headerOf(received, "retry-after") !== null).toBe(isWaitedFor);
    }
    expect(counts()[1]).toBeGreaterThan(0);
  });
});

describe("a stored answer", () => {
  it("may have no body, or another type", async () => {
    const bare = await fail("bare", "empty");
    expect(marks(bare)).toEqual([204, "no_origin", "?1", "static"]);
    expect([bare.body.length, headerOf(bare, "content-type")]).toEqual([0, null]);
    const typed = await fail("typed", "empty");
    expect([typed.status, typed.body.toString(), headerOf(typed, "content-type")]).toEqual([
      200,
      '"text"',
      "text/plain",
    ]);
  });

  it("has no body for HEAD, and is given whatever the method and the size of the body", async () => {
    const head = await fail("static", "closed", { method: "HEAD" });
    expect([...marks(head), head.body.length]).toEqual([203, "upstream_unreachable", "?1", "static", 0]);
    for (const body of ["x".repeat(bodyMax + 1), ["x".repeat(bodyMax), "x"]]) {
      const posted = await fail("static", "closed", { method: "POST", body });
      expect(marks(posted)).toEqual([203, "upstream_unreachable", "?1", "static"]);
    }
  });
});

describe("another service", () => {
  const sizes = (index: number) => origin(index).asked.map(({ body }) => body.length);
  const framed = (size: number) => {
    const bytes = Buffer.alloc(size, "x");
    return [bytes, [bytes.subarray(0, 1_000), bytes.subarray(1_000)]] as const;
  };

  const sendEach = async (method: string, name: string, size: number) =>
    (await Promise.all(framed(size).map((body) => fail("backup", name, { method, body })))).map(marks);

  it.each(asked)("gets a PUT whose body was sent already, up to 64 KiB: %s", async (name) => {
    const { code, status } = failures[name]!;
    const answered = [200, code, "?1", "backup"];
    expect(await sendEach("PUT", name, bodyMax)).toEqual([answered, answered]);
    expect([sizes(0), sizes(1)]).toEqual([0, 1].map(() => [bodyMax, bodyMax]));
    const failed = [status, code, null, undefined];
    expect(await sendEach("PUT", name, bodyMax + 1)).toEqual([failed, failed]);
    expect(counts()).toEqual([4, 2]);
  });

  it.each(asked)(
    "gets no POST or PATCH that an origin may have acted on, unless it has an idempotency key: %s",
    async (name) => {
      const { code, status } = failures[name]!;
      const headers = [["Idempotency-Key", '"8e03978e"']] as const;
      for (const method of ["POST", "PATCH"]) {
        for (const body of [undefined, "abc"]) {
          const sent = { method, ...(body && { body }) };
          expect(marks(await fail("backup", name, sent))).toEqual([status, code, null, undefined]);
          expect(marks(await fail("backup", name, { ...sent, headers }))).toEqual([200, code, "?1", "backup"]);
        }
      }
      expect(counts()).toEqual([8, 4]);
    },
  );

  it.each(["shut", "empty", "full"])("gets a body of any size that nobody got before: %s", async (name) => {
    const answered = [200, failures[name]?.code, "?1", "backup"];
    expect(await sendEach("POST", name, bodyMax * 4)).toEqual([answered, answered]);
    expect(sizes(1)).toEqual([bodyMax * 4, bodyMax * 4]);
  });

  it.each<[string, HeaderLines, (text: string) => Uint8Array | string]>([
    ["with its length", [["Content-Length", "9"]], (text) => text],
    ["chunked", [["Transfer-Encoding", "chunked"]], (text) => chunk(text)],
  ])("gets a body that was still coming when the first went away: %s", async (how, headers, framedAs) => {
    const client = await open(suite.gateway.url);
    await client.send({ method: "PUT", target: "/backup/closed", headers });
    await client.wire.write(framedAs("abc"));
    await until(() => origin(0).asked[0]?.body.length === 3, "the first piece is there");
    await origin(0).kill();
    await client.wire.write(framedAs("defghi"));
    if (how === "chunked") await client.wire.write(chunk());
    expect(marks(await client.receive("PUT"))).toEqual([200, "upstream_unreachable", "?1", "backup"]);
    client.close();
    expect(origin(1).asked.map(({ body }) => body.toString())).toEqual(["abcdefghi"]);
  });

  it("answers for itself, with a failure too", async () => {
    for (const status of [404, 500, 503]) {
      origin(1).behave({ status, body: "its own" });
      const received = await fail("backup", "empty");
      expect([...marks(received), received.body.toString()]).toEqual([status, "no_origin", "?1", "backup", "its own"]);
    }
  });

  it("is asked when the retries are over, once", async () => {
    origin(0).behave({ fails: "closes" });
    const received = await suite.ask({ target: "/retried" });
    expect(marks(received)).toEqual([200, "upstream_unreachable", "?1", "backup"]);
    expect(counts()).toEqual([3, 1]);
  });

  it("has the whole time for the request", async () => {
    origin(1).behave({ delayMs: limitMs / 4 });
    const startMs = performance.now();
    expect(marks(await fail("backup", "request"))).toEqual([200, "request_timeout", "?1", "backup"]);
    const ratio = (performance.now() - startMs) / limitMs;
    console.info(`a fallback that takes a quarter of requestMs, after the whole of it: ${ratio.toFixed(2)} of it`);
    expect(ratio).toBeGreaterThan(1.2);
  });

  it("tells of its own version that it goes", async () => {
    const received = await fail("old", "empty");
    expect(marks(received)).toEqual([200, "no_origin", "?1", "old"]);
    expect(headerOf(received, "deprecation")).toBe("@1798761600");
  });
});

describe("no fallback answers", () => {
  it("for what an origin answered, whatever it was, nor after retries of it", async () => {
    for (const status of [400, 429, 500, 502, 503, 504, 599]) {
      const answer = { status, body: "its own", headers: { "sluice-fallback": "?1" } };
      for (const target of ["/static/closed", "/backup/closed", "/retried"]) {
        origin(0).behave(answer);
        const received = await suite.ask({ target });
        expect([target, ...marks(received), received.body.toString()]).toEqual([
          ...[target, status, null, null, undefined],
          "its own",
        ]);
      }
    }
    expect(counts()[1]).toBe(0);
  });

  it.each(["static", "backup"])("after the headers of an answer, which is cut off instead: %s", async (kind) => {
    origin(0).behave({ bodyDelayMs: 60_000, body: "x".repeat(1_000) });
    const client = await open(suite.gateway.url);
    await client.send({ target: `/${kind}/closed` });
    const head = await client.head();
    await origin(0).kill();
    await expect(client.wire.exactly(1_000)).rejects.toThrow(Truncated);
    client.close();
    expect(marks(head)).toEqual([200, null, null, undefined]);
    expect(counts()).toEqual([1, 0]);
  });

  it("for what the client has done: too large, too slow, too much, a version that nobody has", async () => {
    const refused = async (target: string, sent: Sent) => marks(await suite.ask({ ...sent, target }));
    const mark = (status: number, code: string) => [status, code, null, undefined];
    const pieces = Array.from({ length: 17 }, () => Buffer.alloc(bodyMax, "x"));
    for (const body of [Buffer.concat(pieces), pieces]) {
      expect(await refused("/static/closed", { method: "POST", body })).toEqual(mark(413, "payload_too_large"));
    }
    expect(await refused("/versions", { headers: [["X-Version", "v9"]] })).toEqual(mark(400, "version_unknown"));
    expect((await suite.ask({ target: "/limited" })).status).toBe(200);
    expect(await refused("/limited", {})).toEqual(mark(429, "rate_limited"));
    const client = await open(suite.gateway.url);
    await client.send({ method: "POST", target: "/idle", headers: [["Transfer-Encoding", "chunked"]] });
    await client.wire.write(chunk("abc"));
    expect(marks(await client.receive("POST"))).toEqual(mark(408, "upload_idle"));
    client.close();
  });
});

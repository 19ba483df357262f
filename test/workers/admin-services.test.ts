import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { bounds } from "../../src/bounds.ts";
import { apply, type Call, call, callWith, errorsOf, problemOf } from "./admin-support.ts";

interface Registered {
  readonly service: string;
  readonly origin: string;
  readonly leaseId: string;
  readonly ttlSeconds: number;
  readonly heartbeatSeconds: number;
  readonly revision: number;
  readonly expiresAt: string;
}
interface Listed {
  readonly service: string;
  readonly revision: number;
  readonly frozen: boolean;
  readonly origins: readonly (Record<string, unknown> & { readonly id: string })[];
}

const document = {
  services: {
    users: {
      origins: [{ id: "fixed", url: "https://fixed.example.com", version: "v0", zone: "eu" }],
      registration: { ttlSeconds: { min: 10, default: 20, max: 60 } },
    },
    orders: {},
    picky: { registration: { allowedHosts: ["*.internal.example.com", "one.example.com"] } },
  },
};

let count = 0;
/** An id that no test has used. */
let id = "";
beforeAll(() => apply(document));
beforeEach(() => {
  id = `o${count++}`;
});

const asRegistrar = (options: Call): Call => ({ role: "registrar", ...options });
const put = (origin: string, body: unknown, options: Call = {}, service = "users") =>
  call("PUT", `/v1/services/${service}/origins/${origin}`, asRegistrar({ ...options, body }));
const registration = (rest: object = {}) => ({ url: `https://${id}.example.com`, ...rest });
async function registered(origin = id, rest: object = {}, service = "users"): Promise<Registered> {
  const response = await put(origin, registration(rest), {}, service);
  if (response.status >= 300) throw new Error(await response.text());
  return response.json<Registered>();
}
const listOf = async (service = "users") =>
  (await call("GET", `/v1/services/${service}`, { role: "viewer" })).json<Listed>();
const originOf = async (origin: string, service = "users") =>
  (await listOf(service)).origins.find((found) => found.id === origin);
const secondsUntil = (time: string) => (Date.parse(time) - Date.now()) / 1000;

describe("registering", () => {
  test("answers 201 with the lease, then 200 with another: the old one is void", async () => {
    const first = await put(id, registration({ version: "v2", weight: 3, zone: "no", metadata: { a: "b" } }));
    expect(first.status).toBe(201);
    const lease = await first.json<Registered>();
    expect(lease).toMatchObject({ service: "users", origin: id, ttlSeconds: 20, revision: expect.any(Number) });
    expect(lease.heartbeatSeconds).toBeGreaterThan(20 / 3 / 1.3);
    expect(lease.heartbeatSeconds).toBeLessThan((20 / 3) * 1.3);
    expect(secondsUntil(lease.expiresAt)).toBeGreaterThan(18);
    expect(secondsUntil(lease.expiresAt)).toBeLessThan(21);
    const second = await put(id, registration({ version: "v2" }));
    expect(second.status).toBe(200);
    const { leaseId, revision } = await second.json<Registered>();
    expect(leaseId).not.toBe(lease.leaseId);
    expect(revision).toBeGreaterThan(lease.revision);
    const beat = (lease: string) =>
      call("POST", `/v1/services/users/origins/${id}/heartbeat`, asRegistrar({ body: { leaseId: lease } }));
    await problemOf(await beat(lease.leaseId), "lease_not_found");
    expect((await beat(leaseId)).status).toBe(200);
  });
  test("without an id makes a new one each time", async () => {
    const post = async () => {
      const response = await call("POST", "/v1/services/orders/origins", asRegistrar({ body: registration() }));
      expect(response.status).toBe(201);
      return (await response.json<Registered>()).origin;
    };
    const [a, b] = [await post(), await post()];
    expect(a).not.toBe(b);
    expect((await listOf("orders")).origins.map((origin) => origin.id)).toEqual(expect.arrayContaining([a, b]));
  });
  test("normalises the URL and keeps its path", async () => {
    await registered(id, { url: "HTTPS://API.Example.com:443/base" });
    expect(await originOf(id)).toMatchObject({ url: "https://api.example.com/base" });
  });
  test("of a service that has just been declared works at once", async () => {
    await apply({ services: { ...document.services, brandnew: {} } });
    expect((await put(id, registration(), {}, "brandnew")).status).toBe(201);
    await apply(document);
    await problemOf(await put(id, registration(), {}, "brandnew"), "service_unknown");
  });
  test("obeys a rule that has just been changed elsewhere", async () => {
    // Written past this isolate, as another isolate would: it must not go by what it remembers.
    const changed = {
      services: { ...document.services, orders: { registration: { allowedHosts: ["only.example.com"] } } },
    };
    await env.CONTROL_PLANE.getByName("control-plane").apply({
      text: JSON.stringify(changed),
      ifRevision: null,
      dryRun: false,
      author: "admin",
      note: null,
    });
    await scheduler.wait(bounds.snapshotFreshMs + 50);
    expect(await errorsOf(await put(id, registration(), {}, "orders"), "invalid_request")).toEqual({
      "#/url": expect.any(String),
    });
    await apply(document);
  });
});

describe("compare and swap of one origin", () => {
  test.each<readonly [string, (revision: number) => string, number]>([
    ["its revision", (revision) => `"${revision}"`, 200],
    ["any", () => "*", 200],
    ["none yet", () => '"0"', 412],
    ["an older one", (revision) => `"${revision - 1}"`, 412],
    ["no revision", () => "abc", 400],
  ])("If-Match: %s", async (_, ifMatch, status) => {
    const { revision } = await registered();
    const response = await put(id, registration(), { headers: { "if-match": ifMatch(revision) } });
    expect(response.status).toBe(status);
    if (status === 412) expect(await problemOf(response, "revision_conflict")).toMatchObject({ revision });
    if (status === 400) await problemOf(response, "invalid_request");
  });
  test("0 is for an origin that is not there", async () => {
    expect((await put(id, registration(), { headers: { "if-match": '"0"' } })).status).toBe(201);
  });
  test("lets one of ten win", async () => {
    const { revision } = await registered();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => put(id, registration(), { headers: { "if-match": `"${revision}"` } })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(9);
  });
});

describe("refused registrations name the member", () => {
  test.each<readonly [string, unknown, string, RegExp]>([
    ["no URL", {}, "#/url", /missing/],
    ["no body", undefined, "#/url", /missing/],
    ["an empty URL", { url: "" }, "#/url", />=1/],
    ["a relative URL", { url: "/a" }, "#/url", /absolute/],
    ["another scheme", { url: "ws://a.example.com" }, "#/url", /http/],
    ["credentials", { url: "https://a:b@a.example.com" }, "#/url", /credentials/],
    ["a weight below 0", { url: "https://a.example.com", weight: -1 }, "#/weight", />=0/],
    ["a weight as text", { url: "https://a.example.com", weight: "1" }, "#/weight", /number/],
    ["a version that is no name", { url: "https://a.example.com", version: "v 1" }, "#/version", /letters/],
    ["a ttl below the gateway's", { url: "https://a.example.com", ttlSeconds: 4 }, "#/ttlSeconds", />=5/],
    ["a ttl above the gateway's", { url: "https://a.example.com", ttlSeconds: 301 }, "#/ttlSeconds", /<=300/],
    ["a ttl below the service's", { url: "https://a.example.com", ttlSeconds: 9 }, "#/ttlSeconds", /10 to 60/],
    ["a ttl above the service's", { url: "https://a.example.com", ttlSeconds: 61 }, "#/ttlSeconds", /10 to 60/],
    ["half a second", { url: "https://a.example.com", ttlSeconds: 10.5 }, "#/ttlSeconds", /int/],
    ["metadata that is no text", { url: "https://a.example.com", metadata: { a: 1 } }, "#/metadata/a", /string/],
    [
      "too much metadata",
      {
        url: "https://a.example.com",
        metadata: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, ""])),
      },
      "#/metadata",
      /32/,
    ],
    ["an unknown member", { url: "https://a.example.com", address: "x" }, "#/address", /unknown key/],
    ["a member twice", '{"url":"https://a.example.com","url":"https://b.example.com"}', "#/url", /twice/],
    ["a list", [], "#", /object/],
  ])("%s", async (_, body, pointer, detail) => {
    for (const response of [
      await put(id, body),
      await call("POST", "/v1/services/users/origins", asRegistrar({ body })),
    ]) {
      expect(await errorsOf(response, "invalid_request")).toEqual({ [pointer]: expect.stringMatching(detail) });
    }
    expect(await originOf(id)).toBeUndefined();
  });
  test("several at once", async () => {
    expect(Object.keys(await errorsOf(await put(id, { url: 1, weight: "x", z: 1 }), "invalid_request")).sort()).toEqual(
      ["#/url", "#/weight", "#/z"],
    );
    expect(
      Object.keys(await errorsOf(await put(id, { url: "ftp://x", ttlSeconds: 300 }), "invalid_request")).sort(),
    ).toEqual(["#/ttlSeconds", "#/url"]);
  });
  test.each(["%20", "a%2Fb", "-a", "a".repeat(129), "%00"])("the id %s", async (origin) => {
    expect(Object.keys(await errorsOf(await put(origin, registration()), "invalid_request"))).toEqual(["#/origin"]);
  });
  test("a body that is too large", async () => {
    await problemOf(
      await put(id, { url: "https://a.example.com", zone: "x".repeat(bounds.adminBodyBytesMax) }),
      "payload_too_large",
    );
  });
});

describe("where an origin may be", () => {
  test.each<readonly [string, number]>([
    ["https://a.internal.example.com", 201],
    ["https://a.b.internal.example.com:8443/x", 201],
    ["https://one.example.com", 201],
    ["https://internal.example.com", 400],
    ["https://two.one.example.com", 400],
    ["https://a.internal.example.com.evil.example", 400],
    ["https://evil.example/a.internal.example.com", 400],
  ])("allowedHosts: %s is %d", async (url, status) => {
    const response = await put(id, { url }, {}, "picky");
    expect(response.status).toBe(status);
    if (status === 400)
      expect(await errorsOf(response, "invalid_request")).toEqual({ "#/url": expect.stringMatching(/allowedHosts/) });
  });
  test.each([
    "http://127.0.0.1",
    "http://2130706433",
    "http://0x7f.1",
    "http://[::1]",
    "http://[::ffff:10.0.0.1]",
    "http://10.1.2.3",
    "http://169.254.169.254/latest",
    "http://metadata.google.internal",
    "http://localhost:8080",
    "http://router",
  ])("%s is private: refused unless the deployment allows it", async (url) => {
    const path = `/v1/services/orders/origins/${id}`;
    for (const variable of [undefined, "false", "TRUE", "1"]) {
      const refused = await callWith({ ALLOW_PRIVATE_ORIGINS: variable }, "PUT", path, { body: { url } });
      expect(await errorsOf(refused, "invalid_request")).toEqual({ "#/url": expect.stringMatching(/public/) });
    }
    expect((await callWith({ ALLOW_PRIVATE_ORIGINS: "true" }, "PUT", path, { body: { url } })).status).toBe(201);
  });
});

describe("services and origins that are not to be written", () => {
  const paths: readonly (readonly [
    method: string,
    path: (service: string, origin: string) => string,
    body?: unknown,
  ])[] = [
    ["PUT", (service, origin) => `/v1/services/${service}/origins/${origin}`, { url: "https://a.example.com" }],
    ["POST", (service) => `/v1/services/${service}/origins`, { url: "https://a.example.com" }],
    ["POST", (service, origin) => `/v1/services/${service}/origins/${origin}/heartbeat`, { leaseId: "x" }],
    ["POST", (service, origin) => `/v1/services/${service}/origins/${origin}/drain`, {}],
    ["DELETE", (service, origin) => `/v1/services/${service}/origins/${origin}`],
    ["GET", (service) => `/v1/services/${service}`],
  ];
  test("a service that is not declared", async () => {
    for (const [method, path, body] of paths.filter(([method]) => method !== "DELETE")) {
      for (const service of ["nobody", "constructor", "toString"]) {
        const { detail } = await problemOf(await call(method, path(service, "a"), { body }), "service_unknown");
        expect(detail).toContain(service);
      }
    }
  });
  test("not a DELETE: an origin may go although its service has gone", async () => {
    expect((await call("DELETE", "/v1/services/nobody/origins/a")).status).toBe(204);
  });
  test("an origin that the document lists", async () => {
    for (const [method, path, body] of [paths[0]!, paths[3]!, paths[4]!]) {
      await problemOf(await call(method, path("users", "fixed"), { body }), "origin_static");
    }
  });
});

describe("heartbeats", () => {
  const beat = (origin: string, body: unknown) =>
    call("POST", `/v1/services/users/origins/${origin}/heartbeat`, asRegistrar({ body }));
  test("renew the lease for its ttl", async () => {
    const { leaseId } = await registered(id, { ttlSeconds: 30 });
    const answer = await (await beat(id, { leaseId })).json<Registered>();
    expect(Object.keys(answer).sort()).toEqual(["expiresAt", "heartbeatSeconds", "ttlSeconds"]);
    expect(answer.ttlSeconds).toBe(30);
    expect(secondsUntil(answer.expiresAt)).toBeGreaterThan(28);
  });
  test("of an unknown lease or origin are refused", async () => {
    await registered();
    await problemOf(await beat(id, { leaseId: crypto.randomUUID() }), "lease_not_found");
    await problemOf(await beat("nobody", { leaseId: "x" }), "lease_not_found");
  });
  test.each<readonly [unknown, string]>([
    [undefined, "#/leaseId"],
    [{}, "#/leaseId"],
    [{ leaseId: "" }, "#/leaseId"],
    [{ leaseId: 3 }, "#/leaseId"],
    [{ leaseId: "x", ttl: 3 }, "#/ttl"],
  ])("that are not understood name the member: %j", async (body, pointer) => {
    expect(Object.keys(await errorsOf(await beat(id, body), "invalid_request"))).toEqual([pointer]);
  });

  const batch = (leases: unknown) => call("POST", "/v1/heartbeats", asRegistrar({ body: { leases } }));
  test("of many services in one call: which are renewed and which are lost", async () => {
    const [a, b] = [await registered(`${id}a`), await registered(`${id}b`, {}, "orders")];
    const ref = ({ service, origin, leaseId }: Registered) => ({ service, origin, leaseId });
    const wrong = { ...ref(a), leaseId: "wrong" };
    const stranger = { service: "nobody", origin: "x", leaseId: "x" };
    const unknown = { service: "orders", origin: "x", leaseId: "x" };
    const { renewed, lost } = await (await batch([ref(a), wrong, stranger, ref(b), unknown])).json<{
      renewed: Registered[];
      lost: unknown[];
    }>();
    const terms = { ttlSeconds: 20, heartbeatSeconds: expect.any(Number), expiresAt: expect.any(String) };
    expect(renewed).toHaveLength(2);
    expect(renewed).toContainEqual({ ...ref(a), ...terms });
    expect(renewed).toContainEqual({ ...ref(b), ...terms, ttlSeconds: bounds.leaseTtlSecondsDefault });
    expect(lost).toHaveLength(3);
    expect(lost).toEqual(expect.arrayContaining([wrong, stranger, unknown]));
  });
  test("of many unknown services ask the control plane once", async () => {
    const leases = Array.from({ length: 200 }, (_, index) => ({ service: `x${index}`, origin: "x", leaseId: "x" }));
    let manifests = 0;
    const namespace = {
      idFromName: () => "counted",
      getByName: (name: string) => {
        const stub = env.CONTROL_PLANE.getByName(name);
        return {
          manifest: (version: number) => {
            manifests++;
            return stub.manifest(version);
          },
          sections: (hashes: readonly string[]) => stub.sections(hashes),
        };
      },
    };
    const response = await callWith({ CONTROL_PLANE: namespace }, "POST", "/v1/heartbeats", { body: { leases } });
    expect(await response.json()).toEqual({ renewed: [], lost: leases });
    expect(manifests).toBe(1);
  });
  test("go on while the control plane is away", async () => {
    const { service, origin, leaseId } = await registered();
    await scheduler.wait(bounds.snapshotFreshMs + 50);
    const getByName = () => ({ manifest: () => Promise.reject(new Error("away")) });
    const away = { CONTROL_PLANE: { getByName, idFromName: () => "away" } };
    const one = await callWith(away, "POST", `/v1/services/${service}/origins/${origin}/heartbeat`, {
      body: { leaseId },
    });
    expect(one.status).toBe(200);
    const many = await callWith(away, "POST", "/v1/heartbeats", { body: { leases: [{ service, origin, leaseId }] } });
    expect(await many.json()).toMatchObject({ renewed: [{ origin }], lost: [] });
    const unknown = await callWith(away, "POST", "/v1/services/nobody/origins/x/heartbeat", { body: { leaseId } });
    await problemOf(unknown, "control_plane_unavailable");
  });
  test("are bounded in one call, and none is no call", async () => {
    const lease = { service: "users", origin: "x", leaseId: "x" };
    expect((await batch(Array.from({ length: bounds.heartbeatsPerCallMax }, () => lease))).status).toBe(200);
    expect(
      Object.keys(
        await errorsOf(
          await batch(Array.from({ length: bounds.heartbeatsPerCallMax + 1 }, () => lease)),
          "invalid_request",
        ),
      ),
    ).toEqual(["#/leases"]);
    expect(Object.keys(await errorsOf(await batch([]), "invalid_request"))).toEqual(["#/leases"]);
    expect(Object.keys(await errorsOf(await batch([lease, { ...lease, leaseId: "" }]), "invalid_request"))).toEqual([
      "#/leases/1/leaseId",
    ]);
  });
});

describe("leaving", () => {
  const drain = (origin: string, body?: unknown) =>
    call("POST", `/v1/services/users/origins/${origin}/drain`, asRegistrar({ body }));
  test("drain ends new traffic, with a grace or the usual one", async () => {
    const { revision } = await registered();
    const answer = await (await drain(id, { graceSeconds: 30 })).json<Registered>();
    expect(answer).toEqual({ service: "users", origin: id, state: "draining", revision: expect.any(Number) });
    expect(answer.revision).toBeGreaterThan(revision);
    expect(await originOf(id)).toMatchObject({ state: "draining" });
    expect((await drain(id)).status).toBe(200);
  });
  test("a grace of 0 removes at once", async () => {
    await registered();
    expect((await drain(id, { graceSeconds: 0 })).status).toBe(200);
    expect(await originOf(id)).toBeUndefined();
  });
  test("of an origin that is not there is an error", async () => {
    await problemOf(await drain("nobody", {}), "origin_unknown");
  });
  test.each([-1, 3_601, 1.5, "1"])("a grace of %j names the member", async (graceSeconds) => {
    expect(Object.keys(await errorsOf(await drain(id, { graceSeconds }), "invalid_request"))).toEqual([
      "#/graceSeconds",
    ]);
  });
  test("delete removes, and again says the same", async () => {
    const { leaseId } = await registered();
    const path = `/v1/services/users/origins/${id}`;
    for (let times = 0; times < 2; times++) {
      const response = await call("DELETE", path, { role: "registrar" });
      expect(response.status).toBe(204);
      expect(await response.text()).toBe("");
    }
    await problemOf(await call("POST", `${path}/heartbeat`, asRegistrar({ body: { leaseId } })), "lease_not_found");
    expect(await originOf(id)).toBeUndefined();
  });
});

describe("listing", () => {
  test("shows static and leased origins as the schema says, and never a lease id", async () => {
    const { leaseId, revision } = await registered(id, { version: "v2", weight: 0, zone: "no", metadata: { a: "b" } });
    const response = await call("GET", "/v1/services/users", { role: "viewer" });
    const text = await response.clone().text();
    expect(text).not.toContain(leaseId);
    const listed = await response.json<Listed>();
    expect(response.headers.get("etag")).toBe(`"${listed.revision}"`);
    expect(listed).toMatchObject({ service: "users", frozen: false });
    expect(listed.revision).toBeGreaterThanOrEqual(revision);
    const [fixed] = listed.origins;
    expect(fixed).toEqual({
      id: "fixed",
      url: "https://fixed.example.com",
      version: "v0",
      weight: 1,
      zone: "eu",
      state: "ready",
      health: { checks: "none" },
      static: true,
    });
    expect(listed.origins.find((origin) => origin.id === id)).toEqual({
      id,
      url: `https://${id}.example.com`,
      version: "v2",
      weight: 0,
      zone: "no",
      state: "ready",
      health: { checks: "none" },
      static: false,
      metadata: { a: "b" },
      expiresAt: expect.any(String),
      createRevision: expect.any(Number),
      modRevision: revision,
    });
  });
  test("an id that the document has taken over is the document's", async () => {
    await registered();
    const origins = [...document.services.users.origins, { id, url: "https://taken.example.com" }];
    await apply({ services: { ...document.services, users: { ...document.services.users, origins } } });
    const same = (await listOf()).origins.filter((origin) => origin.id === id);
    expect(same).toMatchObject([{ static: true, url: "https://taken.example.com" }]);
    await apply(document);
  });

  const page = async (query: string) =>
    (await call("GET", `/v1/services${query}`)).json<{ services: Listed[]; next: string | null }>();
  test("goes through all services in pages, by name", async () => {
    const all = await page("");
    expect(all.services.map(({ service }) => service)).toEqual(["orders", "picky", "users"]);
    expect(all.next).toBeNull();
    const seen: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const some: { services: Listed[]; next: string | null } = await page(
        `?limit=1${next === "" ? "" : `&after=${next}`}`,
      );
      seen.push(...some.services.map(({ service }) => service));
      next = some.next;
    }
    expect(seen).toEqual(["orders", "picky", "users"]);
    expect(await page("?limit=3")).toMatchObject({ next: null });
    expect(await page("?after=zzz")).toEqual({ services: [], next: null });
    expect((await page("?after=p")).services.map(({ service }) => service)).toEqual(["picky", "users"]);
  });
  test.each<readonly [string, string]>([
    ["?limit=0", "#/limit"],
    ["?limit=501", "#/limit"],
    ["?limit=abc", "#/limit"],
    ["?limit=", "#/limit"],
    ["?after=a%20b", "#/after"],
    ["?page=2", "#/page"],
  ])("refuses %s", async (query, pointer) => {
    expect(Object.keys(await errorsOf(await call("GET", `/v1/services${query}`), "invalid_request"))).toEqual([
      pointer,
    ]);
  });
});

describe("the health of origins", () => {
  const origin = inject("originUrl");
  const check = (intervalSeconds = 1) => ({ path: "/", intervalSeconds, healthyAfter: 1, unhealthyAfter: 1 });
  const healthOf = async (service: string) =>
    Object.fromEntries((await listOf(service)).origins.map((found) => [found.id, [found.state, found.health]]));
  const within = { timeout: 10_000, interval: 50 };

  test("is told of leased and static origins, from the first look or registration on", async () => {
    const origins = [
      { id: "up", url: origin },
      { id: "down", url: `${origin}/status/500` },
    ];
    await apply({ services: { ...document.services, checked: { origins, healthCheck: check(60) } } });
    await registered("leased-down", { url: `${origin}/status/404` }, "checked");
    await registered("leased-up", { url: origin }, "checked");
    await vi.waitFor(async () => {
      expect(await healthOf("checked")).toEqual({
        up: ["ready", { checks: "passing", inARow: 1 }],
        down: ["unhealthy", { checks: "failing", inARow: 1 }],
        "leased-up": ["ready", { checks: "passing", inARow: 1 }],
        "leased-down": ["unhealthy", { checks: "failing", inARow: 1 }],
      });
    }, within);
    await apply(document);
  });

  test("begins with a look at a service without registrations, and ends with the checks", async () => {
    const origins = [{ id: "down", url: `${origin}/status/500` }];
    await apply({ services: { ...document.services, looked: { origins, healthCheck: check() } } });
    await vi.waitFor(async () => expect((await healthOf("looked")).down![0]).toBe("unhealthy"), within);
    await apply({ services: { ...document.services, looked: { origins } } });
    await vi.waitFor(
      async () => expect((await healthOf("looked")).down).toEqual(["ready", { checks: "none" }]),
      within,
    );
    await apply(document);
  });

  test("names who is ejected, but only where nothing weighs more", async () => {
    const outlierDetection = { consecutiveFailures: 5, maxEjectionPercent: 100 };
    const origins = [{ id: "out", url: origin }];
    await apply({ services: { ...document.services, ejecting: { origins, outlierDetection } } });
    await registered("drained", { url: origin }, "ejecting");
    await call("POST", "/v1/services/ejecting/origins/drained/drain", asRegistrar({ body: {} }));
    const failures = { version: "", generation: 0, ageMs: 0, ok: 0, fail: 5, slow: 0, ignored: 0, tail: 5 };
    await env.SERVICE_HEALTH.getByName("ejecting").report({
      isolate: "i",
      seq: 1,
      settings: {
        revision: 1_000,
        breaker: null,
        outlier: { consecutiveFailures: 5, baseEjectionMs: 30_000, maxEjectionPercent: 100 },
        maxConcurrent: 0,
      },
      origins: 2,
      cells: ["out", "drained"].map((id) => ({ ...failures, origin: id })),
      probes: [],
      wants: [],
      concurrency: null,
    });
    const out = { checks: "none", ejectedForMs: expect.any(Number) };
    await vi.waitFor(async () => {
      // Follows the control plane, with which the health of a service comes.
      await call("GET", "/v1/services");
      expect(await healthOf("ejecting")).toEqual({ out: ["ejected", out], drained: ["draining", out] });
    }, within);
    await apply(document);
  });
});

test("a registry that is full says so", async () => {
  const stub = env.SERVICE_REGISTRY.getByName("orders");
  await runInDurableObject(stub, (registry) => {
    for (let index = 0; index < bounds.originsPerServiceMax; index++) {
      registry.register({
        origin: `full${index}`,
        url: "https://a.example.com",
        version: null,
        weight: 1,
        zone: null,
        metadata: {},
        ttlMs: 60_000,
      });
    }
  });
  await problemOf(await put(id, registration(), {}, "orders"), "registry_full");
});

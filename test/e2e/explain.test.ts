/** What is explained of a request is what becomes of it: random requests on a random configuration, over real sockets. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { z } from "zod";
import type { ExplainAnswer } from "../../src/schema/api.ts";
import { exchange, type Received } from "../support/client.ts";
import { decisionOf } from "../support/decision.ts";
import type { Asked } from "../support/farm.ts";
import { useFarm } from "../support/farm-suite.ts";
import { inParallel } from "../support/parallel.ts";
import { headerOf } from "../support/wire.ts";

type Explanation = z.output<typeof ExplainAnswer>;

const seed = 20_270_101;
const routesMade = 200;
const requestsMade = 1_000;
const width = 16;

// --- A configuration of small alphabets, so that routes overlap ----------------------------------------------------------

const some = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const segment = fc.constantFrom("a", "b", "c");
const textOf = (segments: fc.Arbitrary<string>) =>
  fc.array(segments, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join("/")}`);
const path = fc.oneof(
  textOf(segment).map((exact) => ({ exact })),
  textOf(segment).map((prefix) => ({ prefix })),
  textOf(fc.constantFrom("a", "b", ":")).map((text) => {
    let count = 0;
    return { pattern: text.replace(/:/g, () => `:p${count++}`) };
  }),
  fc.constantFrom("/a/.*", "/(a|b)/c", "/[ab]+", ".*/c").map((regex) => ({ regex })),
);
const match = fc.record(
  {
    path,
    methods: fc.constantFrom(["GET"], ["GET", "POST"], ["PUT"]),
    headers: fc.constantFrom([{ name: "x-tenant", exact: "acme" }], [{ name: "x-tenant", present: true }]),
    query: fc.constantFrom([{ name: "beta", present: true }], [{ name: "beta", exact: "1" }]),
  },
  { requiredKeys: ["path"] },
);

const version = fc.constantFrom("v1", "v2", "v3");
/** `v4` is named, but nobody has it. */
const anyVersion = fc.constantFrom("v1", "v2", "v3", "v4");
const onEmpty = fc.constantFrom("error", "next");
const rewrite = fc.record(
  {
    path: fc.constantFrom({ replaceFullPath: "/x/y" }, { replaceFullPath: "/" }),
    setHeaders: fc.constantFrom({ "x-set": "1" }, { "x-tenant": "other" }),
    addHeaders: fc.constant({ "x-tenant": "more" }),
    removeHeaders: fc.constantFrom(["x-user"], ["x-tenant"]),
  },
  { requiredKeys: [] },
);
const weights = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 9 }));
const namedRule = fc.record({
  versionFrom: fc.constantFrom({ header: "api-version" }, { query: "v" }, { query: "v" }, { accept: "version" }),
  onUnknown: fc.constantFrom("reject", "next"),
  onEmpty,
});
const conditionalRule = fc.record({
  when: fc.constantFrom<Record<string, unknown>>(
    { cookies: [{ name: "beta", exact: "1" }] },
    { ip: ["10.0.0.0/8"] },
    { headers: [{ name: "x-user", prefix: "an" }], methods: ["GET"] },
    { country: ["NO"] },
  ),
  version: anyVersion,
  onEmpty,
});
const stickyRule = fc
  .record({ versions: fc.tuple(version, version), weights, rewrites: fc.tuple(rewrite, rewrite) })
  .map(({ versions, weights, rewrites }) => ({
    split: [0, 1].map((at) => ({ version: versions[at], weight: weights[at], rewrite: rewrites[at] })),
    stickyBy: ["header:x-user", "ip"],
  }));
/** Without rewrites of its own, so that whatever is drawn has the same target. */
const drawnRule = fc
  .record({ versions: fc.tuple(version, version), weights })
  .map(({ versions, weights }) => ({ split: [0, 1].map((at) => ({ version: versions[at], weight: weights[at] })) }));
const rule = fc.oneof(
  { weight: 4, arbitrary: namedRule },
  { weight: 2, arbitrary: conditionalRule },
  { weight: 1, arbitrary: fc.record({ version: anyVersion, onEmpty }) },
  { weight: 1, arbitrary: stickyRule },
  { weight: 1, arbitrary: drawnRule },
);
const target = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      service: fc.constant("versioned"),
      traffic: fc.array(rule, { maxLength: 4, size: "max" }),
      rewrite: some(rewrite),
    }),
  },
  { weight: 2, arbitrary: fc.record({ service: fc.constant("hashed"), rewrite: some(rewrite) }) },
  { weight: 1, arbitrary: fc.constant({ service: "empty" }) },
  { weight: 1, arbitrary: fc.constant({ redirect: { hostname: "new.test", path: { replaceFullPath: "/new" } } }) },
);
const cors = { allowOrigins: ["https://*.app.test"], allowMethods: ["PUT"] };
const route = fc
  .record({
    hosts: some(fc.constantFrom(["a.b.test"], ["*.b.test"], ["*.test"], ["b.test", "*.b.test"])),
    matches: fc.array(match, { minLength: 1, maxLength: 2 }),
    cors: some(fc.constant(cors)),
    target,
  })
  .map(({ target, ...rest }) => ({ ...rest, ...target }));

const suite = useFarm(4, ([one = "", two = "", three = "", four = ""]) => ({
  gateway: { debugHeaders: true, trustedProxyHops: 1 },
  services: {
    versioned: {
      origins: [
        { id: "o0", url: one, version: "v1" },
        { id: "o1", url: `${two}/base`, version: "v2" },
        { id: "o2", url: three, version: "v2", weight: 3 },
        { id: "o3", url: four, version: "v3" },
      ],
      loadBalancing: { policy: "round-robin" },
    },
    hashed: {
      origins: [one, two, three, four].map((url, index) => ({ id: `o${index}`, url })),
      loadBalancing: { policy: "consistent-hash", hashOn: ["header:x-user", "ip"] },
    },
    empty: {},
  },
  routes: fc.sample(route, { seed, numRuns: routesMade }).map((made, index) => ({ name: `r${index}`, ...made })),
}));

// --- Requests ------------------------------------------------------------------------------------------------------------

const request = fc.record({
  method: fc.constantFrom("GET", "GET", "POST", "PUT", "OPTIONS"),
  host: fc.constantFrom("a.b.test", "b.test", "x.y.b.test", "c.test", "other"),
  path: textOf(fc.constantFrom("a", "b", "c", "a", "%61", "")),
  query: fc.constantFrom("", "?", "?beta", "?beta=1", "?v=v2", "?beta=1&v=v3", "?v=v9&beta=1&v=v1"),
  headers: fc.record(
    {
      "x-tenant": fc.constantFrom("acme", "evil"),
      "x-user": fc.constantFrom("ann", "bob", "cy", "dora", "eve"),
      "api-version": fc.constantFrom("v1", "v3", "v4", "v9"),
      accept: fc.constantFrom("*/*", "text/plain;version=v2"),
      cookie: fc.constantFrom("beta=1", "a=1; beta=2"),
      origin: fc.constantFrom("https://x.app.test", "https://evil.test"),
      "access-control-request-method": fc.constant("PUT"),
      "x-forwarded-for": fc.constantFrom("10.1.2.3", "10.1.2.3, 192.0.2.9"),
    },
    { requiredKeys: [] },
  ),
  ip: fc.constantFrom("10.0.0.1", "192.0.2.1", "2001:db8::1"),
});
type Drawn = typeof request extends fc.Arbitrary<infer T> ? T : never;

const idOf = (index: number) => `request-${index}`;

async function explained({ method, host, path, query, headers, ip }: Drawn, id: string): Promise<Explanation> {
  const url = `http://${host}${path}${query}`;
  const body = JSON.stringify({ method, url, headers: { ...headers, "x-request-id": id }, ip });
  const response = await suite.gateway.admin("/v1/explain", { method: "POST", body });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Explanation;
}

function sent({ method, host, path, query, headers, ip }: Drawn, id: string): Promise<Received> {
  const lines = { host, ...headers, "cf-connecting-ip": ip, "x-request-id": id };
  return exchange(suite.gateway.url, { method, target: path + query, headers: Object.entries(lines) });
}

/** What there is to say of one request, in the words of the explanation and of the answer. */
function compare(
  { outcome, routes, version, origins, sent, answered }: Explanation,
  received: Received,
  asked: Asked | undefined,
) {
  const decision = decisionOf(received);
  expect(headerOf(received, "sluice-error") ?? null).toBe(outcome.error);
  expect(asked !== undefined).toBe(outcome.kind === "forward");
  if (outcome.kind === "forward") expect(received.status).toBe(200);
  else expect(received.status).toBe(outcome.status);
  if (outcome.kind === "preflight" || outcome.kind === "redirect") {
    for (const [name, value] of Object.entries(answered!)) {
      if (name !== "vary") expect(headerOf(received, name)).toBe(value);
    }
  }
  if (outcome.kind === "preflight") return;
  expect(decision.route).toBe(routes?.winner?.route);
  expect(decision.service).toBe(version?.service);
  expect(decision.reason).toBe(version?.reason ?? undefined);
  if (version?.reason === "split")
    expect(version.split!.ranges.map((range) => range.version)).toContain(decision.version);
  else expect(decision.version).toBe(version?.version ?? undefined);
  if (!asked) return;
  const isDrawn = version?.reason === "split";
  const candidate = origins!.candidates.find(({ id }) => id === decision.origin);
  if (!isDrawn) expect(candidate).toMatchObject({ usable: true });
  if (!isDrawn) expect(candidate!.chance).toBeGreaterThan(0);
  const base = decision.origin === "o1" && decision.service === "versioned" ? "/base" : "";
  expect(asked.target).toBe(base + sent!.target);
  expect(asked.method).toBe(sent!.method);
  expect(asked.headers).toMatchObject(sent!.headers);
}

it("1,000 random requests on 200 random routes are answered as they were explained", async () => {
  const requests = fc.sample(request, { seed, numRuns: requestsMade });
  const explanations = await inParallel([...requests.entries()], width, ([index, one]) => explained(one, idOf(index)));
  expect(suite.farm.origins.flatMap(({ asked }) => asked)).toEqual([]);
  const answers = await inParallel([...requests.entries()], width, ([index, one]) => sent(one, idOf(index)));
  const log = new Map(
    suite.farm.origins.flatMap(({ asked }) => asked.map((one) => [one.headers["x-request-id"], one] as const)),
  );
  const kinds = new Map<string, number>();
  for (const [index, explanation] of explanations.entries()) {
    compare(explanation, answers[index]!, log.get(idOf(index)));
    for (const kind of [explanation.outcome.error ?? explanation.outcome.kind, explanation.version?.reason ?? "none"]) {
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
  }
  console.log(Object.fromEntries(kinds));
  // Every way a request can go must have been gone, or nothing was compared.
  const ways = ["forward", "redirect", "preflight", "route_not_found", "version_unknown", "no_origin"];
  const reasons = ["header", "query", "accept", "when", "version", "sticky", "split", "any"];
  for (const way of [...ways, ...reasons]) expect(kinds.get(way) ?? 0, way).toBeGreaterThanOrEqual(5);
});

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Config, configJsonSchema } from "../../../src/schema/config.ts";
import { contractExample } from "../snapshot/contract-example.ts";
import { matchesSchema, type Schema } from "./json-schema.ts";

const schema = configJsonSchema();
const fits = (document: unknown) => matchesSchema(document, schema);
const route = (rest: object) => ({ routes: [{ name: "r", ...rest }] });
const service = (rest: object) => ({ services: { s: rest } });

describe("the JSON Schema of the document", () => {
  test("is what the repository has; if this fails, run: npm run generate", () => {
    const file = readFileSync(new URL("../../../sluice.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(file)).toEqual(schema);
  });

  test.each<readonly [string, unknown]>([
    ["the contract's example", contractExample],
    ["an empty document", {}],
    ["a service without anything", service({})],
    [
      "everything of a service that is off unless written, with its defaults",
      service({
        healthCheck: {},
        outlierDetection: {},
        circuitBreaker: {},
        adaptiveConcurrency: {},
        clientThrottling: {},
        loadBalancing: { zones: {} },
      }),
    ],
    ["statuses and ranges of them", service({ healthCheck: { statuses: ["200-299", 304] } })],
    [
      "zones of every kind of place",
      service({ loadBalancing: { zones: { map: { NO: "eu", T1: "eu", "US-CA": "us", OSL: "eu-north" } } } }),
    ],
    ["hedging with its defaults", route({ hedging: {}, retries: {} })],
    ["a mirror with everything", route({ mirror: [{ service: "s", percent: 0, methods: ["POST"], timeoutMs: 1 }] })],
    [
      "both kinds of fault, and both at once",
      route({
        faults: [
          { when: { country: ["NO"] }, percent: 5, delayMs: 1 },
          { abort: { status: 503 } },
          { delayMs: 1, abort: { status: 404 } },
        ],
      }),
    ],
    [
      "every form of traffic rule",
      route({
        traffic: [{ versionFrom: { accept: "version" } }, { version: "v" }, { split: [{ version: "v", weight: 1 }] }],
      }),
    ],
    [
      "both forms of fallback",
      {
        routes: [
          { name: "a", fallback: { service: "s" } },
          { name: "b", fallback: { body: [1, { a: null }] } },
        ],
      },
    ],
    ["an empty replacement of a prefix", route({ rewrite: { path: { replacePrefixMatch: "" } } })],
    ["any CORS method", route({ cors: { allowMethods: ["*", "PUT"] } })],
    ["paths beyond ASCII", route({ matches: [{ path: { exact: "/b\u00fccher" } }] })],
    ["what only the compiler knows to be wrong", route({ service: "nobody", redirect: { port: 1 } })],
  ])("accepts what Zod accepts: %s", (_, document) => {
    expect(Config.safeParse(document).success).toBe(true);
    expect(fits(document)).toBe(true);
  });

  test.each<readonly [string, unknown]>([
    ["a list", []],
    ["an unknown key", { route: [] }],
    ["an unknown key inside", service({ url: "x" })],
    ["a route without a name", { routes: [{}] }],
    ["a name with a space", { services: { "a b": {} } }],
    ["a name that is too long", { services: { ["a".repeat(129)]: {} } }],
    ["a number as text", { gateway: { trustedProxyHops: "1" } }],
    ["half a hop", { gateway: { trustedProxyHops: 0.5 } }],
    ["a weight below 0", service({ origins: [{ id: "a", url: "b", weight: -1 }] })],
    ["an unknown policy", service({ loadBalancing: { policy: "best" } })],
    ["a status that is none", service({ healthCheck: { statuses: [600] } })],
    ["an open range", service({ healthCheck: { statuses: ["200-"] } })],
    ["no status", service({ healthCheck: { statuses: [] } })],
    ["a place in lower case", service({ loadBalancing: { zones: { map: { no: "eu" } } } })],
    ["a zone that is no name", service({ loadBalancing: { zones: { map: { NO: "e u" } } } })],
    ["a throttle that lets nothing more through", service({ clientThrottling: { ratio: 1 } })],
    ["an ejection longer than the longest", service({ outlierDetection: { baseEjectionSeconds: 301 } })],
    ["a percentile of 100", route({ hedging: { percentile: 100 } })],
    ["a mirror without time", route({ mirror: [{ service: "s", timeoutMs: 0 }] })],
    ["more than every request", route({ mirror: [{ service: "s", percent: 101 }] })],
    ["a fault that succeeds", route({ faults: [{ abort: { status: 200 } }] })],
    ["an abort without a status", route({ faults: [{ abort: {} }] })],
    ["a rate of 0", service({ circuitBreaker: { failureRate: 0 } })],
    ["two kinds of path", route({ matches: [{ path: { exact: "/a", prefix: "/a" } }] })],
    ["no kind of path", route({ matches: [{ path: {} }] })],
    ["two conditions on a header", route({ matches: [{ headers: [{ name: "a", exact: "b", present: true }] }] })],
    ["no condition on a parameter", route({ matches: [{ query: [{ name: "a" }] }] })],
    ["no source of a version", route({ traffic: [{ versionFrom: {} }] })],
    ["a traffic rule of no form", route({ traffic: [{ weight: 1 }] })],
    ["another redirect status", route({ redirect: { statusCode: 300 } })],
    ["a header value with a line break", route({ response: { setHeaders: { a: "b\nc" } } })],
    ["no hosts", route({ hosts: [] })],
  ])("refuses what Zod refuses: %s", (_, document) => {
    expect(Config.safeParse(document).success).toBe(false);
    expect(fits(document)).toBe(false);
  });

  test("never refuses what Zod accepts", () => {
    const places = ["gateway", "services", "rateLimits", "routes"] as const;
    const damaged = fc
      .tuple(fc.constantFrom(...places), fc.jsonValue())
      .map(([place, value]) => ({ ...contractExample, [place]: value }));
    fc.assert(
      fc.property(damaged, (document) => {
        if (Config.safeParse(document).success) expect(fits(document)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("says of itself what editors need, and allows no unknown key in any object of its own", () => {
    expect(schema).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      title: "Sluice configuration",
    });
    const visit = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      const { properties, additionalProperties } = value as Schema;
      if (properties && typeof properties === "object" && "type" in value) expect(additionalProperties).toBe(false);
      for (const inner of Object.values(value)) visit(inner);
    };
    visit(schema);
    expect(schema.required).toBeUndefined();
  });
});

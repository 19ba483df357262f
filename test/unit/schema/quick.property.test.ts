/** The quick parser against Zod itself, on documents that are right and on ones that are damaged anywhere. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { Config, configJsonSchema } from "../../../src/schema/config.ts";
import { misfit, quickParser } from "../../../src/schema/quick.ts";
import { contractExample } from "../snapshot/contract-example.ts";

const quick = quickParser(Config);

/** What both say of the document, in one form. */
function bothSay(parser: (value: unknown) => unknown, schema: z.ZodType, value: unknown) {
  const before = JSON.stringify(value);
  const parsed = parser(value);
  expect(JSON.stringify(value)).toBe(before);
  const { success, data } = schema.safeParse(value);
  return { quick: parsed === misfit ? "refused" : parsed, zod: success ? data : "refused" };
}

type Node = Record<string | number, unknown>;

/** Every place of the value that is in an object or an array. */
function placesOf(value: unknown): [Node, string][] {
  if (typeof value !== "object" || value === null) return [];
  const node = value as Node;
  return Object.keys(node).flatMap((key) => [[node, key] as [Node, string], ...placesOf(node[key])]);
}

const everything = {
  ...contractExample,
  services: {
    ...contractExample.services,
    off: { healthCheck: {}, outlierDetection: {}, circuitBreaker: {}, adaptiveConcurrency: {}, clientThrottling: {} },
    noted: {
      versions: { v1: { deprecation: "2027-01-31T00:00:00Z" } },
      loadBalancing: { zones: { map: { NO: "eu" } } },
    },
  },
  routes: [
    ...contractExample.routes,
    { name: "more", service: "off", retries: {}, hedging: {}, cors: {}, fallback: { body: { a: [null] } } },
    {
      name: "away",
      redirect: { path: { replacePrefixMatch: "" } },
      mirror: [{ version: "v2" }],
      faults: [{ delayMs: 1 }],
    },
  ],
};

describe("the quick parser of the document", () => {
  test("answers what Zod answers", () => {
    for (const document of [{}, contractExample, everything]) {
      const said = bothSay(quick, Config, document);
      expect(said.quick).toEqual(said.zod);
      expect(said.zod).not.toBe("refused");
    }
  });

  test("accepts exactly the damaged documents that Zod accepts", () => {
    const numbers = [-1, 0, 0.5, 1, 2, 60, 1e6, 1e300];
    const texts = ["", "a", "/a", "GET", "get", "v1", "*", "ip", "x".repeat(5_000), "2027-01-31T00:00:00Z", "\ud800"];
    const damage = fc.constantFrom<unknown>(null, true, false, [], {}, [{}], ["a"], { a: 1 }, ...numbers, ...texts);
    let accepted = 0;
    const property = fc.property(fc.nat(), fc.constantFrom("put", "add", "drop"), damage, (at, how, value) => {
      const document = structuredClone(everything);
      const places = placesOf(document);
      const [node, key] = places[at % places.length]!;
      if (how === "put") node[key] = value;
      else if (how === "add") node[Array.isArray(node) ? node.length : `${key}x`] = value;
      else if (Array.isArray(node)) node.splice(Number(key), 1);
      else delete node[key];
      const said = bothSay(quick, Config, document);
      expect(said.quick).toEqual(said.zod);
      if (said.zod !== "refused") accepted++;
    });
    fc.assert(property, { seed: 1, numRuns: 3_000 });
    // Both answers have come up often.
    expect(accepted).toBeGreaterThan(300);
    expect(accepted).toBeLessThan(2_700);
  });

  test("is built whatever Zod did with the schema before", () => {
    configJsonSchema();
    for (const document of [everything, { ...everything, routes: [1] }]) Config.safeParse(document);
    expect(quickParser(Config)(everything)).toEqual(Config.parse(everything));
  });

  test.each<readonly [string, z.ZodType]>([
    ["a choice that excludes", z.xor([z.string(), z.number()])],
    ["a choice by a member", z.discriminatedUnion("a", [z.strictObject({ a: z.literal(1) })])],
    ["names of an enum", z.record(z.enum(["a", "b"]), z.string())],
    ["names of a literal", z.record(z.literal("a"), z.string())],
    ["names that may be anything", z.looseRecord(z.string().regex(/^x/), z.string())],
    ["some names of an enum", z.partialRecord(z.enum(["a"]), z.string())],
    ["a check that trims", z.string().trim()],
    ["a check that changes case", z.string().toLowerCase()],
    ["a check that may change anything", z.string().check(() => {})],
    ["a check that is left out at times", z.string().refine(() => false, { when: () => false })],
    ["a check of another kind", z.number().multipleOf(2)],
    ["a format", z.email()],
    ["a format as a check", z.string().includes("a")],
    ["a value instead of a wrong one", z.string().catch("a")],
    ["a transformation", z.string().transform((text) => text.length)],
    ["a step before", z.preprocess(String, z.string())],
    ["coercion", z.coerce.number()],
    ["null", z.string().nullable()],
    ["what is frozen", z.strictObject({}).readonly()],
    ["a tuple", z.tuple([z.string()])],
    ["anything", z.any()],
    ["unknown members that are dropped", z.object({})],
    ["unknown members that are kept", z.looseObject({})],
    ["unknown members of a kind", z.object({}).catchall(z.string())],
    ["a choice that may be absent", z.strictObject({ a: z.union([z.string(), z.number().optional()]) })],
  ])("is not built for %s, however deep", (_, schema) => {
    expect(() => quickParser(schema)).toThrow(TypeError);
    expect(() => quickParser(z.array(z.strictObject({ a: schema.optional() })))).toThrow(TypeError);
  });

  test("what is absent becomes what the schema makes of it", () => {
    const schema = z.strictObject({
      a: z.string().default("x").optional(),
      b: z.string().optional().default("x"),
      c: z.strictObject({ d: z.number().default(1) }).prefault({}),
      e: z.string().optional().prefault("x"),
    });
    const parser = quickParser(schema);
    for (const value of [{}, { a: "y", b: "y", c: { d: 2 }, e: "y" }, { c: {} }, { c: 1 }]) {
      const said = bothSay(parser, schema, value);
      expect(said.quick).toEqual(said.zod);
    }
  });
});

/** The quick parser against Zod itself, on documents that are right and on ones that are damaged anywhere. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { Config } from "../../../src/schema/config.ts";
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

  test("leaves to Zod what it does not know", () => {
    const schema = z.strictObject({
      a: z.string().transform((text) => text.length),
      b: z.coerce.number(),
      c: z.email(),
    });
    const parser = quickParser(schema);
    for (const value of [{ a: "abc", b: "1", c: "a@b.example" }, { a: "abc", b: "x", c: "a@b.example" }, { a: 1 }]) {
      const said = bothSay(parser, schema, value);
      expect(said.quick).toEqual(said.zod);
    }
  });
});

import { describe, expect, test } from "vitest";
import { type Conditions, holds } from "../../../../src/core/traffic/condition.ts";
import { factsOf, type RequestSketch } from "../keys/facts.ts";

const nothing: Conditions = {
  criteria: [],
  methods: null,
  countries: null,
  regions: null,
  colos: null,
  ipMatches: null,
};
const all: Conditions = {
  criteria: [
    { source: "header", name: "x-canary", kind: "exact", expected: "always" },
    { source: "query", name: "beta", kind: "present", expected: "true" },
    { source: "cookie", name: "group", kind: "prefix", expected: "b" },
  ],
  methods: new Set(["GET", "POST"]),
  countries: new Set(["NO", "DK"]),
  regions: new Set(["03", "84"]),
  colos: new Set(["OSL", "CPH"]),
  ipMatches: (ip) => ip.startsWith("10."),
};
const fitting: RequestSketch = {
  method: "POST",
  headers: { "x-canary": "always" },
  query: { beta: "" },
  cookies: { group: "beta" },
  clientIp: "10.1.2.3",
  country: "DK",
  region: "84",
  colo: "CPH",
};

describe("holds", () => {
  test("no condition holds for every request", () => {
    expect(holds(nothing, factsOf())).toBe(true);
  });

  test("any member of each list is enough when all parts hold", () => {
    expect(holds(all, factsOf(fitting))).toBe(true);
    expect(holds(all, factsOf({ ...fitting, method: "GET", country: "NO", region: "03", colo: "OSL" }))).toBe(true);
  });

  test.each<[string, RequestSketch]>([
    ["the header", { headers: { "x-canary": "never" } }],
    ["the query parameter", { query: {} }],
    ["the cookie", { cookies: { group: "a" } }],
    ["the method", { method: "get" }],
    ["the country", { country: "SE" }],
    ["the region", { region: "1" }],
    ["the colo", { colo: "ARN" }],
    ["the address", { clientIp: "192.0.2.1" }],
    ["a country that is unknown", { country: null }],
    ["a region that is unknown", { region: null }],
    ["a colo that is unknown", { colo: null }],
    ["an address that is unknown", { clientIp: null }],
  ])("%s alone can fail it", (_, change) => {
    expect(holds(all, factsOf({ ...fitting, ...change }))).toBe(false);
  });
});

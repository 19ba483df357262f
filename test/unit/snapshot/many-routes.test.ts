/** Matching does not scan: the work is counted, not timed. */
import { expect, it } from "vitest";
import type { RequestFacts } from "../../../src/core/facts.ts";
import { matchRoute } from "../../../src/core/routing/table.ts";
import { compileDocument } from "../../../src/snapshot/compile.ts";
import { manyRoutes } from "../../support/many-routes.ts";
import { configOf, errorsOf, warningsOf } from "./support.ts";

/** Work for each of the routes' requests: host groups, trie nodes and entries that were looked at. */
function workOf(count: number): number[] {
  const { config, requests } = manyRoutes(count, "https://origin.example.com");
  const compiled = compileDocument(JSON.stringify(config), {});
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
  return requests.map(({ path, name }) => {
    const { match, examined } = matchRoute(compiled.config.table, { ...facts, path });
    expect(match?.entry.route.name).toBe(name);
    return examined;
  });
}

const facts: RequestFacts = {
  method: "GET",
  host: "api.example.com",
  path: "/",
  header: () => null,
  query: () => null,
  cookie: () => null,
  clientIp: null,
  continent: null,
  country: null,
  region: null,
  colo: null,
};

it("of 1,000 routes the last takes as much work as the first of its kind, and no more than of 20", () => {
  const few = workOf(20);
  const many = workOf(1_000);
  for (let kind = 0; kind < 4; kind++) expect(many[996 + kind]).toBe(many[kind]);
  expect(Math.max(...many)).toBe(Math.max(...few));
  expect(Math.max(...many)).toBeLessThan(10);
});

/** Routes `/0`, `/1` and so on, all with these rules. */
const alike = (traffic: object[], count: number, service = () => "s") => ({
  services: { s: {}, other: {} },
  routes: Array.from({ length: count }, (_, index) => ({
    name: `r${index}`,
    service: service(),
    matches: [{ path: { prefix: `/${index}` } }],
    traffic,
  })),
});

it("equal traffic rules of many routes of a service are kept once", () => {
  const split = [{ split: [{ version: "v1", weight: 1 }], stickyBy: ["ip"] }];
  const rulesOf = (document: object) => {
    const { table } = configOf(document);
    return [0, 1, 2].map((index) => matchRoute(table, { ...facts, path: `/${index}` }).match?.entry.route.traffic);
  };
  expect(new Set(rulesOf(alike(split, 3))).size).toBe(1);
  // The salt of a split is its service.
  const services = ["s", "other", "s"];
  expect(new Set(rulesOf(alike(split, 3, () => services.shift() ?? "s"))).size).toBe(2);
});

it("what is wrong or odd with rules is said of every route that has them", () => {
  const twice = [{ version: "v1" }, { version: "v2" }];
  expect(Object.keys(warningsOf(alike(twice, 3)))).toEqual([0, 1, 2].map((index) => `#/routes/${index}/traffic/1`));
  const noParam = [{ versionFrom: { param: "v" } }];
  expect(Object.keys(errorsOf(alike(noParam, 2)))).toEqual(
    [0, 1].map((index) => `#/routes/${index}/traffic/0/versionFrom/param`),
  );
});

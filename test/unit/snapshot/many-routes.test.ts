/** Matching does not scan: the work is counted, not timed. */
import { expect, it } from "vitest";
import type { RequestFacts } from "../../../src/core/facts.ts";
import { matchRoute } from "../../../src/core/routing/table.ts";
import { compileDocument } from "../../../src/snapshot/compile.ts";
import { manyRoutes } from "../../support/many-routes.ts";

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

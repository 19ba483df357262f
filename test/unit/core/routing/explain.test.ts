import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ExplainedRoutes, explainRoutes, pathText } from "../../../../src/core/routing/explain.ts";
import { buildRouteTable } from "../../../../src/core/routing/table.ts";
import { type Asked, criterion, entry, factsOf, pathOf, winner } from "./support.ts";
import { asked, deciding, entryOf, failing, oracle, written } from "./written.ts";

const telling = { nameOf: (route: string) => route, show: (text: string) => text, losersMax: 100 };

test("the explained winner is the real one, and what is said of each loser is so", () => {
  let requested = 0;
  const lost = { unmatched: 0, outranked: 0 };
  fc.assert(
    fc.property(
      fc.array(written, { minLength: 1, maxLength: 30 }),
      fc.array(asked, { minLength: 10, maxLength: 20 }),
      (document, requests) => {
        const table = buildRouteTable(document.map(entryOf));
        for (const request of requests) {
          requested += 1;
          const explained = explainRoutes(table, factsOf(request), telling);
          const won = explained.winner?.order ?? null;
          expect(won).toBe(winner(table, request)?.entry.order ?? null);
          expect(won).toBe(oracle(document, request));
          expect(explained.losers).toHaveLength(document.length - (won === null ? 0 : 1));
          expect(explained.more).toBe(0);
          for (const { entry, loss } of explained.losers) {
            lost[loss.kind] += 1;
            const failed = failing(document[entry.order]!, request);
            if (loss.kind === "unmatched") expect(loss.criterion).toBe(failed);
            else {
              expect(failed).toBeNull();
              const [decides, difference] = deciding(document[won!]!, document[entry.order]!) ?? ["order", -1];
              expect(loss.criterion).toBe(decides);
              expect(difference).toBeLessThan(0);
            }
          }
        }
      },
    ),
    { seed: 1, numRuns: 300 },
  );
  // The alphabets must keep overlapping, or nothing would be outranked.
  expect(requested).toBeGreaterThanOrEqual(1_000);
  expect(lost.outranked).toBeGreaterThan(100);
  expect(lost.unmatched).toBeGreaterThan(500);
});

test("losers come by precedence if they match, else by how far they match", () => {
  const far = { null: 0, query: 1, header: 2, method: 3, path: 4, host: 5 } as const;
  fc.assert(
    fc.property(fc.array(written, { minLength: 5, maxLength: 20 }), asked, (document, request) => {
      const { losers } = explainRoutes(buildRouteTable(document.map(entryOf)), factsOf(request), telling);
      const distances = losers.map(({ entry }) => far[`${failing(document[entry.order]!, request)}`]);
      expect(distances).toEqual(distances.toSorted((a, b) => a - b));
      for (const [at, { entry }] of losers.slice(1).entries()) {
        // Only what fits the same request has an order in the words of the contract.
        if (distances[at + 1] !== far.null) break;
        const before = document[losers[at]!.entry.order]!;
        expect(deciding(before, document[entry.order]!)?.[1] ?? -1).toBeLessThan(0);
      }
    }),
    { numRuns: 200 },
  );
});

describe("says why", () => {
  const explain = (entries: Parameters<typeof buildRouteTable<string>>[0], request: Asked): ExplainedRoutes<string> =>
    explainRoutes(buildRouteTable(entries.map((one, order) => ({ ...one, order }))), factsOf(request), telling);
  const lossOf = (loser: Parameters<typeof entry>[1], request: Asked) =>
    explain([entry("loser", loser)], request).losers.map(({ loss: { kind, text } }) => [kind, text]);

  test.each([
    [{ host: "a.test" }, 'host is "any.test", want a.test'],
    [{ path: pathOf.prefix("/api") }, 'path is "/x", want prefix /api'],
    [{ path: pathOf.pattern("/:id/y") }, 'path is "/x", want pattern /:id/y'],
    [{ path: pathOf.regex("/v[0-9]") }, 'path is "/x", want regex /v[0-9]'],
    [{ methods: ["PUT", "POST"] }, "method is GET, want PUT or POST"],
    [{ methods: [] }, "method is GET, want none"],
    [{ criteria: [criterion("header", "x-tenant", "exact", "acme")] }, "header x-tenant is absent, want exact acme"],
    [{ criteria: [criterion("header", "x", "exact", "a")] }, 'header x is "b", want exact a'],
    [{ criteria: [criterion("header", "none")] }, "header none is absent, want it present"],
    [{ criteria: [criterion("header", "x", "present", "false")] }, 'header x is "b", want it absent'],
    [{ criteria: [criterion("header", "x"), criterion("query", "q")] }, "query q is absent, want it present"],
  ])("a route does not match: %j", (loser, text) => {
    expect(lossOf(loser, { path: "/x", headers: { x: "b" } })).toEqual([["unmatched", `does not match: ${text}`]]);
  });

  const both = (source: "header" | "query") => [criterion(source, "x"), criterion(source, "y")];
  test.each([
    [{ host: "a.b.test" }, { host: "*.b.test" }, "exact host before wildcard host", "host"],
    [{ host: "a.b.test" }, {}, "exact host before no host", "host"],
    [{ host: "*.b.test" }, { host: "*.test" }, "longer wildcard host", "host"],
    [{ path: pathOf.exact("/x") }, { path: pathOf.pattern("/:id") }, "exact path before pattern", "path"],
    [
      { path: pathOf.prefix("/x") },
      { path: pathOf.prefix("/") },
      "longer path (2 literal characters before 1)",
      "path",
    ],
    [
      { path: pathOf.pattern("/:id") },
      { path: pathOf.prefix("/") },
      "pattern before prefix of the same length",
      "path",
    ],
    [{ methods: ["GET"] }, {}, "method given before any method", "method"],
    [{ criteria: both("header") }, { criteria: [criterion("header", "x")] }, "more headers (2 before 1)", "header"],
    [
      { criteria: both("query") },
      { criteria: [criterion("query", "x")] },
      "more query parameters (2 before 1)",
      "query",
    ],
    [{}, {}, "order in the document", "order"],
  ])("a route is outranked: %j before %j", (first, second, text, criterion) => {
    const request = { host: "a.b.test", path: "/x", headers: { x: "1", y: "1" }, query: { x: "1", y: "1" } };
    const { winner, losers } = explain([entry("winner", first), entry("loser", second)], request);
    expect(winner?.route).toBe("winner");
    const loss = { kind: "outranked", criterion, text: `matches, but is outranked by winner: ${text}` };
    expect(losers.map(({ loss }) => loss)).toEqual([loss]);
  });
});

test("a route is told of once, by the entry that comes closest, and not at all when another of its entries has won", () => {
  const entries = [
    entry("far", { host: "a.test" }),
    entry("far", { methods: ["PUT"], order: 1 }),
    entry("won", { host: "b.test", order: 2 }),
    entry("won", { order: 3 }),
  ];
  const { winner, losers } = explainRoutes(buildRouteTable(entries), factsOf({}), telling);
  expect(winner?.order).toBe(3);
  expect(losers.map(({ entry, loss }) => [entry.order, loss.criterion])).toEqual([[1, "method"]]);
});

test("of losers that match an exact path comes before all others of its host", () => {
  const paths = [pathOf.regex("/x/y"), pathOf.prefix("/x/y"), pathOf.pattern("/x/y"), pathOf.exact("/x/y")];
  const entries = paths.map((path, order) => entry(path.kind, { path, order }));
  const table = buildRouteTable([entry("winner", { host: "any.test" }), ...entries]);
  const { losers } = explainRoutes(table, factsOf({ path: "/x/y" }), telling);
  expect(losers.map(({ entry }) => entry.route)).toEqual(["exact", "pattern", "prefix", "regex"]);
});

test("of losers that match a longer wildcard host comes before a shorter one", () => {
  const hosts = ["*.test", "*.b.test", null, "a.b.test"];
  const table = buildRouteTable(hosts.map((host, order) => entry(`${host}`, { host, order })));
  const { losers } = explainRoutes(table, factsOf({ host: "a.b.test" }), telling);
  expect(losers.map(({ entry }) => entry.route)).toEqual(["*.b.test", "*.test", "null"]);
});

test("the best are listed and the rest counted", () => {
  const entries = ["a", "b", "c", "d"].map((route, order) => entry(route, { order }));
  const explained = explainRoutes(buildRouteTable(entries), factsOf({}), { ...telling, losersMax: 2 });
  expect(explained.losers.map(({ entry }) => entry.route)).toEqual(["b", "c"]);
  expect(explained.more).toBe(1);
});

test("texts of the document are shown as the caller wants, long values of the request by their beginning", () => {
  const criteria = [criterion("header", "x-key", "exact", "secret")];
  const entries = [entry("a", { criteria }), entry("b", { host: "hidden.test", order: 1 })];
  const show = (text: string) => (text === "secret" || text === "hidden.test" ? `\${VAR}` : text);
  const facts = factsOf({ headers: { "x-key": "y".repeat(1_000) } });
  const { losers } = explainRoutes(buildRouteTable(entries), facts, { ...telling, show });
  expect(losers.map(({ loss }) => loss.text)).toEqual([
    `does not match: header x-key is "${"y".repeat(200)}"..., want exact \${VAR}`,
    `does not match: host is "any.test", want \${VAR}`,
  ]);
});

test.each([
  [pathOf.exact("/a"), "/a"],
  [pathOf.prefix("/"), "/"],
  [pathOf.prefix("/a/"), "/a"],
  [pathOf.pattern("/:id/*"), "/:id/*"],
  [pathOf.regex("/a|/b"), "/a|/b"],
])("a path is shown as it is compared: %j", (path, text) => {
  expect(pathText(path)).toBe(text);
});

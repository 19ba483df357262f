/** Nothing of an original is dropped silently: it makes a difference, or a note says what became of it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Imported, importGatewayApi, importKong, importOpenApi, summarize } from "../../../../cli/import/index.ts";
import { configOf } from "../../snapshot/support.ts";
import { fixture, leavesOf, listed, placesOf, replaced, silent } from "./support.ts";

type Importer = (documents: readonly unknown[]) => Imported;
const gatewayApi: Importer = (documents) => importGatewayApi(documents);
const openApi: Importer = (documents) => importOpenApi(documents);
const cases: [name: string, importer: Importer][] = [
  ["kong.yaml", importKong],
  ["kong-2.1.yaml", importKong],
  ["gateway-api.yaml", gatewayApi],
  ["petstore.yaml", openApi],
  ["webhooks.yaml", openApi],
  ["operations.yaml", openApi],
];

describe.each(cases)("%s", (name, importer) => {
  const documents = fixture(name);

  test("every value is used or noted: to change it changes the result, or it is in a note", () => {
    expect(documents.flatMap((document) => leavesOf(document)).length).toBeGreaterThan(20);
    expect(silent(importer, documents)).toEqual([]);
  });

  test("notes come in the order of the original, each once", () => {
    const places = listed(importer(documents));
    expect(new Set(places).size).toBe(places.length);
    const order = documents.flatMap((document, index) =>
      leavesOf(document).map((path) => [index, ...path, ""].join("/")),
    );
    const first = importer(documents).notes.map(({ source }) => {
      const place = [source.document, ...source.path, ""].join("/");
      return order.findIndex((leaf) => leaf.startsWith(place));
    });
    const present = first.filter((index) => index !== -1);
    expect(present).toEqual(present.toSorted((a, b) => a - b));
  });

  test("whatever stands in the place of a value, the result compiles", () => {
    const places = documents.flatMap((document, index) => placesOf(document).map((path) => ({ index, path })));
    fc.assert(
      fc.property(fc.constantFrom(...places), odd, ({ index, path }, value) => {
        const changed = documents.with(index, replaced(documents[index], path, value));
        const imported = importer(changed);
        configOf(imported.config, { ALLOW_PRIVATE_ORIGINS: "true" });
      }),
      { numRuns: 300, seed: 5 },
    );
  });
});

/** What people and programs write in wrong places. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    "",
    "a b",
    "*",
    "~(",
    "$x",
    "/",
    "//",
    "http://",
    "-1s",
    "%",
    "#/%",
    0,
    -1,
    0.5,
    1e12,
    true,
    null,
    [],
    {},
    [[]],
    [null],
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

test.each(cases)("documents of any other shape are noted, not thrown at (%s)", (_, importer) => {
  fc.assert(
    fc.property(fc.jsonValue(), (document) => {
      const { config, notes } = importer([document]);
      expect(config.routes).toEqual([]);
      const isNoted = leavesOf(document).length === 0 || notes.length > 0;
      expect(isNoted).toBe(true);
    }),
    { numRuns: 200, seed: 5 },
  );
});

test("what is said of many places is said once to a person", () => {
  const { notes } = importOpenApi(fixture("petstore.yaml"));
  const groups = summarize(notes);
  expect(groups.flatMap(({ places }) => places)).toHaveLength(notes.length);
  expect(groups.length).toBeLessThan(20);
  expect(groups.find(({ what }) => what.startsWith("requestBody"))?.places).toHaveLength(9);
  expect(new Set(groups.map(({ what, hint }) => what + hint)).size).toBe(groups.length);
});

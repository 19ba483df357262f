import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinDocuments } from "../../../../cli/files/join.ts";
import { jsonOf, type Part } from "../../../../cli/files/part.ts";
import { locationText } from "../../../../cli/files/place.ts";
import { find } from "../../../../cli/files/pointer.ts";
import type { JsonValue } from "../../../../src/core/json/types.ts";
import { jsonValue, parsed, partOf, pointersOf, said, textAt, valueAt } from "./support.ts";

/** Files a.yaml, b.yaml and so on. */
function join(...texts: string[]) {
  const [first, ...others] = texts.map((text, index) => parsed(text, `${"abc"[index]}.yaml`));
  return joinDocuments([first!, ...others]);
}

test("services and limits join by name, routes one after the other, the gateway key by key", () => {
  const { document, problems } = join(
    "gateway: {debugHeaders: true}\nservices: {users: {}}\nrateLimits: {a: {windows: []}}\nroutes: [{name: x}]",
    "gateway: {echoRequestId: true}\nservices: {orders: {}}\nroutes: [{name: y}, {name: z}]",
    "rateLimits: {b: {}}",
  );
  expect(problems).toEqual([]);
  expect(jsonOf(document)).toEqual({
    gateway: { debugHeaders: true, echoRequestId: true },
    services: { users: {}, orders: {} },
    rateLimits: { a: { windows: [] }, b: {} },
    routes: [{ name: "x" }, { name: "y" }, { name: "z" }],
  });
});

describe("the same thing in two files is a problem that names both places", () => {
  test.each<[string, string, string, string]>([
    [
      "a service",
      "services:\n  users: {}",
      "services:\n  orders: {}\n  users: {}",
      "b.yaml:3:3 this is in a.yaml:2:3 already @/services/users",
    ],
    [
      "a limit",
      "rateLimits: {a: {}}",
      "rateLimits: {a: {}}",
      "b.yaml:1:14 this is in a.yaml:1:14 already @/rateLimits/a",
    ],
    [
      "a key of the gateway",
      "gateway: {debugHeaders: true}",
      "gateway: {debugHeaders: true}",
      "b.yaml:1:11 this is in a.yaml:1:11 already @/gateway/debugHeaders",
    ],
    [
      "a route",
      "routes:\n  - name: x",
      "routes:\n  - {name: y}\n  - {name: x}",
      "b.yaml:3:5 this is in a.yaml:2:5 already @/routes/x",
    ],
    ["a part that is not joined", "other: {a: 1}", "other: {b: 1}", "b.yaml:1:1 this is in a.yaml:1:1 already @/other"],
  ])("%s", (_, first, second, problem) => {
    expect(said(join(first, second).problems)).toEqual([problem]);
  });

  test("also when they are two documents of one file", () => {
    const route = partOf({ routes: [{ name: "x" }] });
    expect(said(joinDocuments([route, route]).problems)).toEqual([
      "a.json:3:5 this is in a.json:3:5 already @/routes/x",
    ]);
  });
});

test.each<[string, string, string, string]>([
  [
    "an object and a list",
    "services: {}",
    "services: []",
    "b.yaml:1:1 must be an object, here and in a.yaml:1:1 @/services",
  ],
  ["nothing", "routes: []", "routes:", "b.yaml:1:1 must be a list, here and in a.yaml:1:1 @/routes"],
  ["a document that is no object", "{}", "- a", "b.yaml:1:1 a configuration is an object; an empty one is {}"],
])("what cannot be joined is a problem: %s", (_, first, second, problem) => {
  expect(said(join(first, second).problems)).toEqual([problem]);
});

test("every file may name its schema for editors; the first counts", () => {
  const { document, problems } = join("$schema: a", "$schema: b\ngateway: {}");
  expect(problems).toEqual([]);
  expect(jsonOf(document)).toEqual({ $schema: "a", gateway: {} });
});

test("what is wrong within one file is left to the compiler", () => {
  const { document, problems } = join("routes: [{name: x}, {name: x}]\nservices: 1");
  expect(problems).toEqual([]);
  expect(jsonOf(document)).toEqual({ routes: [{ name: "x" }, { name: "x" }], services: 1 });
});

const entries = fc.dictionary(
  fc.string({ maxLength: 3 }).filter((name) => name !== "__proto__"),
  jsonValue,
  { maxKeys: 6 },
);
const configuration = fc.record({
  gateway: entries,
  services: entries,
  rateLimits: entries,
  routes: fc.uniqueArray(fc.record({ name: fc.string({ maxLength: 3 }), x: jsonValue }), {
    selector: ({ name }) => name,
    maxLength: 6,
  }),
});

/** Gives each entry of every part of a document to one of three files; routes in their order. */
function split(document: Record<string, JsonValue>, picks: readonly number[]): Record<string, JsonValue>[] {
  let next = 0;
  const pick = () => picks[next++ % picks.length]!;
  return Object.entries(document).reduce<Record<string, JsonValue>[]>(
    (files, [part, content]) => {
      if (Array.isArray(content)) {
        const cuts = [pick(), pick()].map((cut) => (cut * content.length) / 2).sort((a, b) => a - b);
        const ends = [0, ...cuts.map(Math.floor), content.length];
        return files.map((file, index) => ({ ...file, [part]: content.slice(ends[index], ends[index + 1]) }));
      }
      const owners = new Map(Object.keys(content as object).map((name) => [name, pick()]));
      return files.map((file, index) => ({
        ...file,
        [part]: Object.fromEntries(Object.entries(content as object).filter(([name]) => owners.get(name) === index)),
      }));
    },
    [{}, {}, {}],
  );
}

test("a document split into files and joined again is that document, and every part is where it was written", () => {
  fc.assert(
    fc.property(configuration, fc.array(fc.nat(2), { minLength: 1, maxLength: 20 }), (document, picks) => {
      const files = split(document, picks);
      const [first, ...others] = files.map((file, index): Part => partOf(file, `${index}.json`));
      const { document: joined, problems } = joinDocuments([first!, ...others]);
      expect(problems).toEqual([]);
      expect(jsonOf(joined)).toEqual(JSON.parse(JSON.stringify(document)));
      for (const pointer of pointersOf(jsonOf(joined)).filter((pointer) => pointer.split("/").length > 2)) {
        expect(JSON.parse(textAt(joined, pointer)), pointer).toEqual(valueAt(jsonOf(joined), pointer));
      }
    }),
  );
});

test("a part of the second file is found there", () => {
  const { document } = join("routes: [{name: x}]", "routes:\n  - name: y\n    service: s");
  expect(locationText(find(document, "/routes/1/service").part.at)).toBe("b.yaml:3:14");
  expect(locationText(find(document, "/routes/0/name").part.at)).toBe("a.yaml:1:17");
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonOf } from "../../../cli/files/part.ts";
import { mergeKnown, unnamedIn } from "../../../cli/merge.ts";
import type { JsonValue } from "../../../src/core/json/types.ts";
import { partOf } from "./files/support.ts";

const names = ["a", "b", "c", "d", "e"];
const map = fc.dictionary(fc.constantFrom(...names), fc.record({ x: fc.nat(2) }), { maxKeys: 4 });
const routes = fc
  .uniqueArray(fc.constantFrom(...names), { maxLength: 5 })
  .chain((list) => fc.tuple(...list.map((name) => fc.record({ name: fc.constant(name), x: fc.nat(2) }))));
const document = fc.record({ gateway: map, services: map, rateLimits: map, routes }, { requiredKeys: [] });

const merged = (current: JsonValue, files: JsonValue) => jsonOf(mergeKnown(partOf(current), partOf(files)));
type Config = Record<string, Record<string, unknown>> & { routes?: { name: string }[] };

describe("apply", () => {
  test("takes what the files name as a whole, keeps all else, and has nothing to do the second time", () => {
    fc.assert(
      fc.property(document, document, (current, files) => {
        const result = merged(current as JsonValue, files as JsonValue) as Config;
        const [before, given] = [current, files] as unknown as [Config, Config];
        for (const part of ["gateway", "services", "rateLimits"]) {
          expect(result[part] ?? {}).toEqual({ ...before[part], ...given[part] });
        }
        const named = new Set(given.routes?.map(({ name }) => name));
        const isNamed = ({ name }: { name: string }) => named.has(name);
        expect((result.routes ?? []).filter(isNamed)).toEqual(given.routes ?? []);
        const others = (before.routes ?? []).filter((route) => !isNamed(route));
        expect((result.routes ?? []).filter((route) => !isNamed(route))).toEqual(others);
        expect(merged(result as unknown as JsonValue, files as JsonValue)).toEqual(result);
      }),
    );
  });

  test("what sync removes is what apply keeps unasked", () => {
    const sizeOf = (value: Config) =>
      Object.values(value).reduce((sum, part) => sum + (Array.isArray(part) ? part : Object.keys(part)).length, 0);
    fc.assert(
      fc.property(document, document, (current, files) => {
        const kept = merged(current as JsonValue, files as JsonValue);
        const unnamed = unnamedIn(partOf(current as JsonValue), partOf(files as JsonValue));
        expect(unnamed).toHaveLength(sizeOf(kept as unknown as Config) - sizeOf(files as unknown as Config));
      }),
    );
  });

  test("a new route stands before the one that it stands before in the files", () => {
    const list = (...all: string[]) => ({ routes: all.map((name) => ({ name })) });
    const named = (value: JsonValue) =>
      (value as { routes: { name: string }[] }).routes.map(({ name }) => name).join("");
    expect(named(merged(list("x", "a", "y", "b", "z"), list("b", "n", "a", "m")))).toBe("xbynazm");
    expect(named(merged(list("x"), list("n", "m")))).toBe("xnm");
  });

  test("what has the wrong shape is taken as it is, for the gateway to refuse", () => {
    expect(merged({ services: { a: {} }, routes: [] }, { services: [], routes: { a: 1 }, more: null })).toEqual({
      services: [],
      routes: { a: 1 },
      more: null,
    });
    expect(merged({ services: {} }, [1])).toEqual([1]);
  });
});

test("places are named by what a person calls them", () => {
  const current = { services: { a: {}, "b/c": {} }, gateway: { x: 1 }, routes: [{ name: "r" }, { name: "s" }] };
  expect(unnamedIn(partOf(current), partOf({ services: { a: {} }, routes: [{ name: "s" }] }))).toEqual([
    "/gateway/x",
    "/services/b~1c",
    "/routes/r",
  ]);
});

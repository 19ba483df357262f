import { describe, expect, test } from "vitest";
import {
  type Criterion,
  meets,
  type RequestFacts,
  readValue,
  shownFacts,
  withMethod,
} from "../../../src/core/facts.ts";

const shown = {
  method: "GET",
  host: "gateway.test",
  path: "/a",
  clientIp: "192.0.2.7",
  continent: "EU",
  country: "DE",
  region: "BY",
  colo: "MUC",
};
const facts: RequestFacts = {
  ...shown,
  header: (name) => (name === "x-a" ? "header value" : null),
  query: (name) => (name === "a" ? "query value" : null),
  cookie: (name) => (name === "a" ? "cookie value" : null),
};

test("a request with another method is the same request", () => {
  const other = withMethod(facts, "HEAD");
  expect(shownFacts(other)).toEqual({ ...shown, method: "HEAD" });
  const values = (of: RequestFacts) =>
    (["header", "query", "cookie"] as const).flatMap((source) =>
      ["x-a", "a"].map((name) => readValue(of, source, name)),
    );
  expect(values(other)).toEqual(values(facts));
  expect(values(other)).toEqual(["header value", null, null, "query value", null, "cookie value"]);
});

test("what is shown of a request are its plain values", () => expect(shownFacts(facts)).toEqual(shown));

describe("a criterion", () => {
  const of = (kind: Criterion["kind"], expected: string, name: string, test?: Criterion["test"]) =>
    meets({ source: "header", name, kind, expected, ...(test && { test }) }, facts);

  test.each<[kind: Criterion["kind"], expected: string, ofValue: boolean, ofNone: boolean]>([
    ["present", "true", true, false],
    ["present", "false", false, true],
    ["exact", "header value", true, false],
    ["exact", "header", false, false],
    ["prefix", "header", true, false],
    ["prefix", "value", false, false],
    ["prefix", "", true, false],
    ["regex", "without its test", false, false],
  ])("%s %j holds of a value: %s, of none: %s", (kind, expected, ofValue, ofNone) => {
    expect([of(kind, expected, "x-a"), of(kind, expected, "x-b")]).toEqual([ofValue, ofNone]);
  });

  test("regex holds if its test says so, which is asked about values only", () => {
    expect(of("regex", "", "x-a", (value) => value === "header value")).toBe(true);
    expect(of("regex", "", "x-a", () => false)).toBe(false);
    expect(of("regex", "", "x-b", () => true)).toBe(false);
  });
});

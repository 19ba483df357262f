/** What the fuzzer of admin calls says of answers and of changes that are wrong. */
import { describe, expect, it } from "vitest";
import { type Answer, type Exchange, wrongWithAnswer } from "./admin-answers.ts";
import { adminCalls, unmatchedCalls } from "./admin-calls.ts";
import { type State, wrongWithChange } from "./admin-state.ts";
import { readingOf } from "./bodies.ts";
import { writtenOf } from "./written.ts";

const calls = adminCalls("lease");
const callOf = (name: string) => calls.find((call) => call.name === name)!;

function exchange(name: string, sent: unknown, answer: Answer | null): Exchange {
  const body = { bytes: Buffer.from(JSON.stringify(sent)), written: writtenOf(sent) };
  const call = callOf(name);
  return { call, target: call.targets.at(-1)!, body, reading: readingOf(body), answer };
}

function refused(change: Record<string, unknown> = {}, status = 400): Answer {
  const code = "invalid_request";
  const errors = [{ detail: "missing", pointer: "#/leaseId" }];
  const problem = {
    type: `urn:sluice:error:${code}`,
    title: "T",
    status,
    detail: "D",
    code,
    requestId: "r",
    errors,
    ...change,
  };
  const headers = { "content-type": "application/problem+json", "sluice-error": code, "x-request-id": "r" };
  return { status, headers: new Map(Object.entries(headers)), text: JSON.stringify(problem) };
}
const accepted = (answer: unknown): Answer => ({ status: 200, headers: new Map(), text: JSON.stringify(answer) });
const heartbeats = "POST /v1/heartbeats";

describe("an answer", () => {
  it("that is right is", () => {
    expect(wrongWithAnswer(exchange(heartbeats, {}, refused()))).toBeNull();
    expect(wrongWithAnswer(exchange(heartbeats, {}, accepted({})))).toBeNull();
  });

  it.each<[string, Answer | null, RegExp]>([
    ["does not come", null, /no answer/],
    ["is a failure", refused({}, 500), /^500/],
    ["names no place", refused({ errors: undefined }), /names no place/],
    [
      "names a place that is none",
      refused({ errors: [{ detail: "d", pointer: "#/a/b/c" }] }),
      /where there is nothing/,
    ],
    ["has a code that is none", refused({ code: "oops" }), /with the code oops/],
    ["tells a stack", refused({ detail: "TypeError: x" }), /tells TypeError/],
    ["tells a token", refused({ detail: "test-admin" }), /tells test-admin/],
    ["has another id", refused({ requestId: "other" }), /no id/],
  ])("that %s is found", (_, answer, what) => expect(wrongWithAnswer(exchange(heartbeats, {}, answer))).toMatch(what));

  it("that accepts what is no JSON is found", () => {
    const body = { bytes: Buffer.from('{"a":1,"a":2}'), written: null };
    const flawed = { ...exchange(heartbeats, {}, accepted({})), body, reading: { kind: "broken" as const } };
    expect(wrongWithAnswer(flawed)).toMatch(/may not be taken/);
  });
});

describe("a change", () => {
  const registry = { revision: 3, origins: {} };
  const before: State = { revision: 5, text: "{}", registry, orders: { "*": "auto" } };
  const documents = new Map<number, unknown>([
    [5, {}],
    [6, { a: 1 }],
  ]);
  const put = (sent: unknown, revision: number) => exchange("PUT /v1/config", sent, accepted({ revision }));
  const applied = { ...before, revision: 6, text: '{"a":1}' };

  it("that was asked for is right", () => {
    expect(wrongWithChange("config", [put({ a: 1 }, 6)], before, applied, documents)).toBeNull();
    const patch = exchange("PATCH /v1/config", { a: 1, b: null }, accepted({ revision: 6 }));
    expect(wrongWithChange("config", [patch], before, applied, documents)).toBeNull();
  });

  it("is right with the text of either of two that say the same, and of no third", () => {
    const spaced = put({ a: 1 }, 6);
    const other = { ...spaced, reading: { kind: "clean" as const, text: '{ "a": 1 }', value: { a: 1 } } };
    expect(wrongWithChange("config", [other, spaced], before, applied, documents)).toBeNull();
    expect(wrongWithChange("config", [other], before, applied, documents)).toMatch(/none that was sent/);
  });

  it("of the configuration by a refusal, or into something else, is found", () => {
    const none = exchange("PUT /v1/config", {}, refused());
    expect(wrongWithChange("config", [none], before, applied, documents)).toMatch(/by nobody/);
    expect(wrongWithChange("config", [put({ a: 2 }, 6)], before, applied, documents)).toMatch(/not what was sent/);
    expect(wrongWithChange("nothing", [], before, applied, documents)).toMatch(/configuration has changed/);
  });

  it("of an origin that nobody registered, or into another one, is found", () => {
    const origin = { url: "http://a.example", version: null, weight: 1, zone: null, state: "ready", metadata: {} };
    const after = { ...before, registry: { revision: 4, origins: { a: origin } } };
    const name = "POST /v1/services/{service}/origins";
    const register = (url: string) => exchange(name, { url }, accepted({ origin: "a", revision: 4 }));
    expect(wrongWithChange("registry", [register("http://a.example/")], before, after, documents)).toBeNull();
    expect(wrongWithChange("registry", [register("http://b.example")], before, after, documents)).toMatch(
      /the origin a/,
    );
    expect(wrongWithChange("registry", [], before, after, documents)).toMatch(/revision/);
    expect(wrongWithChange("breakers", [], before, after, documents)).toMatch(/registry has changed/);
  });

  it("of an order that nobody gave is found", () => {
    const after = { ...before, orders: { "*": "disabled" } };
    expect(wrongWithChange("breakers", [], before, after, documents)).toMatch(/the order to/);
  });
});

it("a call with a body for which no bodies are made is named", () => {
  const described = calls.map(
    ({ name, method }) => [`/_sluice${name.slice(name.indexOf("/"))}`, method.toLowerCase()] as const,
  );
  const paths: Record<string, Record<string, object>> = {};
  for (const [path, method] of described) paths[path] = { ...paths[path], [method]: { requestBody: {} } };
  expect(unmatchedCalls({ paths }, calls)).toEqual([]);
  paths["/_sluice/v1/new"] = { post: { requestBody: {} } };
  expect(unmatchedCalls({ paths }, calls)).toEqual(["POST /v1/new"]);
});

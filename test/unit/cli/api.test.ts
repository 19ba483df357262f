import { afterEach, describe, expect, test } from "vitest";
import { newApi, Refusal, Unreachable } from "../../../cli/api.ts";
import { Failure } from "../../../cli/failure.ts";
import { limits } from "../../../cli/limits.ts";
import { type FakeGateway, fakeGateway, problem, type Reply } from "./support.ts";

let gateway: FakeGateway;
afterEach(() => gateway?.close());

async function api(...replies: Reply[]) {
  gateway = await fakeGateway((_, index) => replies[Math.min(index, replies.length - 1)]!);
  return newApi(gateway.url, "secret");
}

const failureOf = (promise: Promise<unknown>) => promise.then(() => null).catch((error: unknown) => error as Failure);

test("a call carries the token, the revision it replaces, and its query; an answer has its revision", async () => {
  const { call } = await api({ headers: { etag: '"7"' }, body: { a: 1 } });
  const answer = await call("/v1/config", {
    method: "PUT",
    body: "{}",
    ifMatch: 6,
    query: { note: "a b&c", none: undefined },
  });
  expect(answer).toMatchObject({ body: { a: 1 }, revision: 7, status: 200 });
  const [asked] = gateway.asked;
  expect(asked).toMatchObject({ method: "PUT", path: "/v1/config?note=a+b%26c", body: "{}" });
  expect(asked!.headers).toMatchObject({ authorization: "Bearer secret", "if-match": '"6"' });
});

test("a refusal says what the gateway says, with every problem", async () => {
  const errors = [{ detail: "is wrong", pointer: "#/url" }];
  const error = (await failureOf((await api(problem(400, "invalid_request", { errors }))).call("/x"))) as Refusal;
  expect(error).toBeInstanceOf(Refusal);
  expect(error.message).toBe("It is invalid_request. (400 invalid_request, request r1)");
  expect(error.details).toEqual(["#/url: is wrong"]);
  expect(error.report).toEqual({ code: "invalid_request", status: 400, requestId: "r1", errors });
});

describe("what only reads is tried again when that may help", () => {
  test.each<[string, Reply]>([
    ["a broken connection", { isCut: true }],
    ["a gateway without its control plane", problem(503, "control_plane_unavailable")],
    ["an answer of something before the gateway", { status: 502, body: "<html>" }],
  ])("%s", async (_, reply) => {
    const { call } = await api(reply, { body: 1 });
    expect((await call("/x")).body).toBe(1);
    expect(gateway.asked).toHaveLength(2);
  });

  test.each<[string, Reply]>([
    ["a refusal", problem(403, "forbidden")],
    ["a gateway without a configuration", problem(503, "gateway_unconfigured")],
    ["a page of something else", { body: "<html>" }],
  ])("not %s", async (_, reply) => {
    const error = await failureOf((await api(reply)).call("/x"));
    expect(error).toBeInstanceOf(Failure);
    expect(gateway.asked).toHaveLength(1);
  });

  test("not for ever", async () => {
    expect(await failureOf((await api({ isCut: true })).call("/x"))).toBeInstanceOf(Unreachable);
    expect(gateway.asked).toHaveLength(limits.readTriesMax);
  });
});

test("what writes is sent once, and its outcome is not guessed", async () => {
  const error = await failureOf((await api({ isCut: true })).call("/x", { method: "POST", body: "{}" }));
  expect(error?.message).toMatch(/cannot be reached: .*; whether it did what it was asked is not known$/);
  expect(gateway.asked).toHaveLength(1);
});

test("the token is not taken elsewhere by a redirect", async () => {
  const other = await fakeGateway(() => ({}));
  const { call } = await api({ status: 307, headers: { location: `${other.url}/` } });
  expect(await failureOf(call("/x", { method: "POST", body: "{}" }))).toBeInstanceOf(Failure);
  expect(other.asked).toEqual([]);
  await other.close();
});

test("a call ends with its deadline", async () => {
  gateway = await fakeGateway(() => new Promise(() => {}));
  const call = newApi(gateway.url, "secret").call("/x", { method: "PUT", timeoutMs: 50 });
  expect((await failureOf(call))?.message).toContain("did not answer within 0.05 s");
});

describe("the URL of a gateway", () => {
  test.each([
    ["https://a.example/", "https://a.example"],
    ["https://a.example/_sluice/", "https://a.example"],
    ["http://a.example:8/base", "http://a.example:8/base"],
  ])("%s is %s", (given, base) => {
    expect(newApi(given, "t").url).toBe(base);
  });

  test.each(["a.example", "ftp://a.example", "", "https://u:p@a.example"])("%j is none", (given) => {
    expect(() => newApi(given, "t")).toThrow(Failure);
  });
});

import { createExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { HeaderSection } from "../../src/header-section.ts";
import { handle } from "../../src/pipeline/index.ts";
import { targetFor } from "../../src/target.ts";
import { type Applied, apply, type Call, call, errorsOf, problemOf } from "./admin-support.ts";

const redirecting = (hostname: string) => ({
  gateway: { debugHeaders: true },
  routes: [{ name: "all", redirect: { hostname } }],
});
const put = (body: unknown, query = "", options: Call = {}) => call("PUT", `/v1/config${query}`, { ...options, body });
const applied = async (response: Response): Promise<Applied> => {
  if (response.status !== 200) throw new Error(await response.text());
  return response.json<Applied>();
};
const canary = () => call("GET", "/v1/config/canary", { role: "viewer" });
const inForce = async () => Number((await call("GET", "/v1/config")).headers.get("etag")?.replaceAll('"', ""));

/** Where a client is sent, and by which revision. */
async function visit(address: string): Promise<readonly [string | undefined, number]> {
  const headers = { "cf-connecting-ip": address };
  const response = await exports.default.fetch("https://api.example/", { headers, redirect: "manual" });
  const revision = /revision=(\d+)/.exec(response.headers.get("sluice-decision") ?? "")?.[1];
  return [response.headers.get("location") ?? undefined, Number(revision)];
}
const addresses = Array.from({ length: 400 }, (_, at) => `192.0.${at >> 8}.${at & 255}`);
const visits = async () => {
  const all = new Map<string, number>();
  for (const address of addresses) {
    const [location, revision] = await visit(address);
    expect(location).toMatch(revision === newest ? /canary/ : /stable/);
    all.set(address, revision);
  }
  return all;
};

let stable: number;
let newest: number;
let count = 0;
beforeEach(async () => {
  await call("DELETE", "/v1/config/canary");
  stable = (await apply(redirecting(`stable-${count++}.example`))).revision;
  newest = stable + 1;
});
const start = (percent: number) => put(redirecting("canary.example"), `?canary=${percent}&note=try`);

describe("a canary", () => {
  test("is a new revision that a share of the clients gets, always the same ones, and more when it grows", async () => {
    expect(await applied(await start(20))).toMatchObject({ revision: newest, changes: [{ op: "replace" }] });
    expect(await inForce()).toBe(stable);
    expect(await (await canary()).json()).toMatchObject({ revision: newest, percent: 20 });
    const first = await visits();
    expect(await visits()).toEqual(first);
    const tried = addresses.filter((address) => first.get(address) === newest);
    expect(tried.length / addresses.length).toBeGreaterThan(0.12);
    expect(tried.length / addresses.length).toBeLessThan(0.28);
    expect(await applied(await start(50))).toMatchObject({ revision: newest });
    const grown = await visits();
    for (const address of tried) expect(grown.get(address)).toBe(newest);
    const share = [...grown.values()].filter((revision) => revision === newest).length / addresses.length;
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.6);
  });
  test("is in force for all when it is promoted, under its own number", async () => {
    await start(10);
    const promoted = await call("POST", "/v1/config/canary/promote");
    expect(promoted.headers.get("etag")).toBe(`"${newest}"`);
    expect(await applied(promoted)).toMatchObject({ revision: newest, changes: [{ op: "replace" }] });
    expect(await inForce()).toBe(newest);
    for (const address of addresses.slice(0, 30))
      expect(await visit(address)).toEqual(["https://canary.example/", newest]);
    await problemOf(await canary(), "not_found");
    expect((await apply(redirecting("after.example"))).revision).toBe(newest + 1);
  });
  test("is ended and promoted only as the one that is expected, when asked to", async () => {
    await start(10);
    const headers = { "if-match": `"${stable}"` };
    for (const [method, path] of [
      ["POST", "/v1/config/canary/promote"],
      ["DELETE", "/v1/config/canary"],
    ] as const) {
      const { revision } = await problemOf(await call(method, path, { headers }), "revision_conflict");
      expect(revision).toBe(newest);
    }
    const ended = await call("DELETE", "/v1/config/canary", { headers: { "if-match": `"${newest}"` } });
    expect(ended.status).toBe(200);
  });
  test("leaves no trace in traffic when it is ended, and its number is not used again", async () => {
    await start(90);
    expect(await applied(await call("DELETE", "/v1/config/canary"))).toMatchObject({ revision: stable, changes: [] });
    expect(new Set((await visits()).values())).toEqual(new Set([stable]));
    expect((await apply(redirecting("after.example"))).revision).toBe(newest + 1);
    expect(await (await call("GET", `/v1/config/revisions/${newest}`)).json()).toMatchObject({ note: "try" });
  });
  test("is replaced by another document only where it is named", async () => {
    await start(10);
    const other = redirecting("canary-2.example");
    await problemOf(await put(other, "?canary=30"), "canary_running");
    await problemOf(await put(other, "?canary=30", { headers: { "if-match": `"${stable}"` } }), "canary_running");
    const replaced = await put(other, "?canary=30", { headers: { "if-match": `"${newest}"` } });
    expect(await applied(replaced)).toMatchObject({ revision: newest + 1 });
    expect(await (await canary()).json()).toMatchObject({ revision: newest + 1, percent: 30 });
    await problemOf(await put(redirecting("x"), "?canary=5", { headers: { "if-match": '"1"' } }), "revision_conflict");
  });
  test("of several that begin at once is one", async () => {
    const headers = { "if-match": `"${stable}"` };
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map((at) => put(redirecting(`at-once-${at}.example`), "?canary=10", { headers })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
  });
  test("that says the same in other words is the same, and what is in force is none", async () => {
    await start(10);
    const { gateway, routes } = redirecting("canary.example");
    expect(await applied(await put(JSON.stringify({ routes, gateway }, null, 2), "?canary=40"))).toMatchObject({
      revision: newest,
    });
    expect(await (await canary()).json()).toMatchObject({ revision: newest, percent: 40, rejectedBy: [] });
    await problemOf(await put(await (await call("GET", "/v1/config")).text(), "?canary=50"), "canary_running");
  });
  test("is what is explained to those who get it", async () => {
    await start(50);
    for (const ip of addresses.slice(0, 20)) {
      const body = { url: "https://api.example/", ip };
      const explained = await (await call("POST", "/v1/explain", { body })).json<{ revision: number }>();
      expect(explained.revision).toBe((await visit(ip))[1]);
    }
  });
  test("has no say in what is checked", async () => {
    const service = (id: string) => ({ healthCheck: {}, origins: [{ id, url: `https://${id}.example.com` }] });
    // No origin is asked for a version that nobody has.
    const traffic = [{ versionFrom: { header: "x-version" }, onUnknown: "reject" }];
    const document = (id: string) => ({
      services: { checked: service(id) },
      routes: [{ name: "r", service: "checked", traffic }],
    });
    await apply(document("in-force"));
    const ordered: unknown[] = [];
    const registry = { order: async (...given: unknown[]) => void ordered.push(given) };
    const bindings = { ...env, SERVICE_REGISTRY: { getByName: () => registry } } as unknown as Env;
    await put(document("tried"), "?canary=50");
    for (const address of addresses.slice(0, 20)) {
      const request = new Request("https://api.example/", {
        headers: { "cf-connecting-ip": address, "x-version": "none" },
      });
      const ctx = createExecutionContext();
      await handle(
        {
          request,
          method: request.method,
          target: targetFor(request.url),
          headers: new HeaderSection(request.headers),
        },
        bindings,
        ctx,
      );
    }
    await scheduler.wait(50);
    expect(ordered.length).toBeGreaterThan(0);
    expect(JSON.stringify(ordered)).not.toContain("tried");
  });
  test("bars every other change but a rollback, which ends it", async () => {
    await start(50);
    const refused = await problemOf(await put(redirecting("other.example")), "canary_running");
    expect(refused.revision).toBe(newest);
    await problemOf(await call("PATCH", "/v1/config", { body: { services: { x: {} } } }), "canary_running");
    const body = { revision: stable };
    expect(await applied(await call("POST", "/v1/config/rollback", { body }))).toMatchObject({ revision: stable });
    await problemOf(await canary(), "not_found");
    expect(new Set((await visits()).values())).toEqual(new Set([stable]));
  });
  test("must compile like any other, has a share that is none of nothing and all, and can be tried dry", async () => {
    expect(await errorsOf(await put({ surprise: 1 }, "?canary=10"), "invalid_config")).toHaveProperty(["#/surprise"]);
    for (const percent of ["0", "100", "x", "1.5"]) {
      expect(await errorsOf(await put({}, `?canary=${percent}`), "invalid_request")).toHaveProperty(["#/canary"]);
    }
    expect(await applied(await put(redirecting("x.example"), "?canary=10&dryRun=true"))).toMatchObject({
      revision: newest,
    });
    await problemOf(await canary(), "not_found");
  });
  test("can be patched in, compares and swaps, and is for admins", async () => {
    await problemOf(
      await put(redirecting("x.example"), "?canary=10", { headers: { "if-match": `"${stable - 1}"` } }),
      "revision_conflict",
    );
    const patched = await call("PATCH", "/v1/config?canary=25", { body: { services: { fresh: {} } } });
    expect(await applied(patched)).toMatchObject({ revision: newest, changes: [{ op: "add" }] });
    expect(await (await canary()).json()).toMatchObject({ percent: 25 });
    for (const role of ["viewer", "registrar"] as const) {
      await problemOf(await call("POST", "/v1/config/canary/promote", { role }), "forbidden");
      await problemOf(await call("DELETE", "/v1/config/canary", { role }), "forbidden");
    }
    await call("DELETE", "/v1/config/canary");
    await problemOf(await call("POST", "/v1/config/canary/promote"), "not_found");
  });
});

import { exports } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bounds } from "../../src/bounds.ts";
import { type Applied, apply, type Call, call, callWith, errorsOf, problemOf } from "./admin-support.ts";

const put = (body: unknown, options: Call = {}, query = "") => call("PUT", `/v1/config${query}`, { ...options, body });
const redirecting = (hostname: string) => ({ routes: [{ name: "all", redirect: { hostname } }] });
const revisionInForce = async () => Number((await call("GET", "/v1/config")).headers.get("etag")?.replaceAll('"', ""));
const documentInForce = async () => (await call("GET", "/v1/config")).json();
/** Where traffic is sent: what is in force for clients. */
const locationNow = async () => {
  return (await exports.default.fetch("https://api.example/x", { redirect: "manual" })).headers.get("location");
};

let count = 0;
/** A document that no test has used. */
const fresh = () => redirecting(`h${count++}.example`);

describe("before the first configuration", () => {
  test("there is none to read, and traffic and health say so", async () => {
    await problemOf(await call("GET", "/v1/config"), "gateway_unconfigured");
    const health = await call("GET", "/health", { role: null });
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({ status: "unconfigured", configRevision: 0 });
  });
  test("revision 0 is what a writer expects who wants to be the first", async () => {
    const { revision } = await problemOf(await put({}, { headers: { "if-match": '"1"' } }), "revision_conflict");
    expect(revision).toBe(0);
    const response = await put({}, { headers: { "if-match": '"0"' } });
    expect(await response.json()).toMatchObject({ revision: 1, changes: [], warnings: [] });
    expect(await documentInForce()).toEqual({});
  });
});

describe("a document", () => {
  beforeAll(() => apply({}));

  test("comes back as it was written, with its revision as the ETag", async () => {
    const text = ' { "routes" : [ {"name":"b", "redirect":{"port":1}} ],\n "gateway":{} } ';
    const applied = await put(text);
    const { revision, hash } = await applied.json<Applied>();
    expect(applied.headers.get("etag")).toBe(`"${revision}"`);
    const read = await call("GET", "/v1/config", { role: "viewer" });
    expect(await read.text()).toBe(text);
    expect(read.headers.get("etag")).toBe(`"${revision}"`);
    expect(read.headers.get("content-type")).toBe("application/json");
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    expect(hash).toBe([...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
  });
  test("is in force for the isolate that took it as soon as it is answered", async () => {
    const { revision } = await apply(redirecting("now.example"));
    expect(await locationNow()).toBe("https://now.example/x");
    expect(await (await call("GET", "/health", { role: null })).json()).toMatchObject({
      status: "ok",
      configRevision: revision,
    });
  });
  test("raises the revision by one", async () => {
    const { revision } = await apply(fresh());
    expect((await apply(fresh())).revision).toBe(revision + 1);
  });
  test("that says the same makes no revision, whatever the order of its members and its white space", async () => {
    const { revision, hash } = await apply('{"gateway":{"trustedProxyHops":1,"debugHeaders":true},"services":{}}');
    const again = await apply('{ "services":{}, "gateway":{"debugHeaders":true,"trustedProxyHops":1} }');
    expect(again).toMatchObject({ revision, hash, changes: [] });
    expect(await revisionInForce()).toBe(revision);
  });
  test("may go back to what it was: the number still rises, and health follows it", async () => {
    const [one, two] = [fresh(), fresh()];
    const first = await apply(one);
    await apply(two);
    const third = await apply(one);
    expect(third).toMatchObject({ revision: first.revision + 2, hash: first.hash });
    expect(await (await call("GET", "/health", { role: null })).json()).toMatchObject({
      configRevision: third.revision,
    });
  });
  test("may be written with any Content-Type", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    expect((await put(JSON.stringify(fresh()), { headers })).status).toBe(200);
  });
  test("may begin with a byte order mark", async () => {
    expect((await put(`\ufeff${JSON.stringify(fresh())}`)).status).toBe(200);
  });
});

describe("what changed", () => {
  test("is listed, route by route", async () => {
    const route = (name: string, port: number) => ({
      name,
      redirect: { port },
      matches: [{ path: { exact: `/${name}` } }],
    });
    await apply({ routes: [route("a", 1), route("b", 2), route("c", 3)] });
    const { changes, truncated } = await apply({ gateway: {}, routes: [route("a", 9), route("c", 3), route("d", 4)] });
    expect(truncated).toBe(false);
    expect(changes).toContainEqual({ op: "remove", path: "/routes/1", from: route("b", 2) });
    expect(changes).toContainEqual({ op: "replace", path: "/routes/0/redirect/port", from: 1, to: 9 });
    expect(changes).toContainEqual({ op: "add", path: "/routes/2", to: route("d", 4) });
    expect(changes).toContainEqual({ op: "add", path: "/gateway", to: {} });
    expect(changes).toHaveLength(4);
  });
  test("is cut off at a bound", async () => {
    await apply({});
    const services = Object.fromEntries(
      Array.from({ length: bounds.changesListedMax + 1 }, (_, index) => [`s${index}`, {}]),
    );
    await apply({ services: { first: {} } });
    const { changes, truncated } = await apply({ services });
    expect(changes).toHaveLength(bounds.changesListedMax);
    expect(truncated).toBe(true);
    await apply({});
  });
  test("shows placeholders as placeholders, and so does everything that shows a document", async () => {
    const placeholder = `\${${"SECRET"}}`;
    const variables = { SECRET: "https://very-secret.example.com" };
    const document = (origin: string) => ({
      services: { s: { origins: [{ id: origin, url: placeholder }] } },
      routes: [{ name: "r", service: "s", rewrite: { setHeaders: { "x-key": placeholder } } }],
    });
    const first = await callWith(variables, "PUT", "/v1/config", { body: document("a") });
    const second = await callWith(variables, "PUT", "/v1/config", { body: document("b") });
    const refused = await callWith(variables, "PUT", "/v1/config", { body: { ...document("a"), extra: 1 } });
    const shown = [first, second, refused, await callWith(variables, "GET", "/v1/config")];
    for (const path of ["/v1/services", "/v1/services/s"]) shown.push(await callWith(variables, "GET", path));
    for (const [index, response] of shown.entries()) {
      const text = await response.text();
      expect(text).not.toContain("very-secret");
      if (index !== 2) expect(text).toContain(placeholder);
    }
    await apply({});
  });
  test("a placeholder that this Worker has no variable for is refused; the tokens are no variables", async () => {
    const document = (name: string) => ({
      services: { s: {} },
      routes: [{ name: "r", service: "s", rewrite: { setHeaders: { "x-key": `\${${name}}` } } }],
    });
    const pointer = "#/routes/0/rewrite/setHeaders/x-key";
    for (const name of ["NO_SUCH", "CONTROL_PLANE", "ADMIN_TOKEN", "VIEWER_TOKEN"]) {
      expect(Object.keys(await errorsOf(await put(document(name)), "invalid_config"))).toEqual([pointer]);
    }
    expect((await put(document("ALLOW_PRIVATE_ORIGINS"))).status).toBe(200);
  });
});

describe("compare and swap", () => {
  let revision = 0;
  beforeEach(async () => {
    revision = (await apply(fresh())).revision;
  });
  const swap = (ifMatch: string, query = "") => put(fresh(), { headers: { "if-match": ifMatch } }, query);

  test("takes the revision that is in force, also as a weak validator, or any", async () => {
    expect((await swap(`"${revision}"`)).status).toBe(200);
    expect((await swap(`W/"${revision + 1}"`)).status).toBe(200);
    expect((await swap("*")).status).toBe(200);
    expect(await revisionInForce()).toBe(revision + 3);
  });
  test.each([-1, 1, 100])("refuses another (%d from it), and says which it is", async (distance) => {
    expect(await problemOf(await swap(`"${revision + distance}"`), "revision_conflict")).toMatchObject({ revision });
    expect(await problemOf(await swap(`"${revision + distance}"`, "?dryRun=true"), "revision_conflict")).toMatchObject({
      revision,
    });
    expect(await revisionInForce()).toBe(revision);
  });
  test.each(["12", '"a"', '"-1"', '"1", "2"', '""', '"1.5"', '"9999999999999999"', "'1'", '"1'])(
    "refuses %s as no revision",
    async (ifMatch) => {
      await problemOf(await swap(ifMatch), "invalid_request");
      expect(await revisionInForce()).toBe(revision);
    },
  );
  test("lets exactly one of twenty writers win", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => swap(`"${revision}"`)));
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(19);
    expect(await revisionInForce()).toBe(revision + 1);
  });
  test("twenty writers who do not care make twenty revisions", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => put(fresh())));
    const revisions = await Promise.all(answers.map(async (answer) => (await answer.json<Applied>()).revision));
    expect(revisions.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => revision + 1 + index));
  });
});

describe("dryRun", () => {
  test("says what would happen and changes nothing", async () => {
    const { revision } = await apply(redirecting("before.example"));
    const dry = await (await put(redirecting("after.example"), {}, "?dryRun=true")).json<Applied>();
    expect(dry).toMatchObject({
      revision: revision + 1,
      changes: [{ op: "replace", path: "/routes/0/redirect/hostname", from: "before.example", to: "after.example" }],
    });
    expect(await revisionInForce()).toBe(revision);
    expect(await locationNow()).toBe("https://before.example/x");
    expect(await apply(redirecting("after.example"))).toMatchObject({ revision: dry.revision, hash: dry.hash });
  });
  test("refuses what would be refused", async () => {
    expect(await errorsOf(await put({ x: 1 }, {}, "?dryRun=true"), "invalid_config")).toEqual({ "#/x": "unknown key" });
  });
  test("false is none", async () => {
    const { revision } = await (await put(fresh(), {}, "?dryRun=false")).json<Applied>();
    expect(await revisionInForce()).toBe(revision);
  });
  test.each<readonly [string, string]>([
    ["?dryRun=yes", "#/dryRun"],
    ["?dryrun=true", "#/dryrun"],
    ["?note=a&other=b", "#/other"],
    [`?note=${"a".repeat(501)}`, "#/note"],
  ])("a query that is not understood changes nothing: %s", async (query, pointer) => {
    const revision = await revisionInForce();
    expect(Object.keys(await errorsOf(await put(fresh(), {}, query), "invalid_request"))).toEqual([pointer]);
    expect(await revisionInForce()).toBe(revision);
  });
});

describe("what is refused leaves the old document in force and serving", () => {
  let revision = 0;
  beforeAll(async () => {
    revision = (await apply(redirecting("old.example"))).revision;
  });
  const holds = async () => {
    expect(await revisionInForce()).toBe(revision);
    expect(await locationNow()).toBe("https://old.example/x");
  };

  test("a document with problems, all of which are listed", async () => {
    const document = {
      routes: [
        { name: "a", service: "x" },
        { name: "a", redirect: {} },
      ],
      services: { s: { origins: [{ id: "o", url: "ftp://x" }] } },
    };
    expect(await errorsOf(await put(document), "invalid_config")).toEqual({
      "#/services/s/origins/0/url": expect.any(String),
      "#/routes/0/service": expect.any(String),
      "#/routes/1/name": expect.any(String),
      "#/routes/1/redirect": expect.any(String),
    });
    await holds();
  });
  test("warnings refuse nothing", async () => {
    const twice = { routes: ["a", "b"].map((name) => ({ name, redirect: { hostname: "old.example" } })) };
    const dry = await (await put(twice, {}, "?dryRun=true")).json<Applied>();
    expect(dry.warnings).toEqual([{ pointer: "#/routes/1", detail: expect.stringContaining("#/routes/0") }]);
    await holds();
  });

  const endless = (byte: number) =>
    new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(1 << 20).fill(byte));
      },
    });
  test.each<readonly [string, unknown, "invalid_request" | "payload_too_large", RegExp]>([
    ["no body", undefined, "invalid_request", /empty/],
    ["an empty body", "", "invalid_request", /empty/],
    ["no JSON", "{'a':1}", "invalid_request", /not JSON/],
    ["half a document", '{"routes":[', "invalid_request", /not JSON/],
    ["two documents", "{}{}", "invalid_request", /not JSON/],
    ["YAML", "routes: []", "invalid_request", /not JSON/],
    ["Latin-1", new Uint8Array([0x7b, 0x22, 0xe4, 0x22, 0x3a, 0x31, 0x7d]), "invalid_request", /not UTF-8/],
    ["UTF-8 cut short", new Uint8Array([0x22, 0xe2, 0x82]), "invalid_request", /not UTF-8/],
    ["a body that is too large", " ".repeat(bounds.configBytesMax + 1), "payload_too_large", /8388608 bytes/],
    ["a body without an end", endless(0x20), "payload_too_large", /8388608 bytes/],
  ])("%s", async (_, body, code, detail) => {
    expect((await problemOf(await put(body), code)).detail).toMatch(detail);
    await holds();
  });
  test.each([new TypeError("the client has gone"), new Error("Network connection lost.")])(
    "a body that breaks off, by whatever error: %s",
    async (error) => {
      const chunks = ['{"services":', '{"a"'].map((text) => new TextEncoder().encode(text));
      const body = new ReadableStream({
        pull(controller) {
          const chunk = chunks.shift();
          if (chunk) controller.enqueue(chunk);
          else controller.error(error);
        },
      });
      const { detail } = await problemOf(await callWith({}, "PUT", "/v1/config", { body }), "invalid_request");
      expect(detail).toBe("The body broke off before its end.");
      await holds();
    },
  );
  test.each<readonly [string, string, string]>([
    ["a name twice", '{"routes":[],"routes":[{"name":"a"}]}', "#/routes"],
    ["a name twice inside", '{"gateway":{"debugHeaders":true,"debugHeaders":false}}', "#/gateway/debugHeaders"],
    ["__proto__", '{"services":{"__proto__":{}}}', "#/services/__proto__"],
    ["half a character", '{"services":{"a":{"defaultVersion":"\\udc00"}}}', "#/services/a/defaultVersion"],
    ["a number beyond a double", '{"gateway":{"maxBodyBytes":1e400}}', "#/gateway/maxBodyBytes"],
    ["an integer that would be another one", '{"gateway":{"maxBodyBytes":9007199254740993}}', "#/gateway/maxBodyBytes"],
  ])("%s, since it could not be kept as it came", async (_, text, pointer) => {
    expect(Object.keys(await errorsOf(await put(text), "invalid_request"))).toEqual([pointer]);
    await holds();
  });
  test("nesting without end", async () => {
    await problemOf(await put("[".repeat(1_000_000)), "invalid_request");
    await problemOf(await put(`{"routes":${"[".repeat(100_000)}${"]".repeat(100_000)}}`), "invalid_request");
    await holds();
  });
  test("JSON that is no object", async () => {
    for (const text of ["[]", "3", "null", '"{}"']) {
      const response = await put(text);
      expect([400, 422]).toContain(response.status);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
    }
    await holds();
  });
});

describe("a document as large as may be", () => {
  test("is taken and comes back", async () => {
    const route = (index: number) => ({
      name: `r${index}`,
      redirect: { hostname: `h${index}.example` },
      matches: [{ path: { exact: `/${index}/${"ü𝄞".repeat(60)}` } }],
    });
    const text = JSON.stringify({ routes: Array.from({ length: 10_000 }, (_, index) => route(index)) });
    expect(text.length).toBeGreaterThan(2 * bounds.blobPartLengthMax);
    expect((await put(text)).status).toBe(200);
    expect(await (await call("GET", "/v1/config")).text()).toBe(text);
    await apply({});
  });
});

describe("addresses that are not there", () => {
  test.each([
    ["GET", "/v1"],
    ["GET", "/v1/nothing"],
    ["GET", ""],
    ["GET", "/"],
    ["GET", "/v1/config/"],
    ["GET", "/v2/config"],
    ["POST", "/v1/services/a/b/c"],
  ])("%s %s is 404", async (method, path) => {
    await problemOf(await call(method, path), "not_found");
  });
  test.each([
    ["DELETE", "/v1/config", "GET, HEAD, PUT, PATCH"],
    ["OPTIONS", "/v1/config", "GET, HEAD, PUT, PATCH"],
    ["PUT", "/v1/services/a", "GET, HEAD"],
    ["GET", "/v1/services/a/origins/b", "PUT, DELETE"],
    ["POST", "/health", "GET, HEAD"],
    ["GET", "/v1/heartbeats", "POST"],
    ["HEAD", "/v1/heartbeats", "POST"],
  ])("%s %s is 405 and says what is there", async (method, path, allow) => {
    const response = await call(method, path, { role: null });
    expect(response.headers.get("allow")).toBe(allow);
    expect(response.status).toBe(405);
    if (method !== "HEAD") await problemOf(response, "method_not_allowed");
  });
  test.each(["/health", "/openapi.json", "/v1/config"])(
    "HEAD %s answers what GET does, without the body",
    async (path) => {
      const [head, get] = [await call("HEAD", path), await call("GET", path)];
      expect(await head.text()).toBe("");
      expect(head.status).toBe(get.status);
      for (const name of ["content-type", "etag", "cache-control"])
        expect(head.headers.get(name)).toBe(get.headers.get(name));
    },
  );
});

describe("the id of a request", () => {
  test("is the client's if it is harmless, else a new one", async () => {
    const idOf = async (given: string) =>
      (await call("GET", "/health", { headers: { "x-request-id": given } })).headers.get("x-request-id");
    expect(await idOf("abc.1-2_3")).toBe("abc.1-2_3");
    expect(await idOf('a"b')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idOf("a".repeat(129))).toMatch(/^[0-9a-f-]{36}$/);
  });
});

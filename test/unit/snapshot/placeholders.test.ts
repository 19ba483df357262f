import { describe, expect, test } from "vitest";
import { buildSnapshot } from "../../../src/snapshot/view.ts";
import { compile, configOf, decide, errorsOf, variable, withRoute } from "./support.ts";

const withHeader = (value: string) => withRoute({ rewrite: { setHeaders: { authorization: value } } });
const headerOf = (document: object, variables: Record<string, unknown>) => {
  const snapshot = buildSnapshot(1, 1, configOf(document, variables), new Map());
  const decided = decide(snapshot, "/");
  return decided && "headers" in decided ? decided.headers?.set : null;
};

describe("a placeholder", () => {
  test("is replaced by the variable of its name", () => {
    expect(headerOf(withHeader(variable("KEY")), { KEY: "s3cret" })).toEqual([["authorization", "s3cret"]]);
  });
  test.each([
    `Bearer ${variable("KEY")}`,
    `${variable("KEY")} `,
    "$KEY",
    variable(""),
    variable("1A"),
    `$${variable("KEY")}`,
    "{KEY}",
  ])("is the whole string: %j stays", (text) => {
    if (text.endsWith(" ")) expect(errorsOf(withHeader(text), { KEY: "x" })).not.toEqual({});
    else expect(headerOf(withHeader(text), { KEY: "x" })).toEqual([["authorization", text]]);
  });
  test("is not resolved twice", () => {
    expect(headerOf(withHeader(variable("A")), { A: variable("B"), B: "x" })).toEqual([
      ["authorization", variable("B")],
    ]);
  });
  test("may stand for any string", () => {
    const document = {
      services: { s: { origins: [{ id: variable("ID"), url: variable("URL") }] } },
      routes: [{ name: variable("ID"), service: "s", hosts: [variable("HOST")] }],
    };
    const config = configOf(document, { ID: "one", URL: "https://a.example.com/", HOST: "b.example" });
    const service = config.services.get("s");
    expect(service?.staticOrigins).toMatchObject([{ id: "one", url: "https://a.example.com" }]);
    expect(service?.shown).toEqual(new Map([["one", { id: variable("ID"), url: variable("URL") }]]));
  });
  test.each<readonly [string, Record<string, unknown>, RegExp]>([
    ["MISSING", {}, /not a variable or secret/],
    ["BINDING", { BINDING: { fetch: () => {} } }, /not a variable or secret/],
    ["ADMIN_TOKEN", { ADMIN_TOKEN: "hunter2" }, /token of the gateway/],
    ["REGISTRAR_TOKEN", { REGISTRAR_TOKEN: "hunter2" }, /token of the gateway/],
    ["VIEWER_TOKEN", {}, /token of the gateway/],
  ])("that cannot be replaced is one error: %s", (name, variables, detail) => {
    const documents = {
      "#/routes/0/rewrite/setHeaders/authorization": withHeader(variable(name)),
      "#/services/users/origins/0/url": withRoute({}, { origins: [{ id: "a", url: variable(name) }] }),
      "#/routes/0/hosts/0": withRoute({ hosts: [variable(name)] }),
      "#/routes/0/service": { routes: [{ name: "a", service: variable(name) }] },
    };
    for (const [pointer, document] of Object.entries(documents)) {
      expect(errorsOf(document, variables)).toEqual({ [pointer]: expect.stringMatching(detail) });
    }
  });
  test("is checked by what it stands for", () => {
    expect(Object.keys(errorsOf(withHeader(variable("KEY")), { KEY: "a\nb" }))).toEqual([
      "#/routes/0/rewrite/setHeaders/authorization",
    ]);
  });
});

describe("C6: what a variable holds is in no error and no warning", () => {
  const secret = "s3cr3t-value";
  const s = variable("SECRET");
  test.each<readonly [string, object]>([
    [
      "route names",
      {
        services: { a: {} },
        routes: [
          { name: s, service: "a" },
          { name: s, service: "a" },
        ],
      },
    ],
    [
      "equal matches",
      {
        services: { a: {} },
        routes: [
          { name: s, service: "a" },
          { name: "b", service: "a" },
        ],
      },
    ],
    ["services", { routes: [{ name: "a", service: s }] }],
    [
      "origin ids",
      {
        services: {
          a: {
            origins: [
              { id: s, url: "https://a.example.com" },
              { id: s, url: s },
            ],
          },
        },
      },
    ],
    ["URLs", { services: { a: { origins: [{ id: "a", url: s }] } } }],
    ["hosts", withRoute({ hosts: [s], redirect: { hostname: s } })],
    ["paths", withRoute({ matches: [{ path: { prefix: s } }] })],
    [
      "header names",
      withRoute({
        matches: [
          {
            headers: [
              { name: s, present: true },
              { name: s, present: true },
            ],
          },
        ],
      }),
    ],
    ["parameters", withRoute({ traffic: [{ versionFrom: { param: s } }] })],
    ["key sources", withRoute({ traffic: [{ split: [{ version: s, weight: 1 }], stickyBy: [s] }] })],
    ["addresses", withRoute({ traffic: [{ when: { ip: [s], country: [s] }, version: s }] })],
    ["CORS", withRoute({ cors: { allowOrigins: [s], allowMethods: [s] } })],
    ["words", { services: { a: { loadBalancing: { policy: s }, versions: { v1: { sunset: s } } } } }],
    ["reserved headers", withRoute({ rewrite: { removeHeaders: [s, "host"] } })],
  ])("%s", (_, document) => {
    const result = compile(document, { SECRET: secret });
    const said = JSON.stringify(result.ok ? result.warnings : result.issues);
    expect(said).not.toContain(secret);
  });
  test("regular expressions", () => {
    const result = compile(withRoute({ matches: [{ path: { regex: s } }] }), { SECRET: `${secret}(` });
    expect(result.ok).toBe(false);
    expect(JSON.stringify(result)).not.toContain(secret);
  });
});

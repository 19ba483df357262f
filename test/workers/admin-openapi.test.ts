import { beforeAll, describe, expect, test, vi } from "vitest";
import { errorKinds } from "../../src/errors.ts";
import { configJsonSchema } from "../../src/schema/config.ts";
import { admin, call, callWith, errorsOf } from "./admin-support.ts";

interface Operation {
  readonly summary?: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema?: unknown;
  }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema?: unknown }> };
  readonly responses: Record<
    string,
    { readonly description?: string; readonly content?: Record<string, { readonly schema?: unknown }> }
  >;
}
interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly security: readonly unknown[];
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly schemas?: Record<string, unknown>;
    readonly securitySchemes: Record<string, unknown>;
  };
}

let document: Document;
let operations: readonly (readonly [path: string, method: string, operation: Operation])[] = [];
beforeAll(async () => {
  const response = await call("GET", "/openapi.json", { role: null });
  expect(response.headers.get("content-type")).toContain("application/json");
  document = await response.json<Document>();
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [path, method, operation] as const),
  );
});

/** Every value under a key, wherever it is. */
function valuesOf(key: string, value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [...(name === key ? [inner] : []), ...valuesOf(key, inner)]);
}

describe("the OpenAPI document", () => {
  test("says what it is and how to be let in", () => {
    expect(document).toMatchObject({ openapi: "3.1.0", security: [{ token: [] }] });
    expect(document.components.securitySchemes).toEqual({ token: { type: "http", scheme: "bearer" } });
  });
  test("has every call that the app answers, and no other", () => {
    const described = operations.map(([path, method]) => `${method} ${path}`);
    const documents = ["get /_sluice/openapi.json", "get /_sluice/schema.json", "get /_sluice/docs"];
    const answered = admin.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, "{$1}")}`);
    expect([...new Set(answered)].sort()).toEqual([...described, ...documents].sort());
    expect(described).toHaveLength(29);
  });
  test("describes each: a summary, its path parameters, its answers and a schema for each that has a body", () => {
    for (const [path, method, { summary, parameters = [], responses, requestBody }] of operations) {
      const what = `${method} ${path}`;
      expect(summary, what).toMatch(/^[A-Z].*[^.]$/);
      const inPath = parameters.filter((parameter) => parameter.in === "path");
      expect(
        inPath.map(({ name }) => `{${name}}`),
        what,
      ).toEqual(path.match(/\{\w+\}/g) ?? []);
      expect(
        inPath.every(({ required }) => required),
        what,
      ).toBe(true);
      for (const parameter of parameters) expect(parameter.schema, what).toBeTruthy();
      expect(requestBody !== undefined, what).toBe(
        ["put", "post", "patch"].includes(method) && !path.endsWith("/promote"),
      );
      const statuses = Object.keys(responses);
      expect(
        statuses.some((status) => status.startsWith("2")),
        what,
      ).toBe(true);
      for (const [status, { description, content }] of Object.entries(responses)) {
        expect(description, `${what} ${status}`).toMatch(/\S/);
        if (status !== "204") expect(Object.values(content ?? {})[0]?.schema, `${what} ${status}`).toBeTruthy();
        if (Number(status) >= 400 && path !== "/_sluice/health")
          expect(Object.keys(content ?? {})).toEqual(["application/problem+json"]);
      }
    }
  });
  test("every call but health needs a token and says so, and every status is one that the gateway gives", () => {
    const known = new Set(Object.values(errorKinds).map(({ status }) => String(status)));
    for (const [path, method, { security, responses }] of operations) {
      if (path === "/_sluice/health") expect(security).toEqual([]);
      else {
        expect(security, `${method} ${path}`).toBeUndefined();
        expect(Object.keys(responses)).toEqual(expect.arrayContaining(["401", "403", "503"]));
      }
      for (const status of Object.keys(responses))
        if (Number(status) >= 400) expect(known.has(status), status).toBe(true);
    }
  });
  test("refers to nothing that it does not have", () => {
    for (const reference of valuesOf("$ref", document)) {
      const found = String(reference)
        .split("/")
        .slice(1)
        .reduce<unknown>((value, step) => (value as Record<string, unknown>)?.[step], document);
      expect(found, String(reference)).toBeTruthy();
    }
  });
});

test("an integer in an address is decimal digits; the refusal of any other text names the parameter", async () => {
  const integers = operations.flatMap(([path, method, { parameters = [] }]) =>
    parameters.flatMap(({ name, schema }) => {
      const { type, minimum, maximum, default: given } = schema as Readonly<Record<string, unknown>>;
      if (type !== "integer") return [];
      expect([minimum, maximum], `${path} ${name}`).toEqual([expect.any(Number), expect.any(Number)]);
      return [{ path: path.slice("/_sluice".length), method: method.toUpperCase(), name, default: given }];
    }),
  );
  expect(integers).toHaveLength(17);
  expect(integers.filter((one) => one.default !== undefined)).toHaveLength(9);
  for (const { path, method, name } of integers) {
    for (const text of ["0x10", "0b1", "1e1", " ", " 5", "+5", "5.0", "-1", "٥"]) {
      const value = encodeURIComponent(text);
      const isInPath = path.includes(`{${name}}`);
      const target = path.replace(`{${name}}`, value).replace(/\{\w+\}/g, "a") + (isInPath ? "" : `?${name}=${value}`);
      const errors = await errorsOf(
        await call(method, target, method === "GET" ? {} : { body: {} }),
        "invalid_request",
      );
      expect(errors, `${method} ${target}`).toMatchObject({ [`#/${name}`]: "must be an integer in decimal digits" });
    }
  }
});

test.each(["/openapi.json", "/schema.json", "/docs"])("%s is written once by an isolate", async (path) => {
  const first = await (await callWith({}, "GET", path, { role: null })).text();
  const stringify = vi.spyOn(JSON, "stringify");
  try {
    const again = await callWith({}, "GET", path, { role: null });
    expect(await again.text()).toBe(first);
    expect(stringify).not.toHaveBeenCalled();
  } finally {
    stringify.mockRestore();
  }
});

describe("the page of it", () => {
  test("shows every call, and every schema", async () => {
    const page = await (await call("GET", "/docs", { role: null })).text();
    expect(page).toMatch(/^<!doctype html>/);
    for (const [path, method, { summary }] of operations) {
      expect(page).toContain(`<b class="method">${method.toUpperCase()}</b> <code>${path}</code>`);
      expect(page).toContain(summary?.replaceAll("'", "&#39;"));
    }
    for (const name of Object.keys(document.components.schemas ?? {})) expect(page).toContain(`id="schema-${name}"`);
  });
  test("loads nothing from anywhere, and is forbidden to", async () => {
    const response = await call("GET", "/docs", { role: null });
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'unsafe-inline'/);
    const page = await response.text();
    expect(page).not.toMatch(/<(script|link|img|iframe|object|embed|base|form)\b/i);
    expect(page).not.toMatch(/@import|url\(|javascript:|\son\w+=/i);
    expect([...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, target]) => target)).toEqual([
      "openapi.json",
      "schema.json",
    ]);
    expect(page).not.toMatch(/(?:href|src)="(?:[a-z]+:)?\/\//i);
  });
});

test("the configuration's schema is served", async () => {
  const response = await call("GET", "/schema.json", { role: null });
  expect(await response.json()).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
});

/** What is imported routes requests as the original says. The expectations are read off the formats' documentation. */
import { describe, expect, test } from "vitest";
import { importGatewayApi, importKong, importOpenApi } from "../../../../cli/import/index.ts";
import { type Asked, fixture, sentTo } from "./support.ts";

type Row = [request: string, sent: string | number | null, more: Omit<Asked, "request">];

const rows = (...list: [string, string | number | null, Omit<Asked, "request">?][]): Row[] =>
  list.map(([request, sent, more = {}]) => [request, sent, more]);

describe("Kong, format 3.0", () => {
  const imported = importKong(fixture("kong.yaml"));
  const web = { headers: { "x-channel": "app", "x-build": "7-BETA" } };
  test.each(
    rows(
      ["http://shop.example.com/orders", "GET http://orders-a.example.net:8080/v1"],
      ["http://shop.example.com/orders/x?a=1", "GET http://orders-a.example.net:8080/v1/x?a=1"],
      ["http://eu.shop.example.com/archive/orders/7", "GET http://orders-a.example.net:8080/v1/7"],
      ["POST http://shop.example.com/orders/x", "POST http://orders-a.example.net:8080/v1/orders/x"],
      ["http://shop.example.org/orders/12", "GET http://orders-a.example.net:8080/v1"],
      ["http://shop.example.org/orders/12x", null],
      ["http://x/catalog/7", null],
      ["http://x/catalog/7", "GET https://catalog.example.net/7", { ...web, draw: 0.79 }],
      ["http://x/catalog/7", "GET https://catalog-next.example.net/7", { ...web, draw: 0.8 }],
      [
        "http://x/catalog/7",
        "GET https://catalog-next.example.net/7",
        { headers: { ...web.headers, "x-canary": "always" } },
      ],
      [
        "http://x/catalog",
        "GET https://catalog.example.net/",
        { headers: { ...web.headers, "x-canary": "never" }, draw: 0.99 },
      ],
      ["http://x/catalog/internal/a", 403],
      ["http://x/top/a", "GET https://catalog.example.net/top/a"],
      ["http://x/events", null],
      ["http://x/old", null],
      ["http://x/nobody", null],
    ),
  )("%s -> %s", (request, sent, more) => {
    expect(sentTo(imported, { request, ...more })).toBe(sent);
  });
});

describe("Kong, format 2.1", () => {
  const imported = importKong(fixture("kong-2.1.yaml"));
  test.each(
    rows(
      ["http://x/auth/v1/verify", "GET http://auth:9999/verify"],
      ["http://x/auth/v1/verify/a", "GET http://auth:9999/verify/a"],
      ["http://x/auth/v1/token?grant=x", "GET http://auth:9999/token?grant=x"],
      ["http://x/realtime/v1/websocket", "GET http://realtime:4000/socket/websocket"],
      ["http://x/reports/12/pdf", "GET http://reports:8080/reports/12/pdf"],
      ["http://x/reports/pdf", "GET http://studio:3000/reports/pdf"],
      ["http://x/", "GET http://studio:3000/"],
    ),
  )("%s -> %s", (request, sent) => {
    expect(sentTo(imported, { request })).toBe(sent);
  });
});

describe("Gateway API", () => {
  const imported = importGatewayApi(fixture("gateway-api.yaml"), {
    "default/files:443": "https://files.example.net/b",
  });
  const foo = (version: string) => `http://foo-${version}.shop.svc.cluster.local:8080`;
  const some = "http://some.other.svc.cluster.local";
  const spices = "http://spices.default.svc.cluster.local";
  const magic = { headers: { magic: "foo" } };
  test.each(
    rows(
      ["https://foo.example.com/a", `GET ${foo("v1")}/a`, { draw: 0.89 }],
      ["https://foo.example.com/a", `GET ${foo("v2")}/a`, { draw: 0.9 }],
      ["https://foo.example.com/a", `GET ${foo("v2")}/a`, { headers: { traffic: "test" } }],
      ["https://foo.example.org/a", null],
      ["https://foo.example.com/some/thing/x?great=example", `GET ${some}/some/thing/x?great=example`, magic],
      ["POST https://foo.example.com/some/thing?great=example", `POST ${foo("v1")}/some/thing?great=example`, magic],
      ["https://foo.example.com/some/thingy?great=example", `GET ${foo("v1")}/some/thingy?great=example`, magic],
      ["https://foo.example.com/exact", `GET ${some}/exact`],
      ["https://foo.example.com/exact/", `GET ${foo("v1")}/exact/`],
      ["https://foo.example.com/items/42", `GET ${some}/items/42`],
      ["http://rewrite.example/cardamom/x", `GET ${spices}/fennel/x`],
      ["http://rewrite.example/full/x?q", `GET ${spices}/one?q`],
      ["http://rewrite.example/cayenne/x", "302 http://rewrite.example/paprika/x"],
      ["http://rewrite.example/bucket/x", "GET https://files.example.net/b/bucket/x"],
      ["http://rewrite.example/none", 500],
      ["http://rewrite.example/", null],
    ),
  )("%s -> %s", (request, sent, more) => {
    expect(sentTo(imported, { request, ...more })).toBe(sent);
  });
});

describe("the Petstore", () => {
  const imported = importOpenApi(fixture("petstore.yaml"));
  const origin = "http://petstore.swagger.io/v2";
  test.each(
    rows(
      ["POST http://x/v2/pet", `POST ${origin}/pet`],
      ["http://x/v2/pet", null],
      ["http://x/v2/pet/7", `GET ${origin}/pet/7`],
      ["http://x/v2/pet/findByStatus?status=sold", `GET ${origin}/pet/findByStatus?status=sold`],
      ["POST http://x/v2/pet/7/uploadImage", `POST ${origin}/pet/7/uploadImage`],
      ["DELETE http://x/v2/store/order/3", `DELETE ${origin}/store/order/3`],
      ["http://x/v2/user/login", `GET ${origin}/user/login`],
      ["http://x/pet/7", null],
    ),
  )("%s -> %s", (request, sent) => {
    expect(sentTo(imported, { request })).toBe(sent);
  });
  test("of /user/login and /user/{username} the concrete one wins, as the specification says", () => {
    const names = imported.config.routes?.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["loginUser", "getUserByName"]));
    expect(sentTo(imported, { request: "PUT http://x/v2/user/login" })).toBe(`PUT ${origin}/user/login`);
  });
});

describe("OpenAPI with servers of its parts", () => {
  const documents = fixture("operations.yaml");
  const imported = importOpenApi(documents, "https://docs.example.com/api/openapi.yaml");
  test.each(
    rows(
      ["http://x/live/reports/7.pdf", "GET https://api.example.com/live/reports/7.pdf"],
      ["http://x/live/reports/7", "GET https://api.example.com/live/reports/7"],
      ["HEAD http://x/live/reports/7", "HEAD https://api.example.com/live/reports/7"],
      ["POST http://x/live/jobs:cancel", "POST https://api.example.com/live/jobs:cancel"],
      ["PUT http://x/uploads/a/", "PUT https://uploads.example.com/uploads/a/"],
      ["PUT http://x/uploads/a", null],
      ["http://x/relative/uploads/a/", "GET https://docs.example.com/relative/uploads/a/"],
      ["DELETE http://x/live/shared", "DELETE https://api.example.com/live/shared"],
      ["http://x/live/elsewhere", null],
    ),
  )("%s -> %s", (request, sent) => {
    expect(sentTo(imported, { request })).toBe(sent);
  });
  test("a relative server without a base URL has no origin", () => {
    const request = "http://x/relative/uploads/a/";
    expect(sentTo(importOpenApi(documents), { request })).toBe("no origin");
  });
});

/** Method, path and query: the origin gets them as the client sent them, behind its base path. */
import { describe, expect, it } from "vitest";
import { exchange } from "../../support/client.ts";
import { useSuite } from "../../support/suite.ts";
import { headerOf, valuesOf } from "../../support/wire.ts";

const suite = useSuite((url) => ({
  services: {
    app: { origins: [{ id: "a", url }] },
    based: { origins: [{ id: "b", url: `${url}/base/v1` }] },
  },
  routes: [
    { name: "app", service: "app" },
    { name: "based", service: "based", hosts: ["based.test"] },
    {
      name: "strip",
      service: "app",
      matches: [{ path: { prefix: "/strip" } }],
      rewrite: { stripPrefix: "/strip" },
    },
    {
      name: "prefix",
      service: "app",
      matches: [{ path: { prefix: "/old" } }],
      rewrite: { path: { replacePrefixMatch: "/new" } },
    },
    {
      name: "full",
      service: "based",
      matches: [{ path: { prefix: "/full" } }],
      rewrite: { path: { replaceFullPath: "/one" } },
    },
    {
      name: "edits",
      service: "app",
      matches: [{ path: { prefix: "/edits" } }],
      rewrite: {
        setHeaders: { "X-Set": "new", "X-Fresh": "1" },
        addHeaders: { "X-Add": "more", "X-Alone": "1" },
        removeHeaders: ["X-Gone"],
      },
    },
  ],
}));

describe("the target", () => {
  it.each([
    "/",
    "/a/b",
    "/a/",
    "//a//b//",
    "/%2F%2f/x",
    "/a%20b/%C3%A9/%c3%a9",
    "/%ff%fe/%zz/%",
    "/%61bc/%7E",
    "/a;p=1,q/b:c@d",
    "/!$&'()*+,=-._~",
    "/x%5Cy",
    "/x|y[z]",
    "/a?",
    "/a?q",
    "/a?q=&=&&x",
    "/a?q=1&q=2&q=%20+%2B",
    "/a?%zz=%ff&%2F=/?",
    "/a?x=[1]|{2}^`\\",
    `/${"a".repeat(8000)}?${"b".repeat(6000)}`,
  ])("%s", async (target) => {
    await suite.ask({ target });
    expect(suite.origin.only().target).toBe(target);
  });

  // What a URL is parsed to before it can be sent: the platform takes no other.
  it.each([
    ["/a/../b/./c", "/b/c"],
    ["/a/%2e%2E/b", "/b"],
    ["/../../etc", "/etc"],
    ["/a\\b", "/a/b"],
    ["/{x}^", "/%7Bx%7D%5E"],
    ["/a?q='", "/a?q=%27"],
    ["/a?q#f", "/a?q"],
  ])("%s is %s to every URL parser", async (target, expected) => {
    await suite.ask({ target });
    expect(suite.origin.only().target).toBe(expected);
  });

  it.each([
    ["/", "/base/v1/"],
    ["/x?y", "/base/v1/x?y"],
    ["//x", "/base/v1//x"],
  ])("%s behind a base path is %s", async (target, expected) => {
    await suite.ask({ target, headers: [["Host", "based.test"]] });
    expect(suite.origin.only().target).toBe(expected);
  });

  it.each([
    ["/strip", "/"],
    ["/strip?", "/?"],
    ["/strip/%2F/x?q=%20", "/%2F/x?q=%20"],
    ["/strip//x", "//x"],
    ["/old/a%2Fb?c", "/new/a%2Fb?c"],
    ["/old", "/new"],
    ["/full/x/y?z", "/base/v1/one?z"],
  ])("%s is rewritten to %s", async (target, expected) => {
    await suite.ask({ target });
    expect(suite.origin.only().target).toBe(expected);
  });
});

describe("the method", () => {
  it.each(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE", "PROPFIND", "REPORT"])(
    "%s",
    async (method) => {
      await suite.ask({ method, target: "/x" });
      expect(suite.origin.only().method).toBe(method);
    },
  );

  it("HEAD", async () => {
    suite.script((request) => request.head("200 OK", [["Content-Length", "30"]]));
    const received = await suite.ask({ method: "HEAD" });
    expect(suite.origin.only().method).toBe("HEAD");
    expect([received.status, headerOf(received, "content-length"), received.body.length]).toEqual([200, "30", 0]);
  });
});

it("edits: removed, set, then added behind what is there", async () => {
  await suite.ask({
    target: "/edits",
    headers: [
      ["X-Set", "old"],
      ["X-Set", "older"],
      ["X-Add", "some"],
      ["X-Gone", "1"],
    ],
  });
  const request = suite.origin.only();
  const got = ["x-set", "x-fresh", "x-add", "x-alone", "x-gone"].map((name) => valuesOf(request, name).join(", "));
  expect(got).toEqual(["new", "1", "some, more", "1", ""]);
});

it("a Host header with more in it than a host is refused: no path can come in by it", async () => {
  for (const host of ["x/_sluice/v1", "x?y", "x#y", "u@x", "x\\y"]) {
    const received = await exchange(suite.gateway.url, { target: "/config", headers: [["Host", host]] });
    expect([received.status >= 400, String(received.body).includes("unauthorized")], host).toEqual([true, false]);
  }
});

it.each([
  ["a port that is none", [["Host", "x:99999"]]],
  ["no name", [["Host", ":"]]],
  ["a space", [["Host", "a b"]]],
  ["a bracket that is not closed", [["Host", "[::1"]]],
  [
    "a second one",
    [
      ["Host", "a.test"],
      ["Host", "b.test"],
    ],
  ],
] as const)("a Host header that is no host is refused as the client's fault: %s", async (_, headers) => {
  const received = await exchange(suite.gateway.url, { target: "/a", headers });
  expect([received.status, valuesOf(received, "sluice-error")]).toEqual([400, ["invalid_request"]]);
  expect(suite.origin.requests).toEqual([]);
});

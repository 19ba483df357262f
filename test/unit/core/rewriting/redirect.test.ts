import { expect, test } from "vitest";
import { type Redirect, type RedirectRequest, redirectLocation } from "../../../../src/core/rewriting/redirect.ts";

const asked: RedirectRequest = {
  scheme: "http",
  hostname: "a.example",
  port: null,
  path: "/old/x%2F",
  search: "?q=1&q=2",
};

const rows: [guarantee: string, redirect: Redirect, request: Partial<RedirectRequest>, expected: string][] = [
  ["nothing set: the URL itself", {}, {}, "http://a.example/old/x%2F?q=1&q=2"],
  ["no query: none is made", {}, { search: "" }, "http://a.example/old/x%2F"],
  ["the request's port is kept", {}, { port: 8080, search: "" }, "http://a.example:8080/old/x%2F"],
  ["a request's default port is left out", {}, { port: 80, search: "" }, "http://a.example/old/x%2F"],
  ["443 is no default of http", {}, { port: 443, search: "" }, "http://a.example:443/old/x%2F"],
  ["a scheme brings its own port", { scheme: "https" }, { port: 8080, search: "" }, "https://a.example/old/x%2F"],
  ["even the request's scheme", { scheme: "http" }, { port: 8080, search: "" }, "http://a.example/old/x%2F"],
  ["a port is kept", { port: 8443 }, { search: "" }, "http://a.example:8443/old/x%2F"],
  ["a default port is left out", { scheme: "https", port: 443 }, { search: "" }, "https://a.example/old/x%2F"],
  ["80 is no default of https", { scheme: "https", port: 80 }, { search: "" }, "https://a.example:80/old/x%2F"],
  ["a port outranks the request's", { port: 80 }, { port: 8080, search: "" }, "http://a.example/old/x%2F"],
  [
    "a hostname alone keeps scheme and port",
    { hostname: "b.example" },
    { scheme: "https", port: 8443, search: "" },
    "https://b.example:8443/old/x%2F",
  ],
  [
    "IPv6 keeps its brackets",
    { hostname: "[2001:db8::1]", port: 81 },
    { search: "" },
    "http://[2001:db8::1]:81/old/x%2F",
  ],
  ["also the request's", {}, { hostname: "[::1]", search: "" }, "http://[::1]/old/x%2F"],
  [
    "a full path keeps the query",
    { path: { kind: "replaceFullPath", value: "/new" } },
    {},
    "http://a.example/new?q=1&q=2",
  ],
  [
    "a prefix is replaced",
    { path: { kind: "replacePrefixMatch", value: "/new", matchedSegments: 1 } },
    {},
    "http://a.example/new/x%2F?q=1&q=2",
  ],
  [
    "an empty replacement is the root",
    { path: { kind: "replacePrefixMatch", value: "", matchedSegments: 2 } },
    {},
    "http://a.example/?q=1&q=2",
  ],
  ["a path cannot become the host", {}, { path: "//evil.example", search: "" }, "http://a.example//evil.example"],
];

test.each(rows)("%s", (_guarantee, redirect, request, expected) => {
  expect(redirectLocation(redirect, { ...asked, ...request })).toBe(expected);
});

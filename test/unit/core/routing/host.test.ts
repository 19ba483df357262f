import { expect, test } from "vitest";
import { hostMatcher, normalizeHost } from "../../../../src/core/routing/host.ts";

test.each([
  ["api.example.com", "api.example.com"],
  ["API.Example.COM", "api.example.com"],
  ["api.example.com:8080", "api.example.com"],
  ["api.example.com:", "api.example.com"],
  ["api.example.com.", "api.example.com"],
  ["api.example.com.:443", "api.example.com"],
  ["api.example.com..", "api.example.com."],
  ["*.Example.com:443", "*.example.com"],
  ["192.0.2.1:80", "192.0.2.1"],
  ["[2001:DB8::1]:8080", "[2001:db8::1]"],
  ["[::1]", "[::1]"],
  ["2001:DB8::1", "2001:db8::1"],
  ["host:PORT", "host:port"],
  ["", ""],
])("%j is compared as %j", (host, expected) => {
  expect(normalizeHost(host)).toBe(expected);
});

test.each([
  [null, { kind: "any" }],
  ["example.com", { kind: "exact", host: "example.com" }],
  ["*.example.com", { kind: "wildcard", suffix: ".example.com" }],
  ["[::1]", { kind: "exact", host: "[::1]" }],
])("%j is for %j", (host, expected) => {
  expect(hostMatcher(host)).toEqual(expected);
});

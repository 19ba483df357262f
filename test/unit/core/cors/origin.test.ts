import { describe, expect, test } from "vitest";
import { parseCorsOrigin } from "../../../../src/core/cors/origin.ts";

describe("parseCorsOrigin", () => {
  test.each([
    ["*", { kind: "any" }],
    ["https://example.com", { kind: "exact", origin: "https://example.com" }],
    ["HTTPS://Example.COM:443", { kind: "exact", origin: "https://example.com" }],
    ["http://example.com:80", { kind: "exact", origin: "http://example.com" }],
    ["http://example.com:443", { kind: "exact", origin: "http://example.com:443" }],
    ["http://localhost:3000", { kind: "exact", origin: "http://localhost:3000" }],
    ["http://localhost:1", { kind: "exact", origin: "http://localhost:1" }],
    ["http://localhost:65535", { kind: "exact", origin: "http://localhost:65535" }],
    ["http://localhost:03000", { kind: "exact", origin: "http://localhost:3000" }],
    ["http://[::1]:8080", { kind: "exact", origin: "http://[::1]:8080" }],
    ["https://xn--bcher-kva.example", { kind: "exact", origin: "https://xn--bcher-kva.example" }],
    ["https://*.Example.com", { kind: "wildcard", wildcard: { scheme: "https", suffix: ".example.com", port: 443 } }],
    [
      "http://*.example.com:8080",
      { kind: "wildcard", wildcard: { scheme: "http", suffix: ".example.com", port: 8080 } },
    ],
    ["https://*", { kind: "wildcard", wildcard: { scheme: "https", suffix: "", port: 443 } }],
  ])("reads %s", (text, origin) => {
    expect(parseCorsOrigin(text)).toEqual(origin);
  });

  test.each([
    "",
    "null",
    "example.com",
    "//example.com",
    "https://",
    "https://example.com/",
    "https://example.com/path",
    "https://user@example.com",
    "https://example.com?x",
    "https://example.com:0",
    "https://example.com:65536",
    "https://example.com:",
    "ftp://example.com",
    "https://bücher.example",
    "https://a.*.example.com",
    "https://*example.com",
    "https://*.*.example.com",
    "https://*.example.*",
    "https://*.",
    "https://api.*",
    "**",
    " https://example.com",
    "https://example.com\n",
  ])("refuses %j, with a reason", (text) => {
    const origin = parseCorsOrigin(text);
    expect(origin.kind).toBe("error");
    expect(origin.kind === "error" && origin.detail.length > 20).toBe(true);
  });
});

import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { digestInForce, digestOf, supersedes } from "../../../../src/core/checking/order.ts";
import type { AdoptedOrder, CheckOrder } from "../../../../src/core/checking/types.ts";
import { settings } from "./support.ts";

const a = { id: "a", url: "https://a.example.com" };
const b = { id: "b", url: "https://b.example.com" };
const checks = { settings, staticOrigins: [a, b], returnsEjected: false };

describe("a digest", () => {
  test("is 16 hex digits, and made as ever: releases that make it differently would disagree with each other", () => {
    expect(digestOf({ settings: null, staticOrigins: [], returnsEjected: false })).toBe("1d0293b4785bcfbb");
    expect(digestOf(checks)).toBe("9eca3ea5f7e7f23b");
    for (let intervalMs = 0; intervalMs < 100; intervalMs++) {
      expect(digestOf({ ...checks, settings: { ...settings, intervalMs } })).toMatch(/^[0-9a-f]{16}$/);
    }
  });

  test("does not depend on the order of origins or of members", () => {
    expect(digestOf({ ...checks, staticOrigins: [b, a] })).toBe(digestOf(checks));
    const reversed = Object.fromEntries(Object.entries(settings).reverse()) as unknown as typeof settings;
    expect(digestOf({ ...checks, settings: reversed })).toBe(digestOf(checks));
  });

  const others: Omit<CheckOrder, "revision" | "digest">[] = [
    { ...checks, settings: null },
    { ...checks, settings: { ...settings, path: "/" } },
    { ...checks, settings: { ...settings, intervalMs: 1 } },
    { ...checks, settings: { ...settings, timeoutMs: 1 } },
    { ...checks, settings: { ...settings, statuses: [[200, 204]] } },
    { ...checks, settings: { ...settings, healthyAfter: 9 } },
    { ...checks, settings: { ...settings, unhealthyAfter: 9 } },
    { ...checks, staticOrigins: [a] },
    { ...checks, staticOrigins: [a, { ...b, url: "https://c.example.com" }] },
    { ...checks, staticOrigins: [a, { ...b, id: "c" }] },
    { ...checks, returnsEjected: true },
  ];
  test("differs whenever anything that is checked differs", () => {
    expect(new Set([checks, ...others].map(digestOf)).size).toBe(others.length + 1);
  });
});

test("isolates are told of an order's digest, or that nothing is checked", () => {
  const order = { revision: 1, digest: "d", ...checks };
  expect(digestInForce(null)).toBeNull();
  expect(digestInForce({ ...order, settings: null })).toBeNull();
  expect(digestInForce(order)).toBe("d");
});

describe("of two orders", () => {
  const inForce: AdoptedOrder = { revision: 5, digest: "d", ...checks, sinceMs: 1_000, confirmedMs: 1_000 };
  const laterMs = 1_000 + bounds.checkOrderPauseMs;

  test.each<[string, number, string, number, boolean]>([
    ["of a later revision counts at once", 6, "e", 1_000, true],
    ["of an earlier revision never counts", 4, "e", laterMs, false],
    ["of the same revision waits for its turn", 5, "e", laterMs - 1, false],
    ["of the same revision counts when the other had its turn", 5, "e", laterMs, true],
    ["that is the same changes nothing", 5, "d", laterMs, false],
    ["that is the same changes nothing, by a later revision either", 6, "d", laterMs, false],
  ])("one %s", (_, revision, digest, nowMs, expected) => {
    expect(supersedes({ ...checks, revision, digest }, inForce, nowMs)).toBe(expected);
  });

  test("the first always counts", () => {
    expect(supersedes({ ...checks, revision: 0, digest: "d" }, null, 0)).toBe(true);
  });
});

/** `rateLimits`: what is refused, and what a limit becomes. */
import { describe, expect, test } from "vitest";
import { compileDocument } from "../../../src/snapshot/compile.ts";
import type { CompiledLimit } from "../../../src/snapshot/types.ts";

const window = { limit: 10, seconds: 60 };

function compile(limit: unknown, rateLimits: unknown = ["l"], revision = 7) {
  const routes = [{ name: "r", service: "s", rateLimits }];
  return compileDocument(JSON.stringify({ services: { s: {} }, rateLimits: { l: limit }, routes }), {}, revision);
}

function limitOf(authored: unknown): CompiledLimit {
  const compiled = compile(authored);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
  return compiled.config.limits.get("l")!;
}

describe("is refused", () => {
  test.each([
    [{}, "#/rateLimits/l/windows"],
    [{ windows: [] }, "#/rateLimits/l/windows"],
    [{ windows: [{ limit: 0, seconds: 1 }] }, "#/rateLimits/l/windows/0/limit"],
    [{ windows: [window], rate: 1 }, "#/rateLimits/l"],
    [{ algorithm: "token-bucket" }, "#/rateLimits/l/rate"],
    [{ algorithm: "leaky-bucket", rate: 1, windows: [window] }, "#/rateLimits/l/windows"],
    [{ algorithm: "token-bucket", rate: 1, maxDelayMs: 5 }, "#/rateLimits/l/maxDelayMs"],
    [{ windows: [{ limit: 1, per: "day" }] }, "#/rateLimits/l/windows/0/per"],
    [
      { algorithm: "fixed-window", windows: [{ limit: 1, per: "day", timeZone: "Mars/Olympus" }] },
      "#/rateLimits/l/windows/0/timeZone",
    ],
    [{ windows: [window], key: ["host"] }, "#/rateLimits/l/key/0"],
    [{ windows: [window], overrides: [{ key: "header:x=gold" }] }, "#/rateLimits/l/overrides/0"],
    [{ windows: [window], overrides: [{ key: "gold", windows: [window] }] }, "#/rateLimits/l/overrides/0/key"],
    [{ windows: [window], overrides: [{ key: "ip=1", rate: 2 }] }, "#/rateLimits/l/overrides/0"],
  ])("%j at %s", (limit, pointer) => {
    const compiled = compile(limit);
    expect(compiled.ok).toBe(false);
    expect(compiled.ok ? [] : compiled.issues.map((issue) => issue.pointer)).toContain(pointer);
  });

  test("a route that names a limit which is not there, or one twice", () => {
    const pointers = (names: readonly string[]) => {
      const compiled = compile({ windows: [window] }, names);
      return compiled.ok ? [] : compiled.issues.map(({ pointer }) => pointer);
    };
    expect(pointers(["l", "none"])).toEqual(["#/routes/0/rateLimits/1"]);
    expect(pointers(["l", "l"])).toEqual(["#/routes/0/rateLimits/1"]);
  });
});

describe("becomes", () => {
  test("windows in milliseconds, with the revision as the policy's version and defaults that are strict", () => {
    expect(limitOf({ windows: [window] })).toMatchObject({
      name: "l",
      sources: [{ kind: "ip" }],
      onMissingKey: "shared",
      cost: 1,
      costHeader: null,
      mode: "enforce",
      headers: "draft",
      policy: {
        windows: [{ kind: "sliding-window", limit: 10, windowMs: 60_000 }],
        consistency: "leased",
        onUnavailable: "share",
        version: 7,
      },
    });
  });

  test.each([
    [
      { algorithm: "fixed-window", windows: [{ limit: 5, per: "month", timeZone: "Europe/Oslo" }] },
      { kind: "calendar-window", limit: 5, unit: "month", timeZone: "Europe/Oslo" },
    ],
    [
      { algorithm: "fixed-window", windows: [{ limit: 5, per: "day" }] },
      { kind: "calendar-window", limit: 5, unit: "day", timeZone: "UTC" },
    ],
    [
      { algorithm: "token-bucket", rate: 2.5 },
      { kind: "token-bucket", rate: 2.5, burst: 3 },
    ],
    [
      { algorithm: "leaky-bucket", rate: 0.5, burst: 4, maxDelayMs: 100 },
      { kind: "leaky-bucket", rate: 0.5, burst: 4, maxDelayMs: 100 },
    ],
  ])("%j -> %j", (authored, spec) => expect(limitOf(authored).policy.windows).toEqual([spec]));

  test("overrides replace the numbers that they give and keep the others", () => {
    const { overrides } = limitOf({
      algorithm: "token-bucket",
      rate: 1,
      burst: 5,
      overrides: [
        { key: "header:x-client-id=gold-*", burst: 50 },
        { key: "ip=192.0.2.7", rate: 9 },
      ],
    });
    expect(overrides.map(({ key, isPrefix, policy }) => [key, isPrefix, policy.windows[0]])).toEqual([
      ["header:x-client-id=gold-", true, { kind: "token-bucket", rate: 1, burst: 50 }],
      ["ip=192.0.2.7", false, { kind: "token-bucket", rate: 9, burst: 5 }],
    ]);
  });

  test("a header's cost, by its lower-case name", () => {
    expect(limitOf({ windows: [window], cost: { header: "X-Cost" } })).toMatchObject({ cost: 1, costHeader: "x-cost" });
  });
});

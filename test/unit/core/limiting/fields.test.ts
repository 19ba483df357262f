import { describe, expect, test } from "vitest";
import { type LimitReport, limitField, policyFields } from "../../../../src/core/limiting/fields.ts";

const report: LimitReport = {
  name: "per-client",
  windows: [
    { kind: "sliding-window", limit: 10, windowMs: 1_000 },
    { kind: "calendar-window", limit: 500, unit: "day", timeZone: "UTC" },
    { kind: "token-bucket", rate: 4, burst: 10 },
  ],
  standing: { window: 0, remaining: 3, resetMs: 1_001 },
  headers: "draft",
};

test("each window is a policy: the first has the limit's name, quotas and windows are in permits and whole seconds", () => {
  expect(policyFields(report)).toEqual([
    { name: "per-client", q: 10, w: 1 },
    { name: "per-client-2", q: 500, w: 86_400 },
    { name: "per-client-3", q: 10, w: 3 },
  ]);
});

describe("the standing", () => {
  test("is of the tightest window, by its place, with the time rounded up so that nobody comes too early", () => {
    expect(limitField(report)).toEqual({ window: 0, r: 3, t: 2 });
    expect(limitField({ ...report, standing: { window: 1, remaining: 0, resetMs: 0 } })).toEqual({
      window: 1,
      r: 0,
      t: 0,
    });
  });
});

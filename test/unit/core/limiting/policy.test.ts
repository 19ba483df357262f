import { expect, test } from "vitest";
import { quotaOf, windowMsOf } from "../../../../src/core/limiting/policy.ts";
import type { WindowSpec } from "../../../../src/core/limiting/types.ts";
import { fixed, policy, sliding } from "./support.ts";

const token = (rate: number, burst: number): WindowSpec => ({ kind: "token-bucket", rate, burst });
const leaky = (rate: number, burst: number, maxDelayMs = 0): WindowSpec => ({
  kind: "leaky-bucket",
  rate,
  burst,
  maxDelayMs,
});
const calendar = (unit: "minute" | "hour" | "day" | "month"): WindowSpec => ({
  kind: "calendar-window",
  limit: 10,
  unit,
  timeZone: "UTC",
});

test.each<[string, WindowSpec[], leaseMs: number]>([
  ["a sliding window: a twentieth", [sliding(1_000)], 3_000],
  ["at least half a second", [sliding(1_000, 10_000)], 500],
  ["at most five minutes", [sliding(1_000, 86_400_000)], 300_000],
  ["a fixed window: all of it", [fixed(1_000, 30_000)], 30_000],
  ["a minute of a longer one", [fixed(1_000, 1_200_000)], 60_000],
  ["or a twentieth, if that is more", [calendar("hour")], 180_000],
  ["at most five minutes of a month", [calendar("month")], 300_000],
  ["the shortest of several", [fixed(1_000), sliding(1_000)], 3_000],
  ["a short window is not leased", [sliding(10, 1_000)], 0],
  ["nor a limit that has one", [fixed(1_000), sliding(10, 1_000)], 0],
  ["nor one that admits a hundred a second", [sliding(100, 1_000)], 0],
  ["unless it admits much", [sliding(101, 1_000)], 250],
  ["a bucket: an eighth of its refill", [token(10, 100)], 1_250],
  ["at least a quarter of a second", [token(1_000, 1_000)], 250],
  ["at most five minutes of a large one", [token(1, 10_000)], 300_000],
  ["a small burst is not leased", [token(1, 19)], 0],
  ["one of twenty is", [token(1, 20)], 2_500],
  ["nor one that is gone at once", [token(1_000, 499)], 0],
  ["one that lasts for two of the shortest leases is", [token(1_000, 500)], 250],
  ["a leaky bucket as a meter is a bucket", [leaky(10, 100)], 1_250],
  ["as a queue it is asked each time", [leaky(10, 100, 1)], 0],
])("%s", (_, windows, leaseMs) => {
  expect(policy(windows).leaseMs).toBe(leaseMs);
  expect(policy(windows, { consistency: "exact" }).leaseMs).toBe(0);
});

test("what a request may cost: the smallest window, and what a bucket can lease", () => {
  expect(policy([sliding(100), fixed(30)])).toMatchObject({ costMax: 30, leasedCostMax: 30 });
  expect(policy([token(100, 60)])).toMatchObject({ costMax: 60, leasedCostMax: 35 });
});

test.each<[WindowSpec, q: number, windowMs: number]>([
  [sliding(7, 9_000), 7, 9_000],
  [fixed(7, 9_000), 7, 9_000],
  [token(10, 50), 50, 5_000],
  [leaky(4, 2), 2, 500],
  [calendar("minute"), 10, 60_000],
  [calendar("hour"), 10, 3_600_000],
  [calendar("day"), 10, 86_400_000],
  [calendar("month"), 10, 31 * 86_400_000],
])("q and w of %o", (spec, q, windowMs) => {
  expect([quotaOf(spec), windowMsOf(spec)]).toEqual([q, windowMs]);
});

import { expect, test } from "vitest";
import { shownWindows } from "../../../../src/core/limiting/peek.ts";
import type { WindowSpec } from "../../../../src/core/limiting/types.ts";

test.each<[WindowSpec, object]>([
  [
    { kind: "sliding-window", limit: 10, windowMs: 1_500 },
    { kind: "sliding-window", limit: 10, windowSeconds: 1.5 },
  ],
  [
    { kind: "fixed-window", limit: 5, windowMs: 60_000 },
    { kind: "fixed-window", limit: 5, windowSeconds: 60 },
  ],
  [
    { kind: "calendar-window", limit: 9, unit: "day", timeZone: "UTC" },
    { kind: "calendar-window", limit: 9, per: "day", timeZone: "UTC" },
  ],
  [
    { kind: "token-bucket", rate: 0.5, burst: 3 },
    { kind: "token-bucket", rate: 0.5, burst: 3 },
  ],
])("a window is shown in the words of the configuration: %j", (spec, words) => {
  const windows = [{ spec, charged: 1, free: 2, resetMs: 250 }];
  expect(shownWindows({ windows })).toEqual([{ ...words, charged: 1, free: 2, resetSeconds: 0.25 }]);
});

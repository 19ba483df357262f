import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { newBudgetState, noteRequest, trySpendRetry } from "../../../../src/core/retrying/budget.ts";
import type { RetryBudget } from "../../../../src/core/retrying/types.ts";

/** Retries that are granted at `nowMs` of so many that are asked for. */
function granted(state: ReturnType<typeof newBudgetState>, budget: RetryBudget, nowMs: number, wanted = 1_000): number {
  let count = 0;
  for (let retry = 0; retry < wanted; retry++) if (trySpendRetry(state, budget, nowMs)) count++;
  return count;
}

function stateOf(requests: number, nowMs = 0) {
  const state = newBudgetState();
  for (let request = 0; request < requests; request++) noteRequest(state, nowMs);
  return state;
}

describe("the retry budget", () => {
  test.each([
    [200, 20, 0, 40],
    [200, 29, 0, 58],
    [4, 20, 0, 0],
    [5, 20, 0, 1],
    [0, 20, 10, 100],
    [200, 20, 1, 40],
    [200, 20, 10, 100],
    [7, 100, 0, 7],
    [200, 0, 0.1, 1],
    [200, 0, 0, 0],
    [0, 0, 0, 0],
  ])("of %d requests, %d per cent or %d a second: %d retries", (requests, percent, minPerSecond, retries) => {
    expect(granted(stateOf(requests), { percent, minPerSecond }, 0)).toBe(retries);
  });

  test("requests and retries are forgotten after the window", () => {
    const budget = { percent: 20, minPerSecond: 0.5 };
    const state = stateOf(100);
    expect(granted(state, budget, 1_000)).toBe(20);
    expect(granted(state, budget, bounds.retryBudgetMs - 1)).toBe(0);
    // The requests have left; the retries, a second younger, have not.
    expect(granted(state, budget, bounds.retryBudgetMs)).toBe(0);
    expect(granted(state, budget, bounds.retryBudgetMs + 1_000)).toBe(5);
  });

  test("a long silence leaves nothing behind", () => {
    const state = stateOf(100);
    granted(state, { percent: 20, minPerSecond: 0 }, 0);
    expect(granted(state, { percent: 20, minPerSecond: 0 }, 1e9)).toBe(0);
    noteRequest(state, 1e9);
    expect(granted(state, { percent: 100, minPerSecond: 0 }, 1e9)).toBe(1);
  });

  test("no retry is granted above the budget of the requests and retries of the last window, and none refused below", () => {
    const step = fc.record({ waitMs: fc.integer({ min: 0, max: 3_000 }), isRetry: fc.boolean() });
    const budgets = fc.record({ percent: fc.integer({ min: 0, max: 100 }), minPerSecond: fc.constantFrom(0, 0.1, 1) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), budgets, (steps, budget) => {
        const state = newBudgetState();
        const slotMs = bounds.retryBudgetMs / 10;
        const events: { readonly slot: number; readonly isRetry: boolean }[] = [];
        let nowMs = 0;
        for (const { waitMs, isRetry } of steps) {
          nowMs += waitMs;
          const slot = Math.floor(nowMs / slotMs);
          const recent = events.filter((event) => event.slot > slot - 10);
          const retries = recent.filter((event) => event.isRetry).length;
          const allowed = Math.max((budget.percent * (recent.length - retries)) / 100, budget.minPerSecond * 10);
          if (!isRetry) noteRequest(state, nowMs);
          else if (trySpendRetry(state, budget, nowMs)) expect(retries + 1).toBeLessThanOrEqual(allowed);
          else {
            expect(retries + 1).toBeGreaterThan(allowed);
            continue;
          }
          events.push({ slot, isRetry });
        }
      }),
    );
  });
});

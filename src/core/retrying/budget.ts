/** The retry budget: a service that is down gets a little more than its requests, not a multiple of them. */
import { bounds } from "../../bounds.ts";
import { add, newRolling, type Rolling, total } from "../rolling.ts";
import { limits } from "./limits.ts";
import type { RetryBudget } from "./types.ts";

const requests = 0;
const retries = 1;

/** Requests and retries of one service in one isolate, over the last `bounds.retryBudgetMs`. */
export type BudgetState = Rolling;

/** The state of a service that was never called. */
export function newBudgetState(): BudgetState {
  return newRolling(bounds.retryBudgetMs, limits.budgetSlots, 2);
}

/** Counts a request. Call it once for every request of the service, whatever its route and however often it is sent. */
export function noteRequest(state: BudgetState, nowMs: number): void {
  add(state, requests, 1, nowMs);
}

/**
 * Takes one retry from the budget; false and nothing taken when it is spent: retries, this one included, stay at or below
 * max(percent of the requests, minPerSecond * seconds of the window). Call it last: what it gave cannot be given back.
 */
export function trySpendRetry(state: BudgetState, { percent, minPerSecond }: RetryBudget, nowMs: number): boolean {
  const earned = (percent * total(state, requests, nowMs)) / 100;
  const granted = (minPerSecond * bounds.retryBudgetMs) / 1_000;
  if (total(state, retries, nowMs) + 1 > Math.max(earned, granted)) return false;
  add(state, retries, 1, nowMs);
  return true;
}

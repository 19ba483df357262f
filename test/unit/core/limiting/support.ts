/** Shorthands for tests of the book and the table. */
import { type Book, type BookRow, bookOf, rowOf } from "../../../../src/core/limiting/book.ts";
import type { Ask } from "../../../../src/core/limiting/decision.ts";
import { type Policy, type PolicyConfig, policyOf } from "../../../../src/core/limiting/policy.ts";
import type { LeaseQuery, LeaseReply, WindowSpec } from "../../../../src/core/limiting/types.ts";

/** A moment at the beginning of a minute. */
export const t0 = 1_700_000_040_000;

export const sliding = (limit: number, windowMs = 60_000): WindowSpec => ({ kind: "sliding-window", limit, windowMs });
export const fixed = (limit: number, windowMs = 60_000): WindowSpec => ({ kind: "fixed-window", limit, windowMs });

export function query(windows: readonly WindowSpec[], part: Partial<LeaseQuery> = {}): LeaseQuery {
  return {
    isolate: "a",
    seq: 1,
    need: 1,
    rate: 0,
    exact: false,
    spent: 0,
    reports: [],
    windows,
    policyVersion: 1,
    ...part,
  };
}

export function policy(windows: readonly WindowSpec[], part: Partial<PolicyConfig> = {}): Policy {
  return policyOf({ windows, consistency: "leased", onUnavailable: "deny", version: 1, ...part });
}

export function ask(
  windows: readonly WindowSpec[],
  part: Partial<PolicyConfig> & { cost?: number; key?: string } = {},
): Ask {
  const { cost = 1, key = "k", ...config } = part;
  return { key, cost, policy: policy(windows, config) };
}

export function reply(part: Partial<LeaseReply> = {}): LeaseReply {
  return {
    seq: 1,
    granted: 0,
    ttlMs: 3_000,
    delayMs: 0,
    retryAfterMs: 0,
    denyMs: 0,
    window: 0,
    free: 0,
    resetMs: 0,
    isolates: 1,
    ...part,
  };
}

/** The book as a new instance reads it. */
export function restarted(book: Book): Book {
  return bookOf(JSON.parse(JSON.stringify(rowOf(book))) as BookRow);
}

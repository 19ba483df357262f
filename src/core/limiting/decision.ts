/** What a request asks of its limits, and what it is told. */
import type { Policy } from "./policy.ts";
import type { LeaseRequest } from "./table.ts";

/** One limit that a request is subject to. */
export interface Ask {
  /** Name of the key: a hash, bounded in length, different for every limit. No two asks of a request have the same. */
  readonly key: string;
  /** Permits, an integer of at least 1. */
  readonly cost: number;
  readonly policy: Policy;
}

/** What the response may say of one limit. */
export interface Standing {
  /** Place in the policy of the window that is tightest as far as is known; 0 when nothing is. */
  readonly window: number;
  /** Permits that are certainly left, never negative; of an approximate limit those that are likely to be. */
  readonly remaining: number;
  /** Time until more is left; 0 when that is now or not known. */
  readonly resetMs: number;
}

export type Decision =
  | {
      readonly kind: "allowed";
      /** In the order of the asks. */
      readonly standings: readonly Standing[];
      /** The request is to be held back this long (leaky bucket as a queue). */
      readonly delayMs: number;
      /** Calls to make in the background; `granted` or `failed` takes their answers. */
      readonly background: readonly LeaseRequest[];
      /** The object was away for one of the limits, and `onUnavailable` decided. */
      readonly degraded: boolean;
    }
  | {
      readonly kind: "denied";
      readonly reason: "rate_limited" | "cost_exceeds_limit";
      readonly standings: readonly Standing[];
      /** Places of the asks that denied. */
      readonly violated: readonly number[];
      /** Who waits this long is admitted if nobody else takes it; 0 for `cost_exceeds_limit`: waiting does not help. */
      readonly retryAfterMs: number;
      readonly degraded: boolean;
    }
  /** Nothing is decided or spent. Make the calls that are not under way yet, wait for all, and decide again. */
  | { readonly kind: "ask"; readonly requests: readonly LeaseRequest[] };

/** How a request is decided the second time. */
export interface Again {
  /** What `ask` said to call. */
  readonly requests: readonly LeaseRequest[];
  /** Keys whose objects did not answer in time: `onUnavailable` decides where their permits are missing. */
  readonly away: ReadonlySet<string>;
}

/** Does a limit that is not approximate need a call of its own for this cost? */
export function isExact({ policy, cost }: Ask): boolean {
  return policy.leaseMs === 0 || cost > policy.leasedCostMax;
}

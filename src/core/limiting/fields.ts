/** What the response says of limits: draft-ietf-httpapi-ratelimit-headers, and the older `X-RateLimit-*`. */
import type { Standing } from "./decision.ts";
import { quotaOf, windowMsOf } from "./policy.ts";
import type { WindowSpec } from "./types.ts";

/** One limit that a request was subject to. */
export interface LimitReport {
  /** Name of the limit. */
  readonly name: string;
  readonly windows: readonly WindowSpec[];
  readonly standing: Standing;
  readonly headers: "draft" | "legacy" | "none";
}

/** A policy of `RateLimit-Policy`: quota and window in seconds. */
export interface PolicyField {
  readonly name: string;
  readonly q: number;
  readonly w: number;
}

/** An entry of `RateLimit`: what is certainly left, and the seconds until more is. */
export interface LimitField {
  /** Place of the policy in `policyFields`. */
  readonly window: number;
  readonly r: number;
  readonly t: number;
}

/** Policies of one limit. The first window has the limit's name, the others a number behind it. */
export function policyFields({ name, windows }: LimitReport): PolicyField[] {
  return windows.map((spec, index) => ({
    name: windowName(name, index),
    q: quotaOf(spec),
    w: Math.max(1, Math.ceil(windowMsOf(spec) / 1000)),
  }));
}

/** Standing of one limit, by its tightest window. */
export function limitField({ standing }: LimitReport): LimitField {
  return { window: standing.window, r: standing.remaining, t: Math.ceil(standing.resetMs / 1000) };
}

const windowName = (name: string, index: number): string => (index === 0 ? name : `${name}-${index + 1}`);

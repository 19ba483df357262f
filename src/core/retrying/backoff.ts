/** How long to wait before a request is sent again. */
import { bounds } from "../../bounds.ts";
import type { RetryPolicy } from "./types.ts";

type Backoff = Pick<RetryPolicy, "backoffMs" | "maxBackoffMs">;

/**
 * Full jitter (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog): uniform in
 * [0, min(maxBackoffMs, backoffMs * 2^n)). `n` counts retries from 0, up to 1,000; `random` is uniform in [0, 1).
 */
export function jitterMs({ backoffMs, maxBackoffMs }: Backoff, n: number, random: () => number): number {
  return random() * Math.min(maxBackoffMs, backoffMs * 2 ** n);
}

/**
 * Pause before retry `n` (from 0): the larger of the jitter and what the origin asked for. null: no retry, because the
 * origin wants to be left alone for longer than is left of the request's time (`remainingMs`; null = no limit) or than
 * `bounds.retryAfterMsMax`. The jitter may well be longer than what is left: then the request times out in the pause.
 * `retryAfterMs` null: the origin did not say.
 */
export function pauseMs(
  policy: Backoff,
  n: number,
  retryAfterMs: number | null,
  remainingMs: number | null,
  random: () => number,
): number | null {
  const askedMs = retryAfterMs ?? 0;
  if (askedMs > Math.min(bounds.retryAfterMsMax, remainingMs ?? Number.POSITIVE_INFINITY)) return null;
  return Math.max(jitterMs(policy, n, random), askedMs);
}

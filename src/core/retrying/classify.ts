/** Which requests may be sent twice, and which answers are a reason to. */
import type { RetryPolicy } from "./types.ts";

/** What is left of a request's body: there was none; it is kept and can be sent again; it went by in a stream. */
export type BodyState = "none" | "kept" | "gone";

/** A request, as far as sending it again is concerned. */
export interface Repeat {
  /** As received: HTTP methods are case-sensitive. */
  readonly method: string;
  /** The request carries an `idempotency-key`: its origin promises to act on it once. */
  readonly hasIdempotencyKey: boolean;
  readonly body: BodyState;
}

const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
const idempotentMethods: ReadonlySet<string> = new Set([...safeMethods, "PUT", "DELETE"]);

/** Does the method ask for no change (RFC 9110 9.2.1)? */
export function isSafe(method: string): boolean {
  return safeMethods.has(method);
}

/**
 * May the request be sent again although an origin may have acted on it already? Yes when doing it twice is the same as
 * doing it once (RFC 9110 9.2.2), and there is still a body to send.
 */
export function isRepeatable({ method, hasIdempotencyKey, body }: Repeat): boolean {
  return body !== "gone" && (hasIdempotencyKey || idempotentMethods.has(method));
}

/** Is the status of an origin's answer one that the policy retries? */
export function isRetryableStatus(policy: RetryPolicy, status: number): boolean {
  return policy.codes.has(status);
}

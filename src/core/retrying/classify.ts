/** Which requests may be sent twice, and which answers are a reason to. */
import type { RetryPolicy } from "./types.ts";

const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
const idempotentMethods: ReadonlySet<string> = new Set([...safeMethods, "PUT", "DELETE"]);

/** Does the method ask for no change (RFC 9110 9.2.1)? */
export function isSafe(method: string): boolean {
  return safeMethods.has(method);
}

/**
 * May the request be sent again although an origin may have acted on it already? Yes when doing it twice is the same as
 * doing it once (RFC 9110 9.2.2), or it carries an `idempotency-key`: its origin promises to act on it once. Methods are
 * case-sensitive. Whether there is still a body to send is another question.
 */
export function isRepeatable(method: string, hasIdempotencyKey: boolean): boolean {
  return hasIdempotencyKey || idempotentMethods.has(method);
}

/** Is the status of an origin's answer one that the policy retries? */
export function isRetryableStatus(policy: RetryPolicy, status: number): boolean {
  return policy.codes.has(status);
}

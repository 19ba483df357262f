/** The loop over tries. Everything that decides whether a request is sent once more, or twice at once, is here. */
import { bounds } from "../bounds.ts";
import { pauseMs } from "../core/retrying/backoff.ts";
import { isRetryableStatus } from "../core/retrying/classify.ts";
import { retryAfterMs } from "../core/retrying/retry-after.ts";
import type { RetryPolicy } from "../core/retrying/types.ts";
import { type ErrorCode, GatewayError } from "../errors.ts";
import { within } from "../within.ts";
import type { Deadline } from "./deadline.ts";

/** What became of one try. */
export interface Tried {
  /** The origin's answer, or the error that the client would get. */
  readonly result: Response | GatewayError;
  /** Who was asked; null: nobody could be, so another try would find nobody either. */
  readonly origin: string | null;
  /** The connection ended before any header came; perhaps it was closed before it was used. */
  readonly isLost: boolean;
}

/** A request that is to be sent, and how often and when again. */
export interface Sending {
  /**
   * Makes one try at an origin that is not in `tried`, and adds it when it has been chosen. `cancel`: aborted when its outcome
   * is not wanted any more.
   */
  tryOnce(tried: Set<string>, cancel: AbortSignal | undefined): Promise<Tried>;

  /** null: not, but for a stale connection. */
  readonly policy: RetryPolicy | null;
  /** A safe method without a body: sent once more, even without a policy, when the connection was lost. */
  isSafe(): boolean;
  /** May it be sent again without harm, as far as the request itself is concerned? */
  isRepeatable(): boolean;
  /** Takes a retry from the budget of the service; false when it is spent. */
  spend(): boolean;
  /** Time after which a second try joins a first that has not answered, from the end of the upload; null: never. */
  readonly hedgeAfterMs: number | null;
  /** Settles when the body of the first try has been read, or never will be. Never rejects. */
  uploaded(): Promise<unknown>;
  /** Of the whole request. */
  readonly deadline: Deadline;
  readonly random: () => number;
}

/** What became of the request. */
export interface Sent extends Tried {
  /** A retry was due, but the budget was spent. */
  readonly isBudgetSpent: boolean;
}

/** Failures before the response's headers: nothing of an answer has been seen. */
const unanswered: ReadonlySet<ErrorCode> = new Set(["upstream_unreachable", "upstream_timeout"]);

/**
 * Sends a request until it is answered or may not be sent again. Never after an answer's headers went out: an answer that is
 * given up for another try is one that nobody has seen.
 *
 * A runtime that keeps connections may pick one which the origin has just closed; that shows as a lost connection, and the
 * runtime does not try again by itself. So a safe request without a body is sent once more. That it is never told whether a
 * connection was new costs a second try when the origin is really gone: isolates share their pool, so not even the first
 * request of an isolate is sure to have a new one.
 */
export async function sendUntilAnswered(sending: Sending): Promise<Sent> {
  const { policy, deadline } = sending;
  const tried = new Set<string>();
  let last: Tried | null = null;
  for (let retries = 0; ; retries++) {
    const outcome = await (sending.hedgeAfterMs === null
      ? sending.tryOnce(tried, undefined)
      : hedged(sending, sending.hedgeAfterMs, tried));
    // Nobody is left to be asked: what came before stands.
    if (last !== null && outcome.origin === null) return ended(last);
    if (last !== null) discard(last);
    last = outcome;
    // What nearly every request is asked comes first.
    if (policy === null ? !outcome.isLost : !isRetryable(outcome, policy)) return ended(outcome);
    const attemptsMax = policy?.attempts ?? (sending.isSafe() ? bounds.staleConnectionRetriesMax : 0);
    if (retries >= attemptsMax || outcome.origin === null) return ended(outcome);
    if (deadline.expired || !sending.isRepeatable()) return ended(outcome);
    if (policy === null) continue;
    const waitMs = pauseMs(policy, retries, askedPauseMs(outcome), deadline.remainingMs(), sending.random);
    if (waitMs === null) return ended(outcome);
    if (!sending.spend()) return ended(outcome, true);
    await pause(waitMs, deadline);
    if (!deadline.expired) continue;
    discard(outcome);
    return ended({ ...outcome, result: new GatewayError("request_timeout") });
  }
}

function ended({ result, origin, isLost }: Tried, isBudgetSpent = false): Sent {
  return { result, origin, isLost, isBudgetSpent };
}

function isRetryable({ result }: Tried, policy: RetryPolicy | null): boolean {
  if (result instanceof GatewayError) return unanswered.has(result.code);
  return policy !== null && isRetryableStatus(policy, result.status);
}

/** No answer, or none that another try might not better. */
function isFailure(tried: Tried, policy: RetryPolicy | null): boolean {
  return isRetryable(tried, policy) || (tried.result instanceof Response && tried.result.status >= 500);
}

function askedPauseMs({ result }: Tried): number | null {
  if (result instanceof GatewayError) return null;
  return retryAfterMs(result.headers.get("retry-after"), Date.now(), Date.parse);
}

/** One try, or two at once when the first is slow. The first answer that is no failure wins; the other is given up. */
async function hedged(sending: Sending, afterMs: number, tried: Set<string>): Promise<Tried> {
  const first = begin(sending, tried);
  await Promise.race([first.outcome, sending.uploaded()]);
  const early = await within<Tried | null>(first.outcome, afterMs, () => null);
  if (early !== null) return early;
  if (!sending.isRepeatable() || !sending.spend()) return first.outcome;
  const second = begin(sending, tried);
  const [winner, other] = await Promise.race([
    first.outcome.then((outcome) => [outcome, second] as const),
    second.outcome.then((outcome) => [outcome, first] as const),
  ]);
  if (winner.origin === null || isFailure(winner, sending.policy)) {
    const rest = await other.outcome;
    if (rest.origin === null) return winner;
    discard(winner);
    return rest;
  }
  other.cancel.abort();
  void other.outcome.then(discard);
  return winner;
}

function begin(sending: Sending, tried: Set<string>) {
  const cancel = new AbortController();
  return { cancel, outcome: sending.tryOnce(tried, cancel.signal) };
}

/** An answer that nobody will read must not hold a connection. */
function discard({ result }: Tried): void {
  if (result instanceof Response) void result.body?.cancel().catch(() => {});
}

/** Waits, at most until the deadline. */
async function pause(ms: number, { signal }: Deadline): Promise<void> {
  if (ms > 0) await scheduler.wait(ms, signal && { signal }).catch(() => {});
}

/** The loop over attempts. Everything that decides whether a request is sent once more is here. */
import { bounds } from "../bounds.ts";
import { type AttemptOutcome, attempt } from "./attempt.ts";

/** Methods that change nothing (RFC 9110 9.2.1): sending one twice is the same as sending it once. */
const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** What became of the request, and how often it was sent. */
export interface SendOutcome {
  readonly outcome: AttemptOutcome;
  readonly tries: number;
}

/**
 * Sends a request. A runtime that keeps connections may pick one which the origin has just closed; that shows as a lost
 * connection, and the runtime does not try again by itself. So a safe request without a body is sent once more. That it is
 * never told whether a connection was new costs a second try when the origin is really gone: isolates share their pool, so
 * not even the first request of an isolate is sure to have a new one.
 */
export async function send(url: string, init: RequestInit & { method: string }): Promise<SendOutcome> {
  const repeatable = safeMethods.has(init.method) && !init.body;
  const triesMax = repeatable ? 1 + bounds.staleConnectionRetriesMax : 1;
  for (let tries = 1; ; tries++) {
    const outcome = await attempt(url, init);
    if (outcome.kind !== "lost" || tries >= triesMax || init.signal?.aborted) return { outcome, tries };
  }
}

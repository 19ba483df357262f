/** One fetch to one origin, and what became of it as a value. */

/** The origin's answer, untouched; or why there is none. `reason` is for logs only. */
export type AttemptOutcome =
  | { readonly kind: "response"; readonly response: Response }
  /** The connection ended before any header came: refused, reset, closed; they cannot be told apart. */
  | { readonly kind: "lost"; readonly reason: string }
  /** Anything else: DNS, TLS, an aborted body. */
  | { readonly kind: "failed"; readonly reason: string };

/** A request to an origin. Redirects are the client's business. */
export interface AttemptInit extends RequestInit {
  redirect: "manual";
}

/** Sends the request. A body that was not read is passed on as it came. */
export async function attempt(url: string, init: AttemptInit): Promise<AttemptOutcome> {
  try {
    return { kind: "response", response: await fetch(url, init) };
  } catch (error) {
    const lost = (error as { retryable?: unknown }).retryable === true;
    return { kind: lost ? "lost" : "failed", reason: String(error) };
  }
}

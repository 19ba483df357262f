/** What a failed fetch says of its connection. */

/** Did the connection end before any header came: refused, reset, closed? They cannot be told apart. */
export function isLostConnection(error: unknown): boolean {
  return (error as { retryable?: unknown } | null)?.retryable === true;
}

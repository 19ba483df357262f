/** Inner numbers of retrying; what a user can feel is in `bounds.ts`. */
export const limits = Object.freeze({
  /** Parts of the budget's window: a request is forgotten up to a tenth of the window early. */
  budgetSlots: 10,
  /** Parts of the window of latencies. */
  latencySlots: 6,
  /** Largest relative error of a percentile: half the width of a bucket. */
  latencyErrorMax: 0.1,
  /** Beyond 2^31 s a `Retry-After` is as good as for ever (RFC 9111 1.2.2). */
  retryAfterSecondsMax: 2 ** 31,
});

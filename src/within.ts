/** A bound on waiting. The timer is ended with the wait, as one that is left may wake for nothing. */

/** What `work` comes to; after `ms` without it, what `late` returns or throws. `work` itself goes on. */
export async function within<T>(work: Promise<T>, ms: number, late: () => T): Promise<T> {
  const timer = new AbortController();
  const over = scheduler.wait(ms, { signal: timer.signal }).then(late);
  try {
    return await Promise.race([work, over]);
  } finally {
    timer.abort();
  }
}

/** What `work` comes to, or an Error when that takes longer than `ms`. */
export function answerWithin<T>(work: Promise<T>, ms: number): Promise<T> {
  return within(work, ms, () => {
    throw new Error(`no answer within ${ms} ms`);
  });
}

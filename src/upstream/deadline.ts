/** The clock of a request: time to the response's headers, all tries and waits included. */

/** Aborts `signal` when its time is over. `expired` tells a timeout from any other failure. */
export interface Deadline {
  /** For the fetch; undefined when nothing will ever abort it. */
  readonly signal: AbortSignal | undefined;
  readonly expired: boolean;
  /** Starts the clock; a second call does nothing. */
  start(): void;
  /** Stops it for good: the headers are here, and the body may take as long as it likes. */
  stop(): void;
  /** Aborts for another reason than the time, the response's body included. Only for an `abortable` deadline. */
  abort(reason: Error): void;
}

const unlimited: Deadline = { signal: undefined, expired: false, start() {}, stop() {}, abort() {} };

/** A deadline of `timeoutMs` that has not started yet; 0 = no limit. `abortable`: `abort` may be called. */
export function newDeadline(timeoutMs: number, abortable: boolean): Deadline {
  if (timeoutMs === 0 && !abortable) return unlimited;
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let stopped = timeoutMs === 0;
  let expired = false;
  return {
    signal: controller.signal,
    get expired() {
      return expired;
    },
    start() {
      if (timer !== null || stopped) return;
      timer = setTimeout(() => {
        expired = true;
        controller.abort(new DOMException("request timeout", "TimeoutError"));
      }, timeoutMs);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
    abort: (reason) => controller.abort(reason),
  };
}

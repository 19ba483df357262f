/** A clock that aborts: of a request to its response's headers, or of one try. */

/** Aborts `signal` when its time is over. `expired` tells a timeout from any other failure. */
export interface Deadline {
  /** For the fetch; undefined when nothing will ever abort it. */
  readonly signal: AbortSignal | undefined;
  readonly expired: boolean;
  /** Starts the clock; a second call does nothing. */
  start(): void;
  /** Stops it for good: the headers are here, and the body may take as long as it likes. */
  stop(): void;
  /** Ends the time now, unless it was stopped. Only for an `abortable` deadline. */
  expire(): void;
  /** Aborts for another reason than the time, the response's body included. Only for an `abortable` deadline. */
  abort(reason: Error): void;
  /** Time left; null: no limit. All of it before the start. */
  remainingMs(): number | null;
}

const unlimited: Deadline = {
  signal: undefined,
  expired: false,
  start() {},
  stop() {},
  expire() {},
  abort() {},
  remainingMs: () => null,
};

/** A deadline of `timeoutMs` that has not started yet; 0 = no limit. `abortable`: `abort` may be called. */
export function newDeadline(timeoutMs: number, abortable: boolean): Deadline {
  if (timeoutMs === 0 && !abortable) return unlimited;
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let startedAtMs: number | null = null;
  let isStopped = false;
  let expired = false;
  const expire = () => {
    if (isStopped) return;
    expired = true;
    controller.abort(new DOMException("timeout", "TimeoutError"));
  };
  return {
    signal: controller.signal,
    get expired() {
      return expired;
    },
    start() {
      if (timer !== null || isStopped || timeoutMs === 0) return;
      startedAtMs = Date.now();
      timer = setTimeout(expire, timeoutMs);
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
    expire,
    abort: (reason) => controller.abort(reason),
    remainingMs() {
      if (timeoutMs === 0) return null;
      return startedAtMs === null ? timeoutMs : Math.max(0, startedAtMs + timeoutMs - Date.now());
    },
  };
}

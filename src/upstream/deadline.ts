/** A clock that aborts: of a request to its response's headers, or of one try. */

/** Aborts `signal` when its time is over. `expired` tells a timeout from any other failure. */
export interface Deadline {
  /** For the fetch; undefined when nothing will ever abort it. */
  readonly signal: AbortSignal | undefined;
  readonly expired: boolean;
  /** Starts the clock, at `nowMs`; a second call does nothing. */
  start(nowMs: number): void;
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
  return timeoutMs === 0 && !abortable ? unlimited : new Clock(timeoutMs);
}

/** A class, as it is made for every request. */
class Clock implements Deadline {
  readonly signal: AbortSignal;
  expired = false;
  private readonly controller = new AbortController();
  private readonly timeoutMs: number;
  private startedAtMs: number | null = null;
  private isStopped = false;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    this.signal = this.controller.signal;
  }

  start(nowMs: number): void {
    if (this.startedAtMs !== null || this.isStopped || this.timeoutMs === 0) return;
    this.startedAtMs = nowMs;
    setTimeout(() => this.expire(), this.timeoutMs);
  }

  stop(): void {
    // The timer is left to run out, or to end with its request: clearing it is a good part of what it costs (bench: plain).
    this.isStopped = true;
  }

  expire(): void {
    if (this.isStopped) return;
    this.expired = true;
    this.controller.abort(new DOMException("timeout", "TimeoutError"));
  }

  abort(reason: Error): void {
    this.controller.abort(reason);
  }

  remainingMs(): number | null {
    if (this.timeoutMs === 0) return null;
    if (this.startedAtMs === null) return this.timeoutMs;
    return Math.max(0, this.startedAtMs + this.timeoutMs - Date.now());
  }
}

/**
 * What an object does unasked: at its time what is due, and the publication of what has changed.
 *
 * The timer is exact while the object lives; the alarm, which may be a minute late, wakes an object that does not. Neither
 * is trusted: every call to the object first does what is due, and then calls `schedule`.
 */
import { bounds } from "../src/bounds.ts";
import { answerWithin } from "../src/within.ts";

/** What the object can do. */
export interface Duties {
  /** For the log. */
  name(): string;
  /** Does what is due. */
  settle(nowMs: number): void;
  /** When something will be due; null: nothing will. Never throws. */
  nextDueMs(nowMs: number): number | null;
  /** Does the control plane lack something? Never throws. */
  isUnpublished(): boolean;
  /** Gives the control plane what it lacks; returns what is to be called when that has been taken. */
  publish(nowMs: number): { readonly taken: Promise<unknown>; done(): void };
}

const never = Number.POSITIVE_INFINITY;

export class Upkeep {
  readonly #storage: DurableObjectStorage;
  readonly #duties: Duties;
  /** When to publish; infinite when there is nothing to publish. */
  #publishAtMs = never;
  #isPublishing = false;
  #timer: { readonly handle: ReturnType<typeof setTimeout>; readonly atMs: number } | null = null;
  #alarmAtMs = never;

  constructor(storage: DurableObjectStorage, duties: Duties) {
    this.#storage = storage;
    this.#duties = duties;
  }

  /**
   * Sets timer and alarm for what comes next. One that is set for an earlier time stays, for waking early is harmless.
   *
   * @param isUrgent publish now, and do not gather changes first.
   */
  schedule(nowMs: number, isUrgent = false): void {
    // A time that is set stays: the end of the delay that gathers changes, or of the pause after a failure.
    if (!this.#duties.isUnpublished()) this.#publishAtMs = never;
    else if (isUrgent) this.#publishAtMs = nowMs;
    else if (this.#publishAtMs === never) this.#publishAtMs = nowMs + bounds.publishDelayMs;
    const dueMs = this.#duties.nextDueMs(nowMs) ?? never;
    // While a publication is under way its end schedules the next.
    this.#setTimer(Math.min(dueMs, this.#isPublishing ? never : this.#publishAtMs), nowMs);
    // For a publication the alarm is the second in line: it wakes an object that ended before the timer did.
    this.#setAlarm(Math.min(dueMs, Math.max(nowMs, this.#publishAtMs) + bounds.publishRetryMs));
  }

  /** The object's alarm handler. Never throws: an alarm that keeps throwing is dropped by the platform. */
  async alarm(): Promise<void> {
    this.#alarmAtMs = never;
    await this.#wake();
  }

  /** Does what is due, and publishes it at once unless a publication is set for later. */
  async #wake(): Promise<void> {
    const nowMs = Date.now();
    try {
      this.#duties.settle(nowMs);
      const isLater = this.#publishAtMs !== never && this.#publishAtMs > nowMs;
      const publication = isLater ? null : this.#publish(nowMs);
      this.schedule(nowMs);
      await publication;
    } catch (error) {
      console.error({ message: "failed to wake", object: this.#duties.name(), error: String(error) });
    }
    this.schedule(Date.now());
  }

  /** One call at a time. A failure is tried again. */
  async #publish(nowMs: number): Promise<void> {
    if (this.#isPublishing || !this.#duties.isUnpublished()) return;
    this.#isPublishing = true;
    this.#publishAtMs = never;
    try {
      const { taken, done } = this.#duties.publish(nowMs);
      await answerWithin(taken, bounds.objectCallMsMax);
      done();
    } catch (error) {
      console.warn({ message: "was not published", object: this.#duties.name(), error: String(error) });
      this.#publishAtMs = Date.now() + bounds.publishRetryMs;
    } finally {
      this.#isPublishing = false;
    }
  }

  #setTimer(atMs: number, nowMs: number): void {
    if (atMs >= (this.#timer?.atMs ?? never)) return;
    if (this.#timer !== null) clearTimeout(this.#timer.handle);
    const wake = async () => {
      this.#timer = null;
      await this.#wake();
    };
    this.#timer = { handle: setTimeout(wake, Math.max(0, atMs - nowMs)), atMs };
  }

  #setAlarm(atMs: number): void {
    if (atMs >= this.#alarmAtMs) return;
    this.#alarmAtMs = atMs;
    // Not awaited: the platform holds the reply back until it is durable.
    void this.#storeAlarm(atMs);
  }

  /** Never throws. An alarm that could not be set is set by whatever schedules next. */
  async #storeAlarm(atMs: number): Promise<void> {
    try {
      await this.#storage.setAlarm(atMs);
    } catch (error) {
      this.#alarmAtMs = never;
      console.error({ message: "the alarm was not set", object: this.#duties.name(), error: String(error) });
    }
  }
}

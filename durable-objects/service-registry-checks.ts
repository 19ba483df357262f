/**
 * Makes the active checks of one registry. When which origin is checked is decided in src/core/checking, what follows from
 * it in src/core/leasing; this is their clock and their fetch.
 *
 * Checks belong to no call: nobody waits for them. A timer starts what is due. The registry's alarm calls `start` too, for
 * an object that has ended, or should the timer ever fail.
 */
import { bounds } from "../src/bounds.ts";
import { isExpected } from "../src/core/checking/judge.ts";
import { finish, follow, newChecks, nextStartMs, start } from "../src/core/checking/schedule.ts";
import type { Check } from "../src/core/checking/types.ts";
import type { Finding } from "../src/core/leasing/checks.ts";
import { targetsOf } from "../src/core/leasing/marks.ts";
import type { Book } from "../src/core/leasing/types.ts";
import { answerWithin } from "../src/within.ts";

/** What the registry does with the results. */
export interface CheckDuties {
  /** For the log. */
  name(): string;
  /** Draws the conclusion; true if the health object is to be told that the origin has passed. */
  conclude(finding: Finding): boolean;
  tellPassed(origins: readonly string[]): Promise<unknown>;
}

const never = Number.POSITIVE_INFINITY;

export class Checker {
  readonly #duties: CheckDuties;
  readonly #checks = newChecks();
  /** Of the book that `#checks` follows. */
  #revision = -1;
  #timer: { readonly handle: ReturnType<typeof setTimeout>; readonly atMs: number } | null = null;
  readonly #passed = new Set<string>();
  #isTelling = false;

  constructor(duties: CheckDuties) {
    this.#duties = duties;
  }

  /** Follows the book. Cheap when it has not changed. */
  follow(book: Book, nowMs: number): void {
    if (book.revision === this.#revision) return;
    this.#revision = book.revision;
    follow(this.#checks, book.checkOrder?.settings ?? null, targetsOf(book), nowMs, Math.random);
    this.#setTimer(nowMs);
  }

  /** Starts what is due. */
  start(nowMs: number): void {
    for (const check of start(this.#checks, nowMs)) void this.#check(check);
    this.#setTimer(nowMs);
  }

  /** When the alarm should see to the checks; null when there are none. */
  alarmDueMs(): number | null {
    const startMs = nextStartMs(this.#checks);
    return startMs === null ? null : startMs + bounds.checkAlarmLateMs;
  }

  /** Results in a row by origin: above 0 passed, below 0 failed. */
  runs(): Record<string, number> {
    return Object.fromEntries([...this.#checks.records].map(([id, { run }]) => [id, run]));
  }

  /** One check from beginning to end. Never throws. */
  async #check(check: Check): Promise<void> {
    const hasPassed = await passes(check);
    const { origin, url } = check;
    try {
      const run = finish(this.#checks, check, hasPassed, Date.now(), Math.random);
      if (run !== null && this.#duties.conclude({ origin, url, run })) this.#tell(origin);
    } catch (error) {
      // The next check of this origin comes to the same conclusion.
      console.error({ message: "a check had no effect", object: this.#duties.name(), origin, error: String(error) });
    }
    this.#setTimer(Date.now());
  }

  #setTimer(nowMs: number): void {
    const atMs = nextStartMs(this.#checks) ?? never;
    if (atMs >= (this.#timer?.atMs ?? never)) return;
    if (this.#timer !== null) clearTimeout(this.#timer.handle);
    const wake = () => {
      this.#timer = null;
      this.start(Date.now());
    };
    this.#timer = { handle: setTimeout(wake, Math.max(0, atMs - nowMs)), atMs };
  }

  #tell(origin: string): void {
    this.#passed.add(origin);
    if (!this.#isTelling) void this.#tellAll();
  }

  /** One call at a time, and for many passes one. A failure is left at that: the next pass says the same. */
  async #tellAll(): Promise<void> {
    this.#isTelling = true;
    while (this.#passed.size > 0) {
      await scheduler.wait(bounds.checkPassedDelayMs);
      const origins = [...this.#passed];
      this.#passed.clear();
      try {
        await answerWithin(this.#duties.tellPassed(origins), bounds.objectCallMsMax);
      } catch (error) {
        console.warn({ message: "passed checks were not told", object: this.#duties.name(), error: String(error) });
      }
    }
    this.#isTelling = false;
  }
}

/** Asks the origin. Whatever is not an expected status within the timeout is a failure. */
async function passes({ url, settings }: Check): Promise<boolean> {
  try {
    const response = await fetch(url + settings.path, {
      headers: { "user-agent": "sluice-health-check/1" },
      redirect: "manual",
      // The origin itself must answer.
      cache: "no-store",
      signal: AbortSignal.timeout(settings.timeoutMs),
    });
    // A body that is not wanted must not keep its connection.
    void response.body?.cancel().catch(() => {});
    return isExpected(settings, response.status);
  } catch {
    return false;
  }
}

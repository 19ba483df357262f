/** Leases that are short and never renewed: there until they end, whatever is killed, and not served for long afterwards. */
import type { FarmOrigin } from "../support/farm.ts";

export const briefService = "brief";
/** The shortest lease there is. */
export const briefSeconds = 5;
/** With more of them the registry would take their end for a broken network, and keep them. */
export const briefMax = 6;
/** A second is promised; the rest is for a machine that is late with alarms and with the origin's log. */
export const overdueMsMax = 3_000;
/** By how much the listing's answer may be older than the moment it is compared with. */
const listedMs = 2_000;

/** What a listing shows of an origin. */
export interface BriefListed {
  readonly id: string;
  readonly expiresAt: string;
}

/** Ends of leases by origin, in ms since 1970. Each origin registers once. */
export class BriefLeases {
  /** Infinity: there was no answer. */
  readonly #ends = new Map<string, number>();
  /** Seen to be gone. */
  readonly #over = new Set<string>();

  begin(id: string): void {
    this.#ends.set(id, Number.POSITIVE_INFINITY);
  }

  acknowledge(id: string, expiresAt: string): void {
    this.#ends.set(id, Date.parse(expiresAt));
  }

  /** Those that may be in use at `nowMs`. */
  alive(nowMs: number): number {
    return [...this.#ends].filter(([id, endMs]) => endMs > nowMs && !this.#over.has(id)).length;
  }

  /** Those that were acknowledged and end after `nowMs`: they have to be in use. */
  lasting(nowMs: number): readonly string[] {
    return [...this.#ends].filter(([, endMs]) => Number.isFinite(endMs) && endMs > nowMs).map(([id]) => id);
  }

  /**
   * Compares with a listing that was asked for and answered by `nowMs`; what is lost, in words. A restart may give a lease
   * its whole length anew, so from then on the listing's end is what counts.
   */
  settle(listed: readonly BriefListed[], nowMs: number): string[] {
    const losses: string[] = [];
    for (const [id, endMs] of this.#ends) {
      const found = listed.find((origin) => origin.id === id);
      const foundMs = found === undefined ? nowMs : Date.parse(found.expiresAt);
      const isTold = Number.isFinite(endMs);
      if (this.#over.has(id)) {
        if (found !== undefined) losses.push(`short lease of ${id} is over and there again`);
        continue;
      }
      if (isTold && foundMs < endMs) losses.push(`short lease of ${id} ended ${endMs - foundMs} ms too early`);
      if (foundMs > nowMs + briefSeconds * 1_000 + listedMs)
        losses.push(`short lease of ${id} is longer than it may be`);
      // What is not there ended by now, and not before it was to.
      if (found === undefined) this.#over.add(id);
      this.#ends.set(id, foundMs);
    }
    return losses;
  }

  /** By how much any of them was served after its end at most, in ms; 0: none was. */
  overdueMs({ asked }: Pick<FarmOrigin, "asked">): number {
    let mostMs = 0;
    for (const { target, atMs } of asked) {
      const endMs = this.#ends.get(briefIdOf(target) ?? "");
      if (endMs !== undefined) mostMs = Math.max(mostMs, performance.timeOrigin + atMs - endMs);
    }
    return mostMs;
  }
}

/** The origin that a request went to; null: none of these. */
export function briefIdOf(target: string): string | null {
  return /^\/as\/brief\/(\w+)\//.exec(target)?.[1] ?? null;
}

/** Which fault a failed request is to be blamed on, if any. */
import type { Fault } from "./origins.ts";
import type { Interval } from "./starved.ts";

/** A request and what became of it. */
export interface Outcome {
  /** In ms of `performance.now()`. */
  readonly sentMs: number;
  readonly endedMs: number;
  readonly path: string;
  /** 0: there was no answer. */
  readonly status: number;
  /** The body came whole. */
  readonly isWhole: boolean;
  /** `sluice-error`; null: the answer is not the gateway's. */
  readonly code: string | null;
  /** Who was asked last; null: nobody. */
  readonly origin: string | null;
}

/** What the configuration says of the time after a fault. */
export interface Echo {
  readonly origins: number;
  /** Share of failed tries from which on a breaker opens. */
  readonly failureRate: number;
  /** Longest time until a breaker lets everything through again. */
  readonly breakerMs: number;
}

/** Codes of a try that failed at an origin. */
const ofTries = ["upstream_unreachable", "upstream_timeout", "upstream_invalid_response", "request_timeout"];

/** A starved machine as a fault of every origin: whichever was asked could not answer in time. */
export const starvedFaults = (starved: readonly Interval[], origins: readonly string[]): Fault[] =>
  starved.map((interval) => ({ kind: "starved", origins, ...interval }));

export const isFailed = ({ status, isWhole }: Outcome): boolean => status === 0 || status >= 500 || !isWhole;

/**
 * The fault that explains a failure; null: none does, and the gateway is to blame.
 *
 * A failed try is explained by a fault of that very origin, while it lasted. A refusal by the breaker is explained by a
 * fault of so many origins that it had to open, until it must be closed again. No answer at all is never explained.
 */
export function blame(outcome: Outcome, faults: readonly Fault[], echo: Echo): Fault | null {
  const { sentMs, endedMs, status, code, origin, isWhole } = outcome;
  const lasted = (fault: Fault, moreMs = 0) => endedMs >= fault.fromMs && sentMs <= fault.toMs + moreMs;
  return (
    faults.find((fault) => {
      const isAsked = origin !== null && fault.origins.includes(origin) && lasted(fault);
      if (status === 200 && !isWhole) return isAsked && (fault.kind === "cut" || fault.kind === "kill");
      if (code !== null && ofTries.includes(code)) return isAsked;
      const mustOpen = fault.origins.length / echo.origins >= echo.failureRate;
      return code === "circuit_open" && mustOpen && lasted(fault, echo.breakerMs);
    }) ?? null
  );
}

/** The gateway in front of origins that are harmed: its configuration, what is asked of it, and what that promises. */
import { bounds } from "../../src/bounds.ts";
import type { Echo } from "./blame.ts";
import type { Origins } from "./origins.ts";
import type { Kind } from "./traffic.ts";

export const originCount = 4;
const seconds = { open: 1, maxOpen: 1, recovery: 1, ejection: 1 };
const failureRate = 0.8;
/** By how much the gateway lengthens an open time at random. */
const jitter = 1.2;
/** Until an isolate has learnt of the last change. */
const followsMs = 2_000;
/** One report of an isolate may be lost on the way: its deadline, and the pause after it. */
const lostMs = bounds.healthReportMsMax + bounds.healthReportMsMin * jitter;

/**
 * A breaker counts tries: with one of four origins harmed a quarter of them fail, and at most half while most requests are
 * retried, so it must open only when all four are.
 */
export const echo: Echo = {
  origins: originCount,
  failureRate,
  // It may have been opened for the longest time by the last failure, and is then probed.
  breakerMs: (seconds.maxOpen * jitter + seconds.recovery) * 1_000 + followsMs + lostMs,
};

/** Time after which origins that were harmed get traffic again: the longest ejection that a run comes to, and the breaker's. */
export const recoveredMsMax = 20_000;

export function configOf({ list }: Pick<Origins, "list">): object {
  const guarded = {
    origins: list,
    circuitBreaker: {
      ...{ windowSeconds: 5, minimumRequests: 20, failureRate },
      ...{ openSeconds: seconds.open, maxOpenSeconds: seconds.maxOpen, recoverySeconds: seconds.recovery },
    },
    outlierDetection: { consecutiveFailures: 5, baseEjectionSeconds: seconds.ejection },
  };
  const budget = { percent: 100, minPerSecond: 1_000 };
  // A loaded machine holds an answer back for longer than an origin ever takes.
  const timeouts = { attemptMs: 2_000, requestMs: 8_000 };
  const route = (name: string, more: object) => ({
    ...{ name, service: name, matches: [{ path: { prefix: `/${name}` } }], timeouts, ...more },
  });
  return {
    gateway: { debugHeaders: true },
    services: { retried: guarded, bare: guarded, limited: guarded, registered: {} },
    rateLimits: {
      many: { algorithm: "sliding-window", windows: [{ limit: 1_000_000, seconds: 60 }], key: ["global"] },
    },
    routes: [
      route("retried", { retries: { attempts: 3, budget } }),
      route("bare", {}),
      route("limited", { rateLimits: ["many"], retries: { attempts: 3, budget } }),
    ],
  };
}

const body = "x".repeat(2_000);

export const kinds: readonly Kind[] = [
  { path: "/retried" },
  { path: "/bare" },
  { path: "/limited" },
  { path: "/retried", init: { method: "PUT", body } },
  { path: "/bare", init: { method: "POST", body } },
];

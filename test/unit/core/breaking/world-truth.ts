/** What has truly happened in a simulated world, for the checks of what the object believes. */
import type { BreakerSettings, CallOutcome, HealthEvent } from "../../../../src/core/breaking/types.ts";

/** Results of all requests of one version that began in one generation, told or not. */
interface Results {
  ok: number;
  fail: number;
  slow: number;
  readonly failedAtMs: number[];
  probesOk: number;
  probesFailed: number;
}

export interface Truth {
  /** A request is over. `isProbe`: it went by a permit of the object. */
  add(version: string, generation: number, outcome: CallOutcome, isSlow: boolean, isProbe: boolean, atMs: number): void;
  /** A probe was given up, for its permit is about to end. */
  giveUp(version: string, generation: number): void;
  of(version: string, generation: number): Readonly<Results>;
}

export function newTruth(): Truth {
  const all = new Map<string, Results>();
  const of = (version: string, generation: number): Results => {
    const key = `${version} ${generation}`;
    const known = all.get(key);
    if (known !== undefined) return known;
    const made = { ok: 0, fail: 0, slow: 0, failedAtMs: [], probesOk: 0, probesFailed: 0 };
    all.set(key, made);
    return made;
  };
  return {
    of,
    giveUp(version, generation) {
      of(version, generation).probesFailed += 1;
    },
    add(version, generation, outcome, isSlow, isProbe, atMs) {
      const results = of(version, generation);
      if (outcome === "ignored") return;
      results[outcome] += 1;
      if (isSlow) results.slow += 1;
      if (outcome === "fail") results.failedAtMs.push(atMs);
      if (isProbe && outcome === "ok") results.probesOk += 1;
      if (isProbe && (outcome === "fail" || isSlow)) results.probesFailed += 1;
    },
  };
}

type Shift = Extract<HealthEvent, { readonly generation: number }>;

/**
 * Is a transition more than the truth allows? What is lost can only take results away, so these are the fewest that any
 * loss leaves as a reason (B4). `slackMs`: how much later than they happened results may come.
 */
export function unfounded(
  truth: Truth,
  event: Shift,
  settings: BreakerSettings,
  atMs: number,
  slackMs: number,
): string[] {
  const { version, generation } = event;
  const { ok, fail, slow, failedAtMs, probesOk, probesFailed } = truth.of(version, generation - 1);
  if (event.type !== "breaker_opened") {
    const isFounded = event.type === "breaker_half_open" || probesOk >= settings.halfOpenProbes;
    return isFounded ? [] : [`B3: closed after ${probesOk} good probes`];
  }
  const recent = failedAtMs.filter((failedMs) => failedMs >= atMs - settings.windowMs - slackMs).length;
  const isEnough = ok + fail >= settings.minimumRequests;
  // A row has no window: it lasts as long as nothing succeeds.
  const isFounded = {
    failure_rate: isEnough && recent >= settings.failureRate * settings.minimumRequests,
    slow_call_rate: isEnough && slow >= settings.slowCallRate * settings.minimumRequests,
    consecutive_failures: fail >= settings.consecutiveFailures,
    probe_failed: probesFailed > 0,
  }[event.reason];
  return isFounded ? [] : [`B4: opened by ${event.reason} with ${recent} recent failures of ${ok + fail} results`];
}

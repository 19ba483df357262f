/** `ewma`: the power of two choices, on peak latency times requests under way by weight. */
import { limits } from "./limits.ts";
import { inFlightOf } from "./load.ts";
import { drawByWeight } from "./random.ts";
import type { Balancer, LoadState } from "./types.ts";

/**
 * Peak EWMA (Finagle, Linkerd): the cost of an origin is its mean latency, to which a slower answer raises it at once and
 * which otherwise follows with time; its load is cost * (inFlight + 1) / weight. Two origins are drawn by weight, and the
 * request moves from the first to the second when the second has the lower load, where the first is given half a request
 * for nothing: an idle service is shared by weight, as in `leastRequest`, until an origin is twice as slow as another.
 */
export const peakEwma: Balancer = (pool, { state, random, nowMs }) => {
  const { candidates } = pool;
  const firstIndex = drawByWeight(pool, random);
  const first = candidates[firstIndex]!;
  if (candidates.length === 1) return first;
  const second = candidates[drawByWeight(pool, random, firstIndex)]!;
  const firstInFlight = inFlightOf(state, first.id);
  const secondInFlight = inFlightOf(state, second.id);
  // Half a request at the larger weight of the two: it must not make a light origin look loaded beside a heavy one.
  const firstLoad =
    costMs(state, first.id, firstInFlight, nowMs) *
    (firstInFlight / first.weight + 0.5 / Math.max(first.weight, second.weight));
  const secondLoad = (costMs(state, second.id, secondInFlight, nowMs) * (secondInFlight + 1)) / second.weight;
  return secondLoad < firstLoad ? second : first;
};

/** Notes the time to the headers of an answer that was no failure. Only `ewma` needs it. */
export function noteResponse(state: LoadState, id: string, latencyMs: number, nowMs: number): void {
  const cost = state.costs.get(id);
  if (cost === undefined) {
    state.costs.set(id, { ms: latencyMs, atMs: nowMs });
    return;
  }
  const kept = keptShare(cost.atMs, nowMs);
  const fadedMs = cost.ms * kept;
  cost.ms = latencyMs > fadedMs ? latencyMs : fadedMs + latencyMs * (1 - kept);
  cost.atMs = nowMs;
}

/**
 * Notes a failure after `latencyMs`. An origin that fails fast must not look fast: a failure counts as
 * `failureCostMsMin`, and as twice the cost so far up to `failureCostMsMax`, as there are services whose good answers take
 * longer.
 */
export function noteFailure(state: LoadState, id: string, latencyMs: number, nowMs: number): void {
  const cost = state.costs.get(id);
  const doubledMs = cost === undefined ? 0 : 2 * cost.ms * keptShare(cost.atMs, nowMs);
  const penaltyMs = Math.min(Math.max(limits.failureCostMsMin, doubledMs), limits.failureCostMsMax);
  noteResponse(state, id, Math.max(latencyMs, penaltyMs), nowMs);
}

/**
 * A cost fades while there are no answers, so that an origin that was slow is tried again. One that has never answered
 * counts as fast, but only while a few requests are under way to it: it may be stuck.
 */
function costMs(state: LoadState, id: string, inFlight: number, nowMs: number): number {
  const cost = state.costs.get(id);
  if (cost !== undefined) return Math.max(limits.costMsMin, cost.ms * keptShare(cost.atMs, nowMs));
  return inFlight < limits.probesMax ? limits.costMsMin : limits.failureCostMsMin;
}

/** What is left of a cost at `nowMs`, in (0, 1]; a clock that steps back changes nothing. */
function keptShare(atMs: number, nowMs: number): number {
  return Math.exp(-Math.max(0, nowMs - atMs) / limits.costFadeMs);
}

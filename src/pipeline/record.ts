/** Stage: what is learned from a try. Nothing here waits, and nothing leaves the isolate before the answer does. */
import { isProbe, type Permit, recordCall } from "../clients/health.ts";
import { noteFailure, noteResponse } from "../core/balancing/ewma.ts";
import { totalInFlight } from "../core/balancing/load.ts";
import { noteSample } from "../core/breaking/gradient.ts";
import { noteAnswer } from "../core/breaking/throttle.ts";
import type { CallOutcome } from "../core/breaking/types.ts";
import { noteLatency } from "../core/retrying/latency.ts";
import type { GatewayError } from "../errors.ts";
import type { Origin, Route, ServiceView } from "../snapshot/types.ts";
import { gradientOf, latenciesOf, type ServiceLoad, throttleOf } from "../upstream/load.ts";

/** A try that is over. */
export interface Ended {
  readonly service: ServiceView;
  readonly load: ServiceLoad;
  readonly origin: Origin;
  /** null: the service has no breaker. */
  readonly permit: Permit | null;
  readonly result: Response | GatewayError;
  /** Time to the headers, or to the failure, since the body was handed over. */
  readonly latencyMs: number;
  /** When it ended. */
  readonly nowMs: number;
  /** The origin is not to blame: the client left or sent too much, or the try was given up for another. */
  readonly isIgnored: boolean;
}

/** Tells breaker, balancing, load shedding and hedging. */
export function record({ hedging }: Route, ended: Ended, env: Env, ctx: ExecutionContext): void {
  const { service, load, origin, permit, result, latencyMs, nowMs, isIgnored } = ended;
  const outcome = isIgnored ? "ignored" : outcomeOf(result, permit !== null && isProbe(permit));
  if (permit) recordCall(env, ctx, service, permit, origin.id, outcome, latencyMs, nowMs);
  // Those that were given up too: if only the fast ones counted, hedging would make itself ever earlier.
  if (hedging && outcome !== "fail") noteLatency(latenciesOf(load), latencyMs, nowMs);
  if (isIgnored) return;
  const { policy, throttle, gradient } = service.config;
  if (policy === "ewma") {
    if (outcome === "fail") noteFailure(load.state, origin.id, latencyMs, nowMs);
    else noteResponse(load.state, origin.id, latencyMs, nowMs);
  }
  if (throttle && result instanceof Response) {
    noteAnswer(throttleOf(load, throttle), result.status !== 429 && result.status !== 503, nowMs);
  }
  if (gradient === null) return;
  // It has ended already, but was under way until now.
  const inFlight = totalInFlight(load.state) + 1;
  noteSample(gradientOf(load), gradient, latencyMs, inFlight, outcome === "fail", nowMs);
}

/**
 * 5xx and no answer at all are failures; 4xx says nothing of the service. But a probe asks whether it answers at all: where
 * all requests are answered 4xx, nothing else would ever close the breaker.
 */
function outcomeOf(result: Response | GatewayError, isForProbe: boolean): CallOutcome {
  if (!(result instanceof Response) || result.status >= 500) return "fail";
  return result.status >= 400 && !isForProbe ? "ignored" : "ok";
}

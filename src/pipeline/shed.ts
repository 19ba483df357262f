/** Stage: has the service room for one more request. */
import { enterService, leaveService } from "../clients/health.ts";
import { totalInFlight } from "../core/balancing/load.ts";
import { gradientAdmits } from "../core/breaking/gradient.ts";
import { throttleAdmits } from "../core/breaking/throttle.ts";
import { GatewayError } from "../errors.ts";
import type { ServiceView } from "../snapshot/types.ts";
import { gradientOf, type ServiceLoad, throttleOf } from "../upstream/load.ts";

/** What refused the request; for `sluice-decision`. */
type ShedBy = "throttle" | "gradient" | "concurrency";

/** The outcome. */
export interface Shed {
  readonly refusal: GatewayError | null;
  readonly by: ShedBy | null;
  /** Calls to objects that were waited for. */
  readonly calls: number;
  /** To be called once when the request is over; null: nothing is. */
  readonly leave: (() => void) | null;
}

const free: Shed = { refusal: null, by: null, calls: 0, leave: null };

/** Lets a request in, or refuses it with `overloaded`. Only `maxConcurrentRequests` may wait for an object. */
export function shed(env: Env, ctx: ExecutionContext, service: ServiceView, load: ServiceLoad): Shed | Promise<Shed> {
  const { throttle, gradient, health } = service.config;
  if (throttle && !throttleAdmits(throttleOf(load, throttle), throttle, Date.now(), Math.random)) {
    return refused("throttle", 0);
  }
  if (gradient && !gradientAdmits(gradientOf(load), gradient, totalInFlight(load.state))) return refused("gradient", 0);
  return health.maxConcurrent === 0 ? free : entered(env, ctx, service);
}

async function entered(env: Env, ctx: ExecutionContext, service: ServiceView): Promise<Shed> {
  const entry = await enterService(env, ctx, service);
  if (!entry.entered) return refused("concurrency", entry.calls);
  return { refusal: null, by: null, calls: entry.calls, leave: () => leaveService(service, entry) };
}

function refused(by: ShedBy, calls: number): Shed {
  // When there will be room nobody knows; a second is what a client would wait without a word.
  const refusal = new GatewayError("overloaded", { headers: { "retry-after": "1" }, reason: `shed by ${by}` });
  return { refusal, by, calls, leave: null };
}

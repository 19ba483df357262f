/** Stage: which origin of the chosen version gets the request. */
import { chooseOrigin } from "../core/balancing/index.ts";
import { GatewayError } from "../errors.ts";
import type { Origin, ServiceView, Snapshot } from "../snapshot/types.ts";
import { loadOf, type ServiceLoad } from "../upstream/load.ts";

/** The origin, and the load of its service, in which the request will count. */
export interface Picked {
  readonly origin: Origin;
  readonly load: ServiceLoad;
}

/** One of `candidates` by the service's policy, one not in `tried` (ids) if there is any; `no_origin` if there is none. */
export function pick(
  snapshot: Snapshot,
  service: ServiceView,
  candidates: readonly Origin[],
  tried: ReadonlySet<string>,
): Picked | GatewayError {
  const load = loadOf(snapshot, service.config.name);
  const origin = chooseOrigin(service.config.policy, candidates, load.state, tried, Math.random);
  return origin ? { origin, load } : new GatewayError("no_origin");
}

/** Stage: does the breaker of the origin's version let the request through. */
import { admitCall, type Permit } from "../clients/health.ts";
import { GatewayError } from "../errors.ts";
import type { Origin, ServiceView } from "../snapshot/types.ts";

/** A client gains nothing by coming back sooner. */
const retryAfterMsMin = 1_000;

/** The permit, which must be recorded, or `circuit_open`. */
export function guard(
  env: Env,
  ctx: ExecutionContext,
  service: ServiceView,
  origin: Origin,
  nowMs: number,
): Permit | GatewayError {
  const admission = admitCall(env, ctx, service, origin.version ?? "", nowMs);
  if (admission.kind === "admitted") return admission.permit;
  const seconds = Math.ceil(Math.max(retryAfterMsMin, admission.retryAfterMs) / 1_000);
  return new GatewayError("circuit_open", { headers: { "retry-after": String(seconds) } });
}

/** The Worker: the gateway's own addresses, and everything else is traffic. */
import type { newAdmin } from "./admin/index.ts";
import { isOwn } from "./admin/own.ts";
import { GatewayError } from "./errors.ts";
import { HeaderSection } from "./header-section.ts";
import { explain } from "./pipeline/explain.ts";
import { handle } from "./pipeline/index.ts";
import { errorResponse } from "./respond.ts";
import { currentSnapshot, refreshSnapshot, snapshotStatus } from "./snapshot/cache.ts";
import { type Target, targetFor } from "./target.ts";

export { ControlPlane } from "../durable-objects/control-plane.ts";
export { RateLimiter } from "../durable-objects/rate-limiter.ts";
export { ServiceHealth } from "../durable-objects/service-health.ts";
export { ServiceRegistry } from "../durable-objects/service-registry.ts";

const notOfHosts = /[/?#@\\]/;
const snapshots = { current: currentSnapshot, refresh: refreshSnapshot, status: snapshotStatus };
/**
 * Made for the first call of it: an isolate that serves traffic only starts without what it takes. Calls that come meanwhile
 * make their own: a promise of another request may never settle.
 */
let admin: ReturnType<typeof newAdmin> | undefined;

export default {
  fetch(request, env, ctx) {
    const headers = new HeaderSection(request.headers);
    const target = targetOf(request, headers);
    if (target === null) {
      return errorResponse(
        new GatewayError("invalid_request", { detail: "The Host header is not a host." }),
        crypto.randomUUID(),
      );
    }
    return isOwn(target, env)
      ? answerOwn(request, env, ctx)
      : handle({ request, method: request.method, target, headers }, env, ctx);
  },
} satisfies ExportedHandler<Env>;

async function answerOwn(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
  admin ??= (await import("./admin/index.ts")).newAdmin(snapshots, explain);
  return admin.fetch(request, env, ctx);
}

/**
 * Where the request goes to; null when its Host header is no host, which only Cloudflare's edge would have refused: the
 * runtime puts it into the URL as it is. Dot segments are resolved, so nothing can reach a prefix by a detour.
 */
function targetOf({ url }: Request, headers: HeaderSection): Target | null {
  if (notOfHosts.test(headers.get("host") ?? "")) return null;
  try {
    return targetFor(url);
  } catch {
    return null;
  }
}

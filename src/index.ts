/** The Worker: the gateway's own addresses, and everything else is traffic. */
import { newAdmin } from "./admin/index.ts";
import { isOwn } from "./admin/own.ts";
import { GatewayError } from "./errors.ts";
import { HeaderSection } from "./header-section.ts";
import { explain } from "./pipeline/explain.ts";
import { handle } from "./pipeline/index.ts";
import { errorResponse } from "./respond.ts";
import { currentSnapshot, refreshSnapshot, snapshotStatus } from "./snapshot/cache.ts";
import { targetFor } from "./target.ts";

export { ControlPlane } from "../durable-objects/control-plane.ts";
export { RateLimiter } from "../durable-objects/rate-limiter.ts";
export { ServiceHealth } from "../durable-objects/service-health.ts";
export { ServiceRegistry } from "../durable-objects/service-registry.ts";

const notOfHosts = /[/?#@\\]/;
const snapshots = { current: currentSnapshot, refresh: refreshSnapshot, status: snapshotStatus };
const admin = newAdmin(snapshots, explain);

export default {
  fetch(request, env, ctx) {
    // It resolves dot segments, so nothing can reach a prefix by a detour.
    const target = targetFor(request.url);
    // Outside of Cloudflare's edge a Host header with a path in it would become a part of the URL.
    const headers = new HeaderSection(request.headers);
    if (notOfHosts.test(headers.get("host") ?? "")) {
      return errorResponse(
        new GatewayError("invalid_request", { detail: "The Host header is not a host." }),
        crypto.randomUUID(),
      );
    }
    return isOwn(target, env)
      ? admin.fetch(request, env, ctx)
      : handle({ request, method: request.method, target, headers }, env, ctx);
  },
} satisfies ExportedHandler<Env>;

/** Stage: the answer to a CORS preflight. */
import { type CorsPolicy, preflightHeaders } from "../core/cors/cors.ts";

/** 204 whether or not the origin is allowed; what is allowed is in the headers. */
export function preflight(policy: CorsPolicy, request: Request): Response {
  const { headers } = request;
  const granted = preflightHeaders(
    policy,
    headers.get("origin") ?? "",
    headers.get("access-control-request-method") ?? "",
    headers.get("access-control-request-headers"),
  );
  return new Response(null, { status: 204, headers: granted.map(([name, value]) => [name, value]) });
}

/** Stage: a redirect instead of an answer. */
import { redirectLocation, type Scheme } from "../core/rewriting/redirect.ts";
import type { RouteRedirect } from "../snapshot/types.ts";

/** The redirect of a request to `url`. */
export function redirect(rule: RouteRedirect, url: URL): Response {
  const location = redirectLocation(rule, {
    scheme: url.protocol.slice(0, -1) as Scheme,
    hostname: url.hostname,
    port: url.port === "" ? null : Number(url.port),
    path: url.pathname,
    search: url.search,
  });
  return new Response(null, { status: rule.statusCode, headers: { location } });
}

/** Stage: a redirect instead of an answer. */
import { redirectLocation } from "../core/rewriting/redirect.ts";
import type { RouteRedirect } from "../snapshot/types.ts";
import type { Target } from "../target.ts";

/** The redirect of a request to `target`. */
export function redirect(rule: RouteRedirect, { authority, path, query }: Target): Response {
  const { scheme, hostname, port } = authority;
  // A "?" with nothing behind it says nothing.
  const location = redirectLocation(rule, { scheme, hostname, port, path, search: query === "?" ? "" : query });
  return new Response(null, { status: rule.statusCode, headers: { location } });
}

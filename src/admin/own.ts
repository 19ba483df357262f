/** Which addresses are the gateway's own. */
import { normalizeHost } from "../core/routing/host.ts";
import { normalizePath } from "../core/routing/path.ts";

/** First segment of every path of the gateway's own. */
export const adminPrefix = "/_sluice";

/** Is this an address of the gateway's own? Compared in normal form, as routes are: `/%5Fsluice` is `/_sluice`. */
export function isOwn(url: URL, env: Env): boolean {
  const path = normalizePath(url.pathname);
  if (path !== adminPrefix && !path.startsWith(`${adminPrefix}/`)) return false;
  return !env.ADMIN_HOST || normalizeHost(url.host) === normalizeHost(env.ADMIN_HOST);
}

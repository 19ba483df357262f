/** Which addresses are the gateway's own. */
import { normalizeHost } from "../core/routing/host.ts";
import { normalizePath } from "../core/routing/path.ts";
import type { Target } from "../target.ts";

/** First segment of every path of the gateway's own. */
export const adminPrefix = "/_sluice";

/** Is this an address of the gateway's own? Compared in normal form, as routes are: `/%5Fsluice` is `/_sluice`. */
export function isOwn({ path: received, authority }: Target, env: Env): boolean {
  const path = normalizePath(received);
  if (!path.startsWith(adminPrefix) || (path !== adminPrefix && path[adminPrefix.length] !== "/")) return false;
  return !env.ADMIN_HOST || authority.name === normalizeHost(env.ADMIN_HOST);
}

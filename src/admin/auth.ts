/** Who may call what. A token is a role; there are three, and none is open. */
import type { MiddlewareHandler } from "hono";
import { GatewayError } from "../errors.ts";
import type { AdminContext } from "./context.ts";

/** `admin` may do everything; `registrar` writes origins and reads services; `viewer` reads. */
export type Role = "admin" | "registrar" | "viewer";

/** Refuses a call whose token is missing or wrong (401) or whose role is not among `roles` (403). */
export function requireRole(...roles: readonly Role[]): MiddlewareHandler<AdminContext> {
  const allowed: ReadonlySet<Role> = new Set(["admin", ...roles] as const);
  return async (c, next) => {
    const role = await roleOf(c.req.header("authorization"), c.env);
    c.set("role", role);
    if (!allowed.has(role))
      throw new GatewayError("forbidden", { detail: `The ${role} token does not allow this call.` });
    await next();
  };
}

/** The role of an Authorization header. Throws `admin_disabled` or `unauthorized`. */
async function roleOf(authorization: string | undefined, env: Env): Promise<Role> {
  if (!env.ADMIN_TOKEN) throw new GatewayError("admin_disabled");
  const given = await digestOf(/^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1] ?? "");
  const tokens = { admin: env.ADMIN_TOKEN, registrar: env.REGISTRAR_TOKEN, viewer: env.VIEWER_TOKEN };
  let found: Role | null = null;
  // Every token is compared whatever the others gave, so that the time taken says nothing.
  for (const role of ["viewer", "registrar", "admin"] as const) {
    const token = tokens[role];
    if (token && crypto.subtle.timingSafeEqual(given, await digestOf(token))) found = role;
  }
  if (!found) throw new GatewayError("unauthorized", { headers: { "www-authenticate": 'Bearer realm="sluice"' } });
  return found;
}

/** Digests have one length, whatever the token's: comparing them in constant time does not tell it. */
function digestOf(token: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
}

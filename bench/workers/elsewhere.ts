/** The gateway, with the objects of its limiters in another process: at `LIMITERS`, the driver's address. */
import type { LeaseQuery, LeaseReply } from "../../src/core/limiting/types.ts";
import * as gateway from "../../src/index.ts";

export { ControlPlane, RateLimiter, ServiceHealth, ServiceRegistry } from "../../src/index.ts";

interface Bindings extends Env {
  readonly LIMITERS: string;
}

let env: Env | null = null;

function envOf(bindings: Bindings): Env {
  const getByName = (key: string) => ({ lease: (query: LeaseQuery) => lease(bindings.LIMITERS, { key, query }) });
  env ??= { ...bindings, RATE_LIMITER: { getByName } as unknown as Env["RATE_LIMITER"] };
  return env;
}

async function lease(
  limiters: string,
  call: { readonly key: string; readonly query: LeaseQuery },
): Promise<LeaseReply> {
  const response = await fetch(`${limiters}/lease`, { method: "POST", body: JSON.stringify(call) });
  if (!response.ok) throw new Error(`the limiters answered ${response.status}`);
  return await response.json();
}

export default {
  fetch: (request, bindings, ctx) => gateway.default.fetch(request, envOf(bindings), ctx),
} satisfies ExportedHandler<Bindings>;

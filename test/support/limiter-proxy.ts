/**
 * A Worker between the isolates and their rate limiters: it counts the calls for permits and, when told, fails or hangs
 * them. The product knows nothing of it: its binding RATE_LIMITER is that of this Worker's class.
 */

/** What becomes of calls for permits: passed on, failed at once, or left without an answer for ten seconds. */
export type Fault = "pass" | "fail" | "hang";

export interface LimiterProxy {
  /** `fault` is what becomes of all later calls whose limit is `limit`; left out: of every call. */
  set(fault: Fault, limit?: string): Promise<void>;
  /** Calls so far by limit; those that failed count. */
  calls(): Promise<Readonly<Record<string, number>>>;
}

export const limiterProxyName = "limiter-proxy";

const script = `
import { DurableObject } from "cloudflare:workers";
let faults = { "": "pass" };
const calls = {};
export class RateLimiter extends DurableObject {
  #real() { return this.env.REAL.getByName(this.ctx.id.name); }
  async lease(query) {
    const limit = this.ctx.id.name.startsWith("sha256:") ? "sha256" : this.ctx.id.name.split("|")[0];
    calls[limit] = (calls[limit] ?? 0) + 1;
    const fault = faults[limit] ?? faults[""];
    if (fault === "fail") throw new Error("injected");
    if (fault === "hang") await scheduler.wait(10_000);
    return this.#real().lease(query);
  }
  peek() { return this.#real().peek(); }
  reset() { return this.#real().reset(); }
}
export default {
  async fetch(request) {
    if (request.method === "PUT") {
      const { fault, limit } = await request.json();
      if (limit === undefined) faults = { "": fault };
      else faults[limit] = fault;
    }
    return Response.json(calls);
  },
};
`;

/** The Worker, for Miniflare. `owner` is the Worker that has the real class. */
export function limiterProxyOptions(owner: string) {
  return {
    name: limiterProxyName,
    compatibilityDate: "2026-08-15",
    modules: [{ type: "ESModule" as const, path: "proxy.js", contents: script }],
    durableObjects: {
      RATE_LIMITER: { className: "RateLimiter", useSQLite: true },
      REAL: { className: "RateLimiter", useSQLite: true, scriptName: owner },
    },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
}

/** The Worker at `url`. */
export function limiterProxyAt(url: string): LimiterProxy {
  return {
    async set(fault, limit) {
      const response = await fetch(url, { method: "PUT", body: JSON.stringify({ fault, limit }) });
      if (!response.ok) throw new Error(`the proxy answered ${response.status}`);
    },
    async calls() {
      return (await (await fetch(url)).json()) as Record<string, number>;
    },
  };
}

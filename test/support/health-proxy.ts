/**
 * A Worker between the isolates and the health objects of services: it counts their reports and, when told, fails them,
 * hangs them or loses the replies. The product knows nothing of it: its binding SERVICE_HEALTH is that of this Worker's
 * class.
 */

/** What becomes of reports: passed on, failed at once, left without an answer for ten seconds, or taken and not answered. */
export type HealthFault = "pass" | "fail" | "hang" | "lose";

export interface HealthProxy {
  /** What becomes of the reports on `service` from now on. */
  set(service: string, fault: HealthFault): Promise<void>;
  /** Reports so far by service; those that failed count. */
  reports(): Promise<Readonly<Record<string, number>>>;
}

export const healthProxyName = "health-proxy";

const script = `
import { DurableObject } from "cloudflare:workers";
const faults = {};
const reports = {};
export class ServiceHealth extends DurableObject {
  #real() { return this.env.REAL.getByName(this.ctx.id.name); }
  async report(from) {
    const service = this.ctx.id.name;
    reports[service] = (reports[service] ?? 0) + 1;
    const fault = faults[service];
    if (fault === "fail") throw new Error("injected");
    if (fault === "hang") await scheduler.wait(10_000);
    const reply = await this.#real().report(from);
    if (fault === "lose") throw new Error("injected");
    return reply;
  }
  force(order) { return this.#real().force(order); }
  passed(origins) { return this.#real().passed(origins); }
  describe() { return this.#real().describe(); }
}
export default {
  async fetch(request) {
    if (request.method === "PUT") {
      const { service, fault } = await request.json();
      faults[service] = fault;
    }
    return Response.json(reports);
  },
};
`;

/** The Worker, for Miniflare. `owner` is the Worker that has the real class. */
export function healthProxyOptions(owner: string) {
  return {
    name: healthProxyName,
    compatibilityDate: "2026-08-15",
    modules: [{ type: "ESModule" as const, path: "proxy.js", contents: script }],
    durableObjects: {
      SERVICE_HEALTH: { className: "ServiceHealth", useSQLite: true },
      REAL: { className: "ServiceHealth", useSQLite: true, scriptName: owner },
    },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
}

/** The Worker at `url`. */
export function healthProxyAt(url: string): HealthProxy {
  return {
    async set(service, fault) {
      const response = await fetch(url, { method: "PUT", body: JSON.stringify({ service, fault }) });
      if (!response.ok) throw new Error(`the proxy answered ${response.status}`);
    },
    async reports() {
      return (await (await fetch(url)).json()) as Record<string, number>;
    },
  };
}

/** What one object can do in a second. Caller and object share a process and a core, so production may only be better. */
import { minimalConfig } from "../configs.ts";
import { cpuUsOf } from "../measure/cpu.ts";
import { runWrk } from "../measure/wrk.ts";
import { type Gateway, startGateway } from "../servers/gateway.ts";
import type { Figure } from "./figure.ts";

const callsPerRequest = 20;
const leases = 100;
const service = "all";

export async function objectFigures(origin: string, seconds: number): Promise<Figure[]> {
  const gateway = await startGateway(minimalConfig(origin), { driver: true });
  try {
    const limiter = await rpcs(gateway, "limiter", seconds);
    const health = await rpcs(gateway, "health", seconds);
    return [
      { id: "limiter-rpc", what: "limiter: charges a second, one object", ...limiter },
      { id: "health-rpc", what: "health: reports a second, one object", ...health },
      await heartbeats(gateway, seconds),
    ];
  } finally {
    await gateway.workerd.stop();
  }
}

async function rpcs(
  { workerd }: Gateway,
  name: string,
  seconds: number,
): Promise<Pick<Figure, "value" | "unit" | "note">> {
  const request = { method: "POST" as const, path: `/${name}/${callsPerRequest}`, headers: {}, bodyBytes: 0 };
  const load = { requests: [request] };
  await runWrk(workerd.url("driver"), load, { seconds: 1 });
  const startUs = cpuUsOf(workerd.process.pid);
  const outcome = await runWrk(workerd.url("driver"), load, { seconds });
  const us = (cpuUsOf(workerd.process.pid) - startUs) / (outcome.requests * callsPerRequest);
  if (outcome.refused + outcome.socketErrors > 0) throw new Error(`${name}: calls failed\n${workerd.process.log()}`);
  const value = (outcome.requests * callsPerRequest) / outcome.seconds;
  return { value, unit: "/s", note: `${us.toFixed(0)} us of CPU each, the caller's too` };
}

/** Renewals by the admin API, a hundred leases of one service a call. */
async function heartbeats(gateway: Gateway, seconds: number): Promise<Figure> {
  const renewals = await Promise.all(
    Array.from({ length: leases }, async (_, index) => {
      const origin = `o-${index}`;
      const body = { url: `http://127.0.0.1:9/${index}`, ttlSeconds: 300 };
      const path = `/v1/services/${service}/origins/${origin}`;
      const { leaseId } = await gateway.admin<{ leaseId: string }>("PUT", path, body);
      return { service, origin, leaseId };
    }),
  );
  const renew = () => gateway.admin<{ renewed: unknown[] }>("POST", "/v1/heartbeats", { leases: renewals });
  const deadline = performance.now() + seconds * 1_000;
  const startMs = performance.now();
  let renewed = 0;
  const client = async () => {
    while (performance.now() < deadline) renewed += (await renew()).renewed.length;
  };
  await renew();
  await Promise.all(Array.from({ length: 8 }, client));
  const value = (renewed * 1_000) / (performance.now() - startMs);
  return {
    id: "heartbeats",
    what: "registry: heartbeats a second, one object",
    value,
    unit: "/s",
    note: `batched by ${leases}, by the admin API`,
  };
}

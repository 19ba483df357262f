/** The life of an origin that this process keeps registered. */
import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { bounds } from "../src/bounds.ts";
import type * as schema from "../src/schema/api.ts";
import { type Api, Refusal } from "./api.ts";
import { backoffMs, pause } from "./backoff.ts";
import { limits } from "./limits.ts";
import { originPath, servicePath } from "./services.ts";

/** How much later than this process the gateway would remove a drained origin. */
const leaveSlackSeconds = 10;

export type Lease = z.output<typeof schema.RegistrationAnswer>;

export interface Origin {
  readonly service: string;
  /** undefined: the gateway chooses one. */
  readonly id: string | undefined;
  /** Body of the call; members that are undefined are left out. */
  readonly registration: object;
}

/** Told of each event by its name, for people and for programs. */
export type Tell = (event: string, text: string, members: object) => void;

/** Registers the origin. */
export async function registerOnce(api: Api, { service, id, registration }: Origin): Promise<Lease> {
  const body = JSON.stringify(registration);
  const { body: lease } = await (id === undefined
    ? api.call<Lease>(`${servicePath(service)}/origins`, { method: "POST", body })
    : api.call<Lease>(originPath(service, id), { method: "PUT", body }));
  return lease;
}

/**
 * Registers the origin, throwing what that throws, and renews its lease until `stopping`, whatever fails meanwhile; then
 * drains and removes it. Resolves to whether the gateway could be told to remove it; if not, the lease ends by itself.
 */
export async function keepRegistered(
  api: Api,
  origin: Origin,
  graceSeconds: number,
  stopping: AbortSignal,
  tell: Tell,
): Promise<boolean> {
  const { service, origin: id, ...first } = await registerOnce(api, origin);
  const name = `${service}/${id}`;
  tell("registered", `${name} is registered at ${api.url}`, { service, origin: id, ...first });
  let lease: Omit<Lease, "service" | "origin"> | null = first;
  let failures = 0;
  let pauseMs = heartbeatMs(first.heartbeatSeconds);
  while (await pause(pauseMs, stopping)) {
    try {
      if (lease === null) {
        lease = await registerOnce(api, { ...origin, id });
        tell("registered", `${name} is registered again`, lease);
      } else await renew(api, originPath(service, id), lease.leaseId);
      failures = 0;
      pauseMs = heartbeatMs(lease.heartbeatSeconds);
    } catch (error) {
      const { message } = error as Error;
      const isLost: boolean = lease !== null && error instanceof Refusal && error.code === "lease_not_found";
      if (isLost) lease = null;
      pauseMs = isLost ? 0 : backoffMs(failures++, Math.random());
      const next = isLost ? "registers again" : `next try in ${(pauseMs / 1_000).toFixed(1)} s`;
      tell(isLost ? "lost" : "failed", `${name}: ${message}; ${next}`, { service, origin: id, message });
    }
  }
  return leave(api, service, id, graceSeconds, tell);
}

async function renew(api: Api, path: string, leaseId: string): Promise<void> {
  const body = JSON.stringify({ leaseId });
  await api.call(`${path}/heartbeat`, { method: "POST", body, timeoutMs: limits.heartbeatMsMax });
}

/** Drains the origin, waits, and removes it. */
async function leave(api: Api, service: string, id: string, graceSeconds: number, tell: Tell): Promise<boolean> {
  const path = originPath(service, id);
  const name = `${service}/${id}`;
  try {
    // The gateway removes it a while after this process would have, should this process not live to do so.
    const body = JSON.stringify({
      graceSeconds: Math.min(graceSeconds + leaveSlackSeconds, bounds.drainGraceSecondsMax),
    });
    await api.call(`${path}/drain`, { method: "POST", body });
    tell("draining", `${name} gets no new requests`, { service, origin: id });
    await sleep(graceSeconds * 1_000);
    await api.call(path, { method: "DELETE" });
    tell("deregistered", `${name} is removed`, { service, origin: id });
    return true;
  } catch (error) {
    const { message } = error as Error;
    tell("failed", `${name} could not be removed, its lease will end: ${message}`, { service, origin: id, message });
    return false;
  }
}

/** What the gateway asked for, +-20 %, so that many origins do not renew at once. */
function heartbeatMs(heartbeatSeconds: number): number {
  return heartbeatSeconds * 1_000 * (0.8 + 0.4 * Math.random());
}

/** The registry of one service, as the admin API sees it. */
import { bounds } from "../bounds.ts";
import type { CheckOrder } from "../core/checking/types.ts";
import { callObject } from "./call.ts";

type RegistryStub = ReturnType<Env["SERVICE_REGISTRY"]["getByName"]>;
export type RegisterRequest = Parameters<RegistryStub["register"]>[0];

/** A stub fails when it outlives its request, so each call makes its own. */
const stubOf = (env: Env, service: string): RegistryStub => env.SERVICE_REGISTRY.getByName(service);

/** Registers or replaces an origin. Repeating it is harmless: the second call voids the lease of the first. */
export function registerOrigin(env: Env, service: string, request: RegisterRequest) {
  return callObject(request.ifRevision === undefined, async () => await stubOf(env, service).register(request));
}

/** Renews leases of one service. */
export function renewLeases(env: Env, service: string, leases: readonly { origin: string; leaseId: string }[]) {
  return callObject(true, async () => await stubOf(env, service).heartbeat({ leases }));
}

export function drainOrigin(env: Env, service: string, origin: string, graceSeconds: number) {
  return callObject(true, async () => await stubOf(env, service).drain({ origin, graceSeconds }));
}

export function deregisterOrigin(env: Env, service: string, origin: string) {
  return callObject(true, async () => await stubOf(env, service).deregister({ origin }));
}

export function listOrigins(env: Env, service: string) {
  return callObject(true, async () => await stubOf(env, service).list());
}

/** Says what the registry is to check. Repeating it is harmless. */
export function orderChecks(env: Env, service: string, order: CheckOrder) {
  return callObject(true, async () => await stubOf(env, service).order(order));
}

/** Runs `call` for every item, at most `objectCallsAtOnceMax` at a time; results in the items' order. */
export async function forEachService<T, R>(items: readonly T[], call: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await call(items[at]!);
  };
  await Promise.all(Array.from({ length: Math.min(bounds.objectCallsAtOnceMax, items.length) }, worker));
  return results;
}

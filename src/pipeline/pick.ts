/** Stage: which origin of the chosen version gets the try. */
import { ejectedOf, isSensed } from "../clients/health.ts";
import { chooseOrigin } from "../core/balancing/index.ts";
import type { Usable } from "../core/balancing/panic.ts";
import { usableAmong } from "../core/balancing/usable.ts";
import { GatewayError } from "../errors.ts";
import type { Origin, ServiceView } from "../snapshot/types.ts";
import type { ServiceLoad } from "../upstream/load.ts";

/** What of the request has a say. */
export interface Preference {
  /** Zone that the request belongs to; null: none. */
  readonly zone: string | null;
  /** For `consistent-hash`; null: the request has no key. */
  readonly hashKey: string | null;
  /** May the request go to unhealthy and ejected origins when each of the others has failed it? */
  readonly mayWiden: boolean;
}

/** The origin. `isPanic`: so few are good that the bad ones are used too. */
export interface Picked {
  readonly origin: Origin;
  readonly isPanic: boolean;
}

const noneEjected: ReadonlySet<string> = new Set();
const isUnhealthy = ({ state }: Origin): boolean => state === "unhealthy";

/**
 * One of `candidates` by the service's policy, one not in `tried` (ids) if there is any; `no_origin` if there is none.
 * Unhealthy and ejected origins get nothing, unless fewer than half of the candidates would be left, or by `mayWiden`.
 */
export function pick(
  service: ServiceView,
  candidates: readonly Origin[],
  tried: ReadonlySet<string>,
  { zone, hashKey, mayWiden }: Preference,
  load: ServiceLoad,
  nowMs: number,
): Picked | GatewayError {
  const { config } = service;
  const usable = usableFor(service, candidates, tried, zone, nowMs);
  // What is held against the others may be out of date.
  const isWidened = mayWiden && tried.size > 0 && usable.origins.every(({ id }) => tried.has(id));
  const { origins, isPanic } = isWidened ? { origins: candidates, isPanic: usable.isPanic } : usable;
  const origin = chooseOrigin({
    policy: config.policy,
    origins,
    state: load.state,
    tried,
    hashKey,
    slowStartMs: config.slowStartMs,
    random: Math.random,
    nowMs,
  });
  return origin ? { origin, isPanic } : new GatewayError("no_origin");
}

/** Those of `candidates` that may be picked from: the good ones near the request, else the good ones, else all. */
export function usableFor(
  service: ServiceView,
  candidates: readonly Origin[],
  tried: ReadonlySet<string>,
  zone: string | null,
  nowMs: number,
): Usable<Origin> {
  return usableAmong(candidates, isUnhealthy, ejectedFrom(service, nowMs), zone, tried);
}

/** Ids of origins that are taken out. */
export function ejectedFrom(service: ServiceView, nowMs: number): ReadonlySet<string> {
  return isSensed(service) ? ejectedOf(service, nowMs) : noneEjected;
}

/** What a cycle is played on: a gateway, what it was told, and the origin with its log. */
import type { FarmOrigin } from "../support/farm.ts";
import type { Random } from "../support/random.ts";
import { BriefLeases, briefService } from "./brief.ts";
import type { Killable } from "./killable.ts";
import { Ledger } from "./ledger.ts";
import { type LimitName, limitNames, rateLimits } from "./limits.ts";

export const isolates = 3;
/** Services whose origins register, and those whose breakers are forced. */
export const registered = ["reg-0", "reg-1"] as const;
export const forced = ["brk-0", "brk-1", "brk-2"] as const;
/** Origins of each registered service; each has one owner, so that at most one write of it is in doubt. */
export const originIds = ["o0", "o1", "o2", "o3"] as const;
export const orders = ["auto", "forced-open", "disabled"] as const;

export interface Books {
  /** The number in the configuration, under the name `config`. */
  readonly config: Ledger<number>;
  /** URL by `<service>/<origin>`; "": it is not registered. */
  readonly origins: Ledger<string>;
  /** Order by service. */
  readonly orders: Ledger<string>;
  /** Lease by `<service>/<origin>`, of registrations that were acknowledged. */
  readonly leases: Map<string, string>;
  /** Revisions of the configuration that were acknowledged since the last crash, with their numbers. */
  readonly revisions: Map<number, number>;
  /** Leases of the service `brief`. */
  readonly brief: BriefLeases;
  /** When the gateway was killed, in ms of `performance.now()`. */
  readonly killsMs: number[];
}

export interface Stage {
  readonly gateway: Killable;
  readonly books: Books;
  readonly origin: FarmOrigin;
  readonly random: Random;
  /** Clients of the limits up to now; the last is the newest. */
  readonly clients: readonly string[];
  /** A number that was never given. */
  next(): number;
}

export function emptyBooks(): Books {
  return {
    config: new Ledger("configuration", 0),
    origins: new Ledger("origin", ""),
    orders: new Ledger("order", "auto"),
    leases: new Map(),
    revisions: new Map(),
    brief: new BriefLeases(),
    killsMs: [],
  };
}

/** The configuration of a number, which it has in two places: a mix of two would show. */
export function configOf(originUrl: string, number: number): object {
  const own = { origins: [{ id: "own", url: originUrl }] };
  const route = (name: string, service: string, limits: readonly string[] = []) => ({
    ...{ name, service, matches: [{ path: { prefix: `/${name}` } }] },
    ...(limits.length > 0 && { rateLimits: limits }),
  });
  const registry = { registration: { allowedHosts: ["127.0.0.1"] }, loadBalancing: { policy: "round-robin" } };
  return {
    gateway: { debugHeaders: true },
    services: {
      s: own,
      marked: { origins: [{ id: `m${number}`, url: originUrl }] },
      ...Object.fromEntries([...registered, briefService].map((name) => [name, registry])),
      ...Object.fromEntries(forced.map((name) => [name, own])),
    },
    rateLimits,
    routes: [
      ...limitNames.map((name) => route(name, "s", [name])),
      ...[...registered, briefService, ...forced].map((name) => route(name, name)),
      { name: "marked", service: "marked", matches: [{ path: { exact: `/m${number}` } }] },
    ],
  };
}

/** When the origin got the requests of each client by each limit. */
export function arrivals(origin: FarmOrigin): ReadonlyMap<LimitName, ReadonlyMap<string, readonly number[]>> {
  const found = new Map(limitNames.map((name) => [name, new Map<string, number[]>()]));
  for (const { target, headers, atMs } of origin.asked) {
    const byClient = found.get(target.slice(1) as LimitName);
    const client = String(headers["x-client"]);
    const times = byClient?.get(client) ?? [];
    times.push(atMs);
    byClient?.set(client, times);
  }
  return found;
}

/** Isolates that died since a client first came. */
export function deathsSince({ killsMs }: Books, [firstMs = 0]: readonly number[]): number {
  return isolates * killsMs.filter((atMs) => atMs >= firstMs).length;
}

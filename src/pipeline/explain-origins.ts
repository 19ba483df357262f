/** Part of `explain.ts`: which origins the version has, and which of them may be asked. */
import { bounds } from "../bounds.ts";
import { breakerState, isSensed } from "../clients/health.ts";
import { chancesOf } from "../core/balancing/chances.ts";
import { GatewayError } from "../errors.ts";
import type { Origin, ServiceView, Snapshot } from "../snapshot/types.ts";
import { loadOf } from "../upstream/load.ts";
import { preferenceOf } from "./exchange.ts";
import type { Selecting } from "./explain-version.ts";
import { ejectedFrom, usableFor } from "./pick.ts";
import type { Selected } from "./select.ts";

/** An origin of the version. */
interface ExplainedOrigin {
  readonly id: string;
  readonly url: string;
  readonly version: string | null;
  readonly weight: number;
  readonly zone: string | null;
  readonly state: Origin["state"];
  readonly ejected: boolean;
  /** State of its version's breaker as this isolate meets it; null: nothing watches the service. */
  readonly breaker: string | null;
  /** May the first try go to it? */
  readonly usable: boolean;
  /** In [0, 1]; null: the policy goes by load. */
  readonly chance: number | null;
}

/** The choice of the origin for the first try. */
export interface ExplainedOrigins {
  readonly policy: string;
  /** Zone of the request; null: zones do not matter, or none is known. */
  readonly zone: string | null;
  /** `consistent-hash`: the value that is hashed; null: none. */
  readonly hashKey: string | null;
  /** So few are good that the bad ones are used too. */
  readonly panic: boolean;
  /** Usable ones first. */
  readonly candidates: ExplainedOrigin[];
  /** Candidates that are not listed. */
  readonly more: number;
}

const nobody: ReadonlySet<string> = new Set();

/** Explains `pick` and `guard` for the first try. `refusal`: what they would answer if nobody may be asked. */
export function explainOrigins(
  selecting: Selecting,
  { version, candidates }: Selected,
  snapshot: Snapshot,
): { readonly origins: ExplainedOrigins; readonly refusal: GatewayError | null } {
  const { service } = selecting;
  const { policy, slowStartMs, shown } = service.config;
  const { zone, hashKey } = preferenceOf(selecting);
  const nowMs = Date.now();
  const breakers = breakersOf(service, nowMs);
  // A version whose breaker is open is left out, as if it had been asked and had refused.
  const admitted = candidates.filter((origin) => !isShut(breakers(origin)));
  const { origins, isPanic } = usableFor(service, admitted, nobody, zone, nowMs);
  const { state } = loadOf(snapshot, service, nowMs);
  const choice = { policy, origins, state, tried: nobody, hashKey, slowStartMs, random: () => 0, nowMs };
  const chances = chancesOf(choice);
  const usable = new Set(origins.map(({ id }) => id));
  const ejected = ejectedFrom(service, nowMs);
  const all = service.origins
    .filter((origin) => version === null || origin.version === version)
    .map((origin): ExplainedOrigin => {
      const { id, url, weight, zone, state } = origin;
      return {
        ...{ id, url, version: origin.version, weight, zone, state, ...shown.get(id), ejected: ejected.has(id) },
        ...{ breaker: breakers(origin), usable: usable.has(id), chance: chances && (chances.get(id) ?? 0) },
      };
    })
    .sort((a, b) => Number(b.usable) - Number(a.usable));
  const listed = all.slice(0, bounds.explainedOriginsMax);
  const isEmpty = candidates.length === 0;
  return {
    origins: { policy, zone, hashKey, panic: isPanic, candidates: listed, more: all.length - listed.length },
    refusal: admitted.length > 0 ? null : new GatewayError(isEmpty ? "no_origin" : "circuit_open"),
  };
}

/** State of the breaker of an origin's version. */
function breakersOf(service: ServiceView, nowMs: number): (origin: Origin) => string | null {
  if (!isSensed(service)) return () => null;
  const states = new Map<string, string>();
  return ({ version }) => {
    const name = version ?? "";
    const state = states.get(name) ?? breakerState(service, name, nowMs);
    states.set(name, state);
    return state;
  };
}

function isShut(breaker: string | null): boolean {
  return breaker === "open" || breaker === "forced-open";
}

/** Puts the compiled document and the published origins together. Cheap: it runs on every change of a registry. */
import type { PublishedHealth } from "../core/breaking/types.ts";
import type { Canary, CompiledConfig, CompiledService, Origin, ServiceView, Snapshot } from "./types.ts";

/** Body of an `origins/<service>` section, as a registry publishes it. */
export interface PublishedOrigins {
  readonly revision: number;
  readonly frozen: boolean;
  readonly origins: readonly Origin[];
  /** Digest of the check settings that the registry works by; null or left out: it checks nothing. */
  readonly checks?: string | null;
  /** Ids of origins, leased and static, that failed their checks. */
  readonly unhealthy?: readonly string[];
}

/** The snapshot of one moment. A service that the document does not declare is left out, whatever was published of it. */
export function buildSnapshot(
  version: number,
  revision: number,
  config: CompiledConfig,
  origins: ReadonlyMap<string, PublishedOrigins>,
  health: ReadonlyMap<string, PublishedHealth> = new Map(),
): Snapshot {
  const services = new Map<string, ServiceView>();
  for (const [name, service] of config.services) {
    services.set(name, viewOf(service, origins.get(name), health.get(name) ?? null));
  }
  return { version, revision, config, services, canary: null, inForce: null };
}

/** The snapshot with a canary beside it. */
export function withCanary(snapshot: Snapshot, percent: number, tried: Snapshot): Snapshot {
  const inForce: { -readonly [Part in keyof Snapshot]: Snapshot[Part] } = { ...snapshot };
  const canary: Canary = { percent, snapshot: { ...tried, inForce } };
  inForce.canary = canary;
  return inForce;
}

function viewOf(
  config: CompiledService,
  registry: PublishedOrigins | undefined,
  health: PublishedHealth | null,
): ServiceView {
  const origins = originsOf(config, registry);
  const usable = origins.filter(({ state, weight }) => state !== "draining" && weight > 0);
  const usableByVersion = new Map<string, Origin[]>();
  const versions = new Set(config.namedVersions);
  for (const origin of origins) if (origin.version !== null) versions.add(origin.version);
  for (const origin of usable) {
    if (origin.version === null) continue;
    const same = usableByVersion.get(origin.version);
    if (same) same.push(origin);
    else usableByVersion.set(origin.version, [origin]);
  }
  return { config, origins, usable, usableByVersion, versions, health, checks: registry?.checks ?? null };
}

function originsOf(config: CompiledService, registry: PublishedOrigins | undefined): readonly Origin[] {
  const listed = new Set(config.staticOrigins.map(({ id }) => id));
  // An id that the document lists is the document's: a registration from before has no say.
  const registered = registry?.origins.filter(({ id }) => !listed.has(id)) ?? [];
  const origins = [...config.staticOrigins, ...registered];
  // Without checks in the document nothing would ever make an origin healthy again.
  const unhealthy = new Set(config.check === null ? [] : registry?.unhealthy);
  if (unhealthy.size === 0) return origins;
  return origins.map((origin) =>
    origin.state === "ready" && unhealthy.has(origin.id) ? { ...origin, state: "unhealthy" } : origin,
  );
}

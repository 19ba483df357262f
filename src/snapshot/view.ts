/** Puts the compiled document and the published origins together. Cheap: it runs on every change of a registry. */
import type { CompiledConfig, CompiledService, Origin, ServiceView, Snapshot } from "./types.ts";

/** Body of an `origins/<service>` section, as a registry publishes it. */
export interface PublishedOrigins {
  readonly revision: number;
  readonly frozen: boolean;
  readonly origins: readonly Origin[];
}

/** The snapshot of one moment. A service that the document does not declare is left out, whatever its registry says. */
export function buildSnapshot(
  version: number,
  revision: number,
  config: CompiledConfig,
  published: ReadonlyMap<string, PublishedOrigins>,
): Snapshot {
  const services = new Map<string, ServiceView>();
  for (const [name, service] of config.services) {
    const registered = published.get(name)?.origins ?? [];
    services.set(name, viewOf(service, registered));
  }
  return { version, revision, config, services };
}

function viewOf(config: CompiledService, registered: readonly Origin[]): ServiceView {
  const listed = new Set(config.staticOrigins.map(({ id }) => id));
  // An id that the document lists is the document's: a registration from before has no say.
  const origins = [...config.staticOrigins, ...registered.filter(({ id }) => !listed.has(id))];
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
  return { config, origins, usable, usableByVersion, versions };
}

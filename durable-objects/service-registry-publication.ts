/** What a registry gives the control plane. */
import type { Listing } from "../src/core/leasing/types.ts";
import type { RegistryNotice } from "./service-registry-store.ts";

/** The section `origins/<service>`: what isolates need to know of a listing. */
export function publicationOf(
  service: string,
  { revision, frozen, checks, unhealthy, origins }: Listing,
  notices: readonly RegistryNotice[],
) {
  const published = origins.map(({ id, url, version, weight, zone, state }) => ({
    id,
    url,
    version,
    weight,
    zone,
    state,
  }));
  return {
    section: `origins/${service}`,
    revision,
    body: JSON.stringify({ revision, frozen, checks, unhealthy, origins: published }),
    events: notices.map(({ revision, type, origin, timeMs }) => ({
      revision,
      event: { time: new Date(timeMs).toISOString(), service, type, ...(origin === null ? {} : { origin }) },
    })),
  };
}

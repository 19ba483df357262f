/** Zone preference: requests stay near while their zone is well, and fail over to the others when it is not. */
import type { RequestFacts } from "../facts.ts";
import { limits } from "./limits.ts";
import type { Candidate } from "./types.ts";

/** Which zone serves the requests of a place. */
export interface ZonePreference {
  /**
   * Place to zone: a data centre (`CPH`), a region with its country (`US-CA`), a country (`NO`) or a continent (`EU`), all in
   * upper case. Continents and countries share one space of two letters (`NA` is also Namibia): a country comes first.
   */
  readonly zoneOf: ReadonlyMap<string, string>;
}

/** Where a request came from. */
export type Place = Pick<RequestFacts, "colo" | "country" | "region" | "continent">;

/**
 * Zone of a request: of its data centre, else its region, its country, its continent, the first that is mapped; else the
 * continent in lower case (`eu`, `na`). null when that is unknown too.
 */
export function zoneOfPlace({ zoneOf }: ZonePreference, { colo, country, region, continent }: Place): string | null {
  const of = (place: string | null) => (place === null ? undefined : zoneOf.get(place));
  return (
    of(colo) ??
    (country === null || region === null ? undefined : zoneOf.get(`${country}-${region}`)) ??
    of(country) ??
    of(continent) ??
    continent?.toLowerCase() ??
    null
  );
}

/**
 * The good origins of a zone; null when the request should go wherever `usableOf` says: fewer than half of the zone's
 * origins are good, or all good ones were tried already (`tried`, ids). Ask this first: a zone that is well keeps its
 * requests even when the others are so ill that the service as a whole would be in panic.
 */
export function usableInZone<C extends Candidate & { readonly zone: string | null }>(
  origins: readonly C[],
  isBad: (origin: C) => boolean,
  zone: string,
  tried: ReadonlySet<string>,
): readonly C[] | null {
  let all = 0;
  let isUntried = false;
  const good: C[] = [];
  for (const origin of origins) {
    if (origin.zone !== zone) continue;
    all++;
    if (isBad(origin)) continue;
    good.push(origin);
    isUntried ||= !tried.has(origin.id);
  }
  return isUntried && good.length >= limits.zoneShareMin * all ? good : null;
}

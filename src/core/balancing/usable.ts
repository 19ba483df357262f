/** Which origins may be picked from: found once, then remembered for as long as nothing changes. */
import { type Usable, usableOf } from "./panic.ts";
import type { Candidate } from "./types.ts";
import { usableInZone } from "./zone.ts";

type Placed = Candidate & { readonly zone: string | null };

/** What is known of an array of origins while `ejected` is the set of those that are taken out. */
interface View<C> {
  readonly ejected: ReadonlySet<string>;
  readonly isBad: (origin: C) => boolean;
  readonly everywhere: Usable<C>;
  /** By zone, of which a document names so many, beside the continents; null: the zone is no good. */
  readonly near: Map<string, Usable<C> | null>;
}

const views = new WeakMap<readonly Placed[], unknown>();
type Versioned = { readonly version: string | null };
const rests = new WeakMap<readonly Versioned[], Map<string | null, readonly unknown[]>>();
const untried: ReadonlySet<string> = new Set();

/**
 * The good origins near the request, else the good ones, else all (`usableInZone`, `usableOf`). O(n) at first and whenever
 * `ejected` is another set, O(1) otherwise, with the same array as before.
 *
 * @param isUnhealthy must say the same of an origin each time: a change of health makes another array.
 * @param ejected ids of origins that are taken out.
 * @param zone of the request; null: none.
 * @param tried ids; a zone whose good origins were all tried is left.
 */
export function usableAmong<C extends Placed>(
  origins: readonly C[],
  isUnhealthy: (origin: C) => boolean,
  ejected: ReadonlySet<string>,
  zone: string | null,
  tried: ReadonlySet<string>,
): Usable<C> {
  let view = views.get(origins) as View<C> | undefined;
  if (view?.ejected !== ejected) {
    const isBad = (origin: C) => isUnhealthy(origin) || ejected.has(origin.id);
    view = { ejected, isBad, everywhere: usableOf(origins, isBad), near: new Map() };
    views.set(origins, view);
  }
  if (zone === null) return view.everywhere;
  let near = view.near.get(zone);
  if (near === undefined) {
    const found = usableInZone(origins, view.isBad, zone, untried);
    near = found && { origins: found, isPanic: false };
    view.near.set(zone, near);
  }
  // A retry leaves the zone when nobody there is untried.
  if (near === null || (tried.size > 0 && near.origins.every(({ id }) => tried.has(id)))) return view.everywhere;
  return near;
}

/** The origins of other versions; the same array each time, so that a rotation goes on where it was. */
export function withoutVersion<C extends Versioned>(origins: readonly C[], version: string | null): readonly C[] {
  let known = rests.get(origins);
  if (known === undefined) {
    known = new Map();
    rests.set(origins, known);
  }
  let rest = known.get(version) as readonly C[] | undefined;
  if (rest === undefined) {
    rest = origins.filter((origin) => origin.version !== version);
    known.set(version, rest);
  }
  return rest;
}

/** When too few origins are good, all are used: the rest could not carry the load (Envoy's panic threshold). */
import { limits } from "./limits.ts";

/** Origins that may be chosen from. */
export interface Usable<C> {
  readonly origins: readonly C[];
  /** Bad ones are among them. */
  readonly isPanic: boolean;
}

/** The origins that are not bad; all of them when fewer than half are good. */
export function usableOf<C>(origins: readonly C[], isBad: (origin: C) => boolean): Usable<C> {
  let good = 0;
  for (const origin of origins) if (!isBad(origin)) good++;
  if (good === origins.length) return { origins, isPanic: false };
  if (good < limits.panicShareMin * origins.length) return { origins, isPanic: true };
  return { origins: origins.filter((origin) => !isBad(origin)), isPanic: false };
}

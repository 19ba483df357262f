/** `loadBalancing` of a service: which of its origins gets a request. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import { KeySources, Name } from "./names.ts";

const Place = z
  .string()
  .regex(
    /^(?:[A-Z0-9]{2}(?:-[A-Z0-9]{1,3})?|[A-Z]{3})$/,
    "must be a country (NO), a region (US-CA), a continent (EU) or a data centre (OSL), in upper case",
  );

const Zones = z.strictObject({
  map: z
    .record(Place, Name)
    .refine((places) => Object.keys(places).length <= bounds.zonePlacesMax, {
      error: `at most ${bounds.zonePlacesMax} entries`,
    })
    .default({})
    .describe(
      "Zone by place of the request: data centre (`OSL`), region (`US-CA`), country (`NO`), continent (`EU`), the first that is mapped; none: the continent in lower case (`eu`)",
    ),
});

/** How an origin is chosen among those of the version. */
export const LoadBalancing = z.strictObject({
  policy: z
    .enum(["round-robin", "random", "least-request", "ewma", "consistent-hash"])
    .default("least-request")
    .describe("How an origin is chosen among those of the version"),
  hashOn: KeySources.optional().describe(
    "For consistent-hash only: the first that the request has decides; left out: `ip`",
  ),
  zones: Zones.optional().describe(
    "Origins of the request's zone come first; off unless written, `{}`: zones are continents",
  ),
  slowStartSeconds: z
    .number()
    .min(0)
    .max(bounds.pauseSecondsMax)
    .default(0)
    .describe("A new origin's share rises from 10 to 100 % in this time; 0 = at once"),
});

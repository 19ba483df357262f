/** Long answers in pages: services by name, entries of a log by id. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import { Name } from "../schema/names.ts";
import type { ServiceView } from "../snapshot/types.ts";
import { integer } from "./openapi.ts";

/** `after`: the last name of the page before. */
export const PageQuery = z.strictObject({
  limit: integer(1, bounds.servicesPerPageMax).default(bounds.servicesPerPageDefault),
  after: Name.optional(),
});

/** `since`: the last id of the page before. */
export const LogQuery = z.strictObject({
  since: integer(0, Number.MAX_SAFE_INTEGER)
    .default(0)
    .meta({ description: "Id after which the answer begins: `next` of the page before; 0 = from the oldest" }),
  limit: integer(1, bounds.eventsPerCallMax).default(bounds.eventsPerCallDefault),
});

/** A page, and the `after` of the one that follows; null after the last. */
export function pageOf(views: readonly ServiceView[], { limit, after }: z.output<typeof PageQuery>) {
  const rest = views
    .filter(({ config }) => after === undefined || config.name > after)
    .sort((a, b) => (a.config.name < b.config.name ? -1 : 1));
  const page = rest.slice(0, limit);
  return { page, next: rest.length > limit ? page.at(-1)!.config.name : null };
}

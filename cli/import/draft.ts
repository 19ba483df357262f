/**
 * The document in the making: names become valid and unique, a route too large for our bounds becomes several, and what the
 * schema refuses is left out with a note.
 */
import type { z } from "zod";
import { bounds } from "../../src/bounds.ts";
import { RateLimit as RateLimitSchema } from "../../src/schema/rate-limits.ts";
import { Route as RouteSchema } from "../../src/schema/routes.ts";
import { Service as ServiceSchema } from "../../src/schema/services.ts";
import { newNames } from "./names.ts";
import type { Part } from "./part.ts";
import type { Document, RateLimit, Route, Service } from "./types.ts";

/** Collects services, limits and routes. `at` is what each was made of. */
export interface Draft {
  readonly routes: readonly Route[];
  /** Adds a service and gives its name. One that is refused has no members. */
  addService(name: string, service: Service, at: Part): string;
  /** Adds a limit and gives its name; undefined when it is refused. */
  addLimit(name: string, limit: RateLimit, at: Part): string | undefined;
  addRoute(name: string, route: Omit<Route, "name">, at: Part): void;
  document(gateway?: Document["gateway"]): Document;
}

/** An empty document. */
export function newDraft(): Draft {
  const services: Record<string, Service> = {};
  const rateLimits: Record<string, RateLimit> = {};
  const routes: Route[] = [];
  const names = { service: newNames("service"), limit: newNames("limit"), route: newNames("route") };
  const addService = (name: string, service: Service, at: Part) => {
    const given = names.service(name);
    services[given] = isValid(ServiceSchema, service, "service", at) ? service : {};
    return given;
  };
  const addLimit = (name: string, limit: RateLimit, at: Part) => {
    if (!isValid(RateLimitSchema, limit, "rate limit", at)) return undefined;
    const given = names.limit(name);
    rateLimits[given] = limit;
    return given;
  };
  const addRoute = (name: string, { hosts, matches, ...rest }: Omit<Route, "name">, at: Part) => {
    for (const someHosts of chunks(hosts, bounds.hostsPerRouteMax)) {
      for (const someMatches of chunks(matches, bounds.matchesPerRouteMax)) {
        const where = { ...(someHosts && { hosts: someHosts }), ...(someMatches && { matches: someMatches }) };
        const route = { name: names.route(name), ...where, ...rest };
        if (isValid(RouteSchema, route, "route", at)) routes.push(route);
      }
    }
  };
  const document = (gateway?: Document["gateway"]) => ({
    ...(gateway && { gateway }),
    services,
    ...(Object.keys(rateLimits).length > 0 && { rateLimits }),
    routes,
  });
  return { routes, addService, addLimit, addRoute, document };
}

function isValid(schema: z.ZodType, value: unknown, kind: string, at: Part): boolean {
  const [issue] = schema.safeParse(value).error?.issues ?? [];
  if (issue)
    at.lose(`${kind} with a value out of bounds`, `It was left out: ${issue.path.join(".")}: ${issue.message}`);
  return issue === undefined;
}

function chunks<T>(list: readonly T[] | undefined, sizeMax: number): (T[] | undefined)[] {
  if (list === undefined) return [undefined];
  const count = Math.ceil(list.length / sizeMax);
  return Array.from({ length: count }, (_, index) => list.slice(index * sizeMax, (index + 1) * sizeMax));
}

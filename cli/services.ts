/** Services and their origins, as the gateway lists them and as tables show them. */
import type { z } from "zod";
import { bounds } from "../src/bounds.ts";
import type * as schema from "../src/schema/api.ts";
import type { Api } from "./api.ts";
import { type Cell, type Colour, type Paint, span, table } from "./output.ts";

export type Service = z.output<typeof schema.ServiceAnswer>;
export type Origin = Service["origins"][number];
export type Breakers = z.output<typeof schema.BreakersAnswer>;

/** The path of a service in the admin API. */
export function servicePath(service: string): string {
  return `/v1/services/${encodeURIComponent(service)}`;
}

/** The path of an origin in the admin API. */
export function originPath(service: string, origin: string): string {
  return `${servicePath(service)}/origins/${encodeURIComponent(origin)}`;
}

/** Everything that a list of services has, page after page. */
export async function readPages<T>(api: Api, path: string, signal?: AbortSignal): Promise<T[]> {
  const all: T[] = [];
  let after: string | undefined;
  do {
    const { body } = await api.call<{ services: T[]; next: string | null }>(path, {
      query: { after, limit: bounds.servicesPerPageMax },
      ...(signal && { signal }),
    });
    all.push(...body.services);
    after = body.next ?? undefined;
  } while (after !== undefined);
  return all;
}

const stateColours: Readonly<Record<Origin["state"], Colour>> = {
  ready: "green",
  draining: "yellow",
  suspect: "yellow",
  unhealthy: "red",
  ejected: "red",
};

/** A table of the origins of services, in their order. */
export function originsTable(services: readonly Service[], nowMs: number, paint: Paint): string {
  const rows = services.flatMap(({ service, origins }) =>
    origins.map((origin) => [service, ...originCells(origin, nowMs)]),
  );
  return table(["SERVICE", "ORIGIN", "STATE", "VERSION", "WEIGHT", "ZONE", "LEASE", "CHECKS", "URL"], rows, paint);
}

function originCells({ id, state, version, weight, zone, expiresAt, health, url }: Origin, nowMs: number): Cell[] {
  const lease = expiresAt === undefined ? "static" : span(Date.parse(expiresAt) - nowMs);
  const { checks, inARow } = health;
  const checked: Cell =
    checks === "none" ? "" : [`${checks} ${inARow ?? ""}`.trim(), checks === "passing" ? "green" : "red"];
  return [id, [state, stateColours[state]], version ?? "", `${weight}`, zone ?? "", lease, checked, url];
}

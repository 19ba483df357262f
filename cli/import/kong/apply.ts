/** Plugins of Kong applied to a route of ours. */
import type { Draft } from "../draft.ts";
import type { Part } from "../reader.ts";
import type { Route } from "../types.ts";
import { versions } from "./canary.ts";
import type { Plugin, RouteEntity, ServiceEntity } from "./entities.ts";
import { type Effect, effectOf } from "./plugins.ts";
import type { Backend } from "./service.ts";

/** What plugins ask for; each is read once, by the first route that has it. */
export type Effects = Map<Plugin, Effect & { readonly limitName?: string | undefined }>;

/** The service of the route, in the making. */
export interface Target {
  readonly backend: Backend;
  readonly service: string;
  readonly draft: Draft;
  readonly effects: Effects;
}

/** The members of a route that its plugins decide. Of plugins with one name the nearest counts: route, service, all. */
export function applyPlugins(
  route: RouteEntity,
  service: ServiceEntity,
  globals: readonly Plugin[],
  target: Target,
): Omit<Route, "name" | "hosts" | "matches"> {
  const nearest = new Map<string, Plugin>();
  for (const plugin of [...globals, ...service.plugins, ...route.plugins]) {
    if (plugin.part.get("enabled").flag() !== false) nearest.set(plugin.name, plugin);
  }
  let members: Omit<Route, "name"> = { service: target.service, ...target.backend.settings };
  for (const plugin of nearest.values()) {
    const effect = effectFor(plugin, service, target);
    const limits = [...(members.rateLimits ?? []), ...(effect.limitName ? [effect.limitName] : [])];
    members = {
      ...members,
      ...(limits.length > 0 && { rateLimits: limits }),
      ...(effect.cors && { cors: effect.cors }),
      ...(effect.request && { rewrite: effect.request }),
      ...(effect.response && { response: effect.response }),
      ...(effect.canary && { traffic: effect.canary.traffic }),
      ...(effect.answer && { fallback: effect.answer }),
    };
  }
  if (members.fallback === undefined) return members;
  // Nobody may register in this service, so the answer is always the one in store.
  const closed = target.draft.addService(
    `${target.service}-closed`,
    { registration: { allowedHosts: [] } },
    route.part,
  );
  const { traffic: _traffic, retries: _retries, ...rest } = members;
  return { ...rest, service: closed };
}

function effectFor(plugin: Plugin, { part }: ServiceEntity, { backend, draft, effects }: Target) {
  const known = effects.get(plugin);
  plugin.isApplied = true;
  const effect = known ?? effectOf(plugin);
  if (effect.canary) addCanary(effect.canary.url, backend, part);
  if (known) return known;
  const limitName = effect.limit && draft.addLimit(plugin.name, effect.limit, plugin.part);
  const named = { ...effect, limitName };
  effects.set(plugin, named);
  return named;
}

/** Gives the origins of the service their version, and adds that of the canary. */
function addCanary(url: string, { service }: Backend, part: Part): void {
  const origins = service.origins ?? [];
  const other = origins.find((origin) => origin.version === versions.canary);
  if (other !== undefined) {
    if (other.url !== url) part.remark("two canaries of one service", `All of them go to ${other.url}.`);
    return;
  }
  const stable = origins.map((origin) => ({ ...origin, version: versions.stable }));
  service.origins = [...stable, { id: versions.canary, url, version: versions.canary }];
  service.defaultVersion = versions.stable;
}

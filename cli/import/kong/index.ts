/** Kong's declarative configuration (decK, `_format_version` 1.1 to 3.x) as a document of ours. */
import { type Draft, newDraft } from "../draft.ts";
import { newReader } from "../reader.ts";
import type { Imported } from "../types.ts";
import { applyPlugins, type Effects } from "./apply.ts";
import { collect, type Entities, type Plugin, type ServiceEntity } from "./entities.ts";
import { type OrderedRoute, remarkOrder } from "./order.ts";
import { maxBodyBytesOf } from "./plugins.ts";
import { groupPaths, matchesOf, translateRoute } from "./route.ts";
import { translateService } from "./service.ts";

const label = "It changes nothing about requests.";
const hints: Readonly<Record<string, string>> = {
  id: label,
  tags: label,
  _comment: label,
  _info: label,
  _transform: label,
  _konnect: label,
  created_at: label,
  updated_at: label,
  consumers: "There are no consumers: whoever could be one is a client like any other.",
  consumer_groups: "There are no consumers: whoever could be one is a client like any other.",
  acls: "Requests get through without it: put another guard in front of the service first.",
  certificates: "Cloudflare holds the certificates of your hosts.",
  snis: "Cloudflare holds the certificates of your hosts.",
  ca_certificates: "Origins are checked against the public authorities.",
  tls_verify: "Certificates of origins are always checked.",
  passive: "`outlierDetection` and `circuitBreaker` of a service do this.",
  host_header: "Host is the origin's.",
  protocols: "It is for HTTP and HTTPS alike.",
};

const sizeLimiting = "request-size-limiting";

/** Translates the files, which make one configuration together. */
export function importKong(documents: readonly unknown[]): Imported {
  const reader = newReader(documents, (name) => (Object.hasOwn(hints, name) ? hints[name] : undefined));
  const entities = collect(reader.roots);
  const draft = newDraft();
  const effects: Effects = new Map();
  // The bound on bodies is the gateway's, not a route's.
  const plugins = entities.plugins.filter(({ name }) => name !== sizeLimiting);
  const ordered = entities.services.flatMap((service) => addService(service, { ...entities, plugins }, draft, effects));
  const [root] = reader.roots;
  if (root !== undefined) remarkOrder(ordered, root);
  const gateway = gatewayOf(entities.plugins);
  noteUnapplied(entities.allPlugins);
  return { config: draft.document(gateway), notes: reader.finish() };
}

function addService(
  entity: ServiceEntity,
  { upstreams, plugins }: Entities,
  draft: Draft,
  effects: Effects,
): OrderedRoute[] {
  const backend = translateService(entity.part, upstreams);
  if (backend === undefined) return [];
  const wantedName = entity.part.get("name").text() ?? "service";
  const service = draft.addService(wantedName, backend.service, entity.part);
  const { basePath, pathPart } = backend;
  const ordered = entity.routes.flatMap((route) => {
    const translated = translateRoute(route.part, { basePath, isVersion3: route.isVersion3 });
    if (translated === undefined) return [];
    const members = applyPlugins(route, entity, plugins, { backend, service, draft, effects });
    const name = route.part.get("name").text() ?? service;
    for (const group of groupPaths(translated.paths)) {
      const { matches, rewrite } = matchesOf(group, translated);
      const wholeRewrite = { ...rewrite, ...members.rewrite };
      const hosts = translated.hosts && { hosts: [...translated.hosts] };
      const whole = Object.keys(wholeRewrite).length > 0 && { rewrite: wholeRewrite };
      draft.addRoute(name, { ...hosts, ...(matches && { matches }), ...members, ...whole }, route.part);
    }
    return [{ part: route.part, route: translated }];
  });
  if (ordered.length === 0 && basePath !== "") pathPart.remark("path of a service without routes", "Nothing uses it.");
  return ordered;
}

function gatewayOf(globals: readonly Plugin[]): { maxBodyBytes: number } | undefined {
  const plugin = globals.find(({ name, part }) => name === sizeLimiting && part.get("enabled").flag() !== false);
  if (plugin === undefined) return undefined;
  plugin.isApplied = true;
  return { maxBodyBytes: maxBodyBytesOf(plugin) };
}

function noteUnapplied(plugins: readonly Plugin[]): void {
  for (const { name, part, isApplied } of plugins) {
    if (isApplied) continue;
    const isOff = part.get("enabled").flag() === false;
    const hint = isOff ? "It did nothing in the original either." : "No route that was translated has it.";
    part.drop(isOff ? `disabled plugin ${name}` : `plugin ${name}`, hint);
  }
}

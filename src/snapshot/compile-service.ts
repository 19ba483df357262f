/** Compiles `services`. */
import { pointerOf } from "../errors.ts";
import type { AuthoredService, Config } from "../schema/config.ts";
import { parseOriginUrl } from "../schema/origin-url.ts";
import { compileBalancing } from "./compile-balancing.ts";
import { compileCheck, compileHealth, throttleOf } from "./compile-health.ts";
import { compileHost } from "./compile-match.ts";
import type { DocumentPath, Problems } from "./problems.ts";
import type { CompiledService, Origin, RegistrationRules, ShownOrigin, VersionNotice } from "./types.ts";

/** What the deployment says of origins. `placeholders`: `${VAR}` by JSON pointer, where the document has one. */
export interface OriginScope {
  readonly allowPrivate: boolean;
  readonly placeholders: ReadonlyMap<string, string>;
}

/** Every declared service by name. `revision`: the configuration's, by which objects know the newest settings. */
export function compileServices(
  config: Config,
  revision: number,
  scope: OriginScope,
  problems: Problems,
): Map<string, CompiledService> {
  const namedByRoutes = versionsNamedByRoutes(config);
  const services = new Map<string, CompiledService>();
  for (const [name, authored] of Object.entries(config.services)) {
    const path = ["services", name];
    const notices = compileNotices(authored, [...path, "versions"], problems);
    const defaultVersion = authored.defaultVersion ?? null;
    const named = [...notices.keys(), ...(namedByRoutes.get(name) ?? []), ...(defaultVersion ? [defaultVersion] : [])];
    const { healthCheck, clientThrottling, adaptiveConcurrency } = authored;
    services.set(name, {
      name,
      staticOrigins: compileOrigins(authored, [...path, "origins"], scope, problems),
      shown: placeholdersOf(authored, [...path, "origins"], scope),
      defaultVersion,
      notices,
      namedVersions: new Set(named),
      ...compileBalancing(authored.loadBalancing, [...path, "loadBalancing"], problems),
      health: compileHealth(authored, revision),
      check: healthCheck ? compileCheck(healthCheck, [...path, "healthCheck"], problems) : null,
      throttle: clientThrottling ? throttleOf(clientThrottling) : null,
      gradient: adaptiveConcurrency ?? null,
      registration: compileRegistration(authored, [...path, "registration"], problems),
    });
  }
  return services;
}

function compileRegistration(authored: AuthoredService, path: DocumentPath, problems: Problems): RegistrationRules {
  const { allowedHosts, ttlSeconds } = authored.registration;
  const hosts = allowedHosts?.map((host, index) => compileHost(host, [...path, "allowedHosts", index], problems));
  return { allowedHosts: hosts ?? null, ttlSeconds };
}

function compileOrigins(
  authored: AuthoredService,
  path: DocumentPath,
  { allowPrivate }: OriginScope,
  problems: Problems,
): Origin[] {
  const seen = new Set<string>();
  return authored.origins.map(({ id, url, version, weight, zone }, index) => {
    if (seen.has(id)) problems.error([...path, index, "id"], "another origin of the service has this id");
    seen.add(id);
    const parsed = parseOriginUrl(url, { allowPrivate });
    if (!parsed.ok) problems.error([...path, index, "url"], parsed.detail);
    return {
      id,
      url: parsed.ok ? parsed.url : "",
      version: version ?? null,
      weight,
      zone: zone ?? null,
      state: "ready",
    };
  });
}

/** What is shown of an origin in the place of what came from a variable (C6), by the origin's id. */
function placeholdersOf(authored: AuthoredService, path: DocumentPath, scope: OriginScope): Map<string, ShownOrigin> {
  const shown = new Map<string, ShownOrigin>();
  if (scope.placeholders.size === 0) return shown;
  for (const [index, { id }] of authored.origins.entries()) {
    const members = (["id", "url", "version", "zone"] as const).flatMap((member) => {
      const placeholder = scope.placeholders.get(pointerOf([...path, index, member]));
      return placeholder === undefined ? [] : [[member, placeholder] as const];
    });
    if (members.length > 0) shown.set(id, Object.fromEntries(members));
  }
  return shown;
}

function compileNotices(authored: AuthoredService, path: DocumentPath, problems: Problems): Map<string, VersionNotice> {
  const notices = new Map<string, VersionNotice>();
  for (const [version, { deprecation, sunset }] of Object.entries(authored.versions ?? {})) {
    // RFC 9745, 4: the sunset must not be before the deprecation.
    if (deprecation && sunset && Date.parse(sunset) < Date.parse(deprecation)) {
      problems.error([...path, version, "sunset"], "is before the deprecation");
    }
    notices.set(version, {
      deprecation: deprecation ? `@${Math.floor(Date.parse(deprecation) / 1000)}` : null,
      sunset: sunset ? new Date(sunset).toUTCString() : null,
    });
  }
  return notices;
}

/** Versions that traffic rules and mirrors name, by service: they exist even while no origin has them. */
function versionsNamedByRoutes(config: Config): Map<string, Set<string>> {
  const named = new Map<string, Set<string>>();
  for (const { service, traffic = [], mirror = [] } of config.routes) {
    if (service === undefined) continue;
    const versions = named.get(service) ?? new Set();
    named.set(service, versions);
    for (const rule of traffic) {
      if ("split" in rule) for (const { version } of rule.split) versions.add(version);
      else if ("version" in rule) versions.add(rule.version);
    }
    for (const { version } of mirror) if (version !== undefined) versions.add(version);
  }
  return named;
}

/** Stage: which version of the service answers, and which origins may. */
import type { RequestFacts } from "../core/facts.ts";
import { selectVersion } from "../core/traffic/select.ts";
import type { Selection, SelectionContext } from "../core/traffic/types.ts";
import { GatewayError } from "../errors.ts";
import type { Origin, Rewrite, Route, ServiceView } from "../snapshot/types.ts";

/** The choice, with the reason that `sluice-decision` names. */
export interface Selected {
  /** null: no rule applied and the service has no default, so every origin may answer. */
  readonly version: string | null;
  readonly reason: string;
  readonly candidates: readonly Origin[];
  readonly rewrite: Rewrite;
}

/** Chooses by the route's traffic rules, or refuses with `version_unknown`. */
export function select(
  route: Route,
  service: ServiceView,
  facts: RequestFacts,
  params: Readonly<Record<string, string>>,
): Selected | GatewayError {
  return selectedBy(selectVersion(route.traffic, contextOf(route, service, facts, params)), route, service);
}

/** What the traffic rules may know. */
export function contextOf(
  route: Route,
  service: ServiceView,
  facts: RequestFacts,
  params: Readonly<Record<string, string>>,
): SelectionContext {
  return new Context(route, service, facts, params);
}

/** A class, as it is made for every request. */
class Context implements SelectionContext {
  readonly facts: RequestFacts;
  readonly params: Readonly<Record<string, string>>;
  readonly route: string;
  readonly random = Math.random;
  private readonly service: ServiceView;

  constructor(route: Route, service: ServiceView, facts: RequestFacts, params: Readonly<Record<string, string>>) {
    this.facts = facts;
    this.params = params;
    this.route = route.name;
    this.service = service;
  }

  versionExists(version: string): boolean {
    return this.service.versions.has(version);
  }

  hasOrigin(version: string): boolean {
    return this.service.usableByVersion.has(version);
  }
}

/** What follows from the rules' decision. */
export function selectedBy(selection: Selection, route: Route, service: ServiceView): Selected | GatewayError {
  switch (selection.kind) {
    case "rejected":
      return new GatewayError("version_unknown");
    case "version": {
      const { version, reason, rule } = selection;
      const rewrite = "entry" in selection ? route.splitRewrites.get(rule)?.[selection.entry] : undefined;
      return { version, reason, candidates: originsOf(service, version), rewrite: rewrite ?? route.rewrite };
    }
    case "none":
      return selectDefault(route, service);
  }
}

/** What is chosen when no rule has a say: the service's default version, else every origin. */
export function selectDefault({ rewrite }: Route, service: ServiceView): Selected {
  const version = service.config.defaultVersion;
  const candidates = version === null ? service.usable : originsOf(service, version);
  return { version, reason: version === null ? "any" : "default", candidates, rewrite };
}

/** A version that something else than the traffic rules has named. */
export function selectNamed({ rewrite }: Route, service: ServiceView, version: string): Selected {
  return { version, reason: "named", candidates: originsOf(service, version), rewrite };
}

function originsOf(service: ServiceView, version: string): readonly Origin[] {
  return service.usableByVersion.get(version) ?? [];
}

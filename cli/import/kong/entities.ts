/** The entities of declarative files, wherever they are written: nested in one another or at the top, in any file. */
import type { Part } from "../reader.ts";

/** A plugin with its settings. `isApplied`: at least one route has it. */
export interface Plugin {
  readonly name: string;
  readonly part: Part;
  isApplied: boolean;
}

/** A service or a route with the plugins that are for it. */
export interface Entity {
  readonly part: Part;
  readonly plugins: readonly Plugin[];
}

export interface RouteEntity extends Entity {
  /** Before version 3.0 a path needs no "~" to be a regular expression. */
  readonly isVersion3: boolean;
}

export interface ServiceEntity extends Entity {
  readonly routes: readonly RouteEntity[];
}

export interface Entities {
  readonly services: readonly ServiceEntity[];
  readonly upstreams: readonly Part[];
  /** Plugins for everything. */
  readonly plugins: readonly Plugin[];
  readonly allPlugins: readonly Plugin[];
}

/** What is read of all documents at once. Routes without a service are noted. */
export function collect(roots: readonly Part[]): Entities {
  const every = (name: string) => roots.flatMap((root) => root.get(name).items());
  const plugins = every("plugins").map(pluginOf);
  const upstreams = every("upstreams");
  const allPlugins = [...plugins];
  const withPlugins = (part: Part, kind: string): Entity => {
    const nested = part.get("plugins").items().map(pluginOf);
    allPlugins.push(...nested);
    return { part, plugins: [...nested, ...plugins.filter((plugin) => refersTo(plugin.part.get(kind), part))] };
  };
  const routeOf = (part: Part, root: Part): RouteEntity => ({
    ...withPlugins(part, "route"),
    isVersion3: versionOf(root) >= 3,
  });
  const topRoutes = roots.flatMap((root) =>
    root
      .get("routes")
      .items()
      .map((part) => ({ part, root })),
  );
  const taken = new Set<Part>();
  const services = roots.flatMap((root) =>
    root
      .get("services")
      .items()
      .map((part): ServiceEntity => {
        const own = topRoutes.filter((route) => refersTo(route.part.get("service"), part));
        for (const route of own) taken.add(route.part);
        const nested = part
          .get("routes")
          .items()
          .map((item) => ({ part: item, root }));
        const routes = [...nested, ...own].map((route) => routeOf(route.part, route.root));
        return { ...withPlugins(part, "service"), routes };
      }),
  );
  for (const { part } of topRoutes) {
    if (!taken.has(part)) part.drop("route without a service", "Give it a service, and import again.");
  }
  const isGlobal = ({ part }: Plugin) => !scopes.some((scope) => part.get(scope).exists);
  return { services, upstreams, plugins: plugins.filter(isGlobal), allPlugins };
}

const scopes = ["service", "route", "consumer", "consumer_group"];

function pluginOf(part: Part): Plugin {
  return { name: part.get("name").text() ?? "", part, isApplied: false };
}

/** A reference is a name, an id, or an object with one of them. What is read of it is what decided. */
function refersTo(reference: Part, entity: Part): boolean {
  const target = entity.value as Record<string, unknown> | undefined;
  const isIt = (part: Part, text: unknown) => typeof text === "string" && part.value === text;
  const candidates: (readonly [Part, unknown])[] = [
    [reference, target?.name],
    [reference, target?.id],
    [reference.get("name"), target?.name],
    [reference.get("id"), target?.id],
  ];
  const found = candidates.find(([part, text]) => isIt(part, text));
  found?.[0].use();
  return found !== undefined;
}

function versionOf(root: Part): number {
  const part = root.get("_format_version");
  const text = part.text() ?? "3.0";
  if (/^[1-3]\.[0-9]+$/.test(text)) return Number.parseInt(text, 10);
  part.drop("format version", "1.1, 2.1 and 3.x are read; this was taken for 3.0.");
  return 3;
}

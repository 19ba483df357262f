/** Puts harmless stand-ins in the place of what has the wrong shape, so that the meaning of all else can be checked. */
import type { SchemaIssue } from "../schema/issues.ts";

type Entries = Readonly<Record<string, unknown>>;

/** Stand-ins by top-level part: what they say is right whatever else the document says. */
const standIns = {
  services: () => ({}),
  // What a route may have depends on it; an error that only follows from another is no news.
  gateway: () => ({ allowFaults: true }),
  rateLimits: () => ({ windows: [{ limit: 1, seconds: 1 }] }),
  routes: (authored: unknown, index: number) => ({
    name: nameOf(authored) ?? `misshapen-${index}`,
    // Its own path, so that it is equal to no other route.
    matches: [{ path: { exact: `/misshapen-${index}` } }],
    redirect: { path: { replaceFullPath: "/" } },
  }),
} as const;

/**
 * The document with a stand-in for every service, limit or route that has an issue; other parts with one are left
 * out. undefined: the services or limits as a whole are not there, and everything refers to them.
 */
export function withoutMisshapen(document: unknown, issues: readonly SchemaIssue[]): unknown {
  if (!isEntries(document)) return undefined;
  const copy: Record<string, unknown> = { ...document };
  for (const { path } of issues) {
    const [part, entry] = path;
    if (part === undefined) continue;
    const value = copy[String(part)];
    if (part === "routes" && Array.isArray(value) && typeof entry === "number") {
      copy.routes = value.map((route, index) => (index === entry ? standIns.routes(route, index) : route));
    } else if ((part === "services" || part === "rateLimits") && isEntries(value) && typeof entry === "string") {
      copy[part] = { ...value, [entry]: standIns[part]() };
    } else if (part === "services" || part === "rateLimits") return undefined;
    else if (part === "gateway") copy.gateway = standIns.gateway();
    else delete copy[String(part)];
  }
  return copy;
}

const isEntries = (value: unknown): value is Entries =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function nameOf(route: unknown): string | undefined {
  const name = isEntries(route) ? route.name : undefined;
  return typeof name === "string" && /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name) ? name : undefined;
}

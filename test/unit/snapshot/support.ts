import { expect, vi } from "vitest";
import type { RequestFacts } from "../../../src/core/facts.ts";
import { rewritePath } from "../../../src/core/rewriting/path.ts";
import { normalizeHost } from "../../../src/core/routing/host.ts";
import { matchRoute } from "../../../src/core/routing/table.ts";
import { select } from "../../../src/pipeline/select.ts";
import { compileDocument } from "../../../src/snapshot/compile.ts";
import type { Variables } from "../../../src/snapshot/placeholders.ts";
import type { CompiledConfig, Origin, Snapshot } from "../../../src/snapshot/types.ts";
import { buildSnapshot, type PublishedOrigins } from "../../../src/snapshot/view.ts";

/** Problems by pointer: what a person reads. Text that is not a string is a document to be written as JSON. */
export type Listed = Record<string, string>;
const listed = (issues: readonly { pointer: string; detail: string }[]): Listed =>
  Object.fromEntries(issues.map(({ pointer, detail }) => [pointer, detail]));

export function compile(document: unknown, variables: Variables = {}) {
  return compileDocument(typeof document === "string" ? document : JSON.stringify(document), variables);
}

/** The errors of a document that is refused. */
export function errorsOf(document: unknown, variables: Variables = {}): Listed {
  const result = compile(document, variables);
  if (result.ok) throw new Error("the document was accepted");
  expect(result.total).toBeGreaterThanOrEqual(result.issues.length);
  return listed(result.issues);
}

/** What a document compiles to; fails with its errors. */
export function configOf(document: unknown, variables: Variables = {}): CompiledConfig {
  const result = compile(document, variables);
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.config;
}

export function warningsOf(document: unknown, variables: Variables = {}): Listed {
  const result = compile(document, variables);
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return listed(result.warnings);
}

/** A placeholder of the document. */
export const variable = (name: string): string => `\${${name}}`;

/** A document with one service `users` and one route `users`, to which `route` is added. */
export const withRoute = (route: object, service: object = {}) => ({
  services: { users: service },
  routes: [{ name: "users", service: "users", ...route }],
});

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: Readonly<Record<string, string>>;
  readonly ip?: string | null;
  readonly country?: string;
}

/** Facts of a request as the pipeline makes them. */
export function factsOf(address: string, asked: Asked = {}): RequestFacts {
  const url = new URL(address, "http://gateway.example");
  const headers = new Headers(asked.headers);
  return {
    method: asked.method ?? "GET",
    host: normalizeHost(url.host),
    path: url.pathname,
    header: (name) => headers.get(name),
    query: (name) => url.searchParams.get(name),
    cookie: (name) => asked.cookies?.[name] ?? null,
    clientIp: asked.ip ?? null,
    continent: null,
    country: asked.country ?? null,
    region: null,
    colo: null,
  };
}

/** Name of the route that wins a request; null when none does. */
export const routeOf = (config: CompiledConfig, address: string, asked?: Asked): string | null =>
  matchRoute(config.table, factsOf(address, asked)).match?.entry.route.name ?? null;

export const published = (...origins: Partial<Origin>[]): PublishedOrigins => ({
  revision: 1,
  frozen: false,
  origins: origins.map((origin, index) => ({
    id: `o${index}`,
    url: `https://o${index}.example.com`,
    version: null,
    weight: 1,
    zone: null,
    state: "ready",
    ...origin,
  })),
});

export const snapshotOf = (document: unknown, origins: Record<string, PublishedOrigins> = {}): Snapshot =>
  buildSnapshot(1, 1, configOf(document), new Map(Object.entries(origins)));

/** Everything that is decided on a request before an origin is picked. `random` is what a split draws. */
export function decide(snapshot: Snapshot, address: string, asked: Asked = {}, random = () => 0) {
  const facts = factsOf(address, asked);
  const match = matchRoute(snapshot.config.table, facts).match;
  if (!match) return null;
  const { route } = match.entry;
  const service = snapshot.services.get(route.service ?? "");
  if (!service) throw new Error("no such service");
  const draws = vi.spyOn(Math, "random").mockImplementation(random);
  const selected = select(route, service, facts, match.params);
  draws.mockRestore();
  if (selected instanceof Error) return { route: route.name, error: selected.code };
  const { version, reason, candidates, rewrite } = selected;
  return {
    route: route.name,
    version,
    reason,
    origins: candidates.map(({ id }) => id),
    path: rewrite.path ? rewritePath(rewrite.path, facts.path) : facts.path,
    headers: rewrite.headers,
  };
}

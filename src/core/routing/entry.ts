import { type Criterion, meets, type RequestFacts } from "../facts.ts";
import type { PathMatcher } from "./matcher.ts";

/** One host with one match of a route; a route with 2 hosts and 3 matches has 6. All conditions must be met. */
export interface RouteEntry<R> {
  readonly route: R;
  /** As `normalizeHost` gives it: a name, an address or a wildcard `*.example.com`; null for every host. */
  readonly host: string | null;
  readonly path: PathMatcher;
  /** Case-sensitive; null for every method, [] for none. HEAD is not GET. */
  readonly methods: readonly string[] | null;
  /** On headers and query parameters. */
  readonly criteria: readonly Criterion[];
  /** Place in the document: the smaller wins between equals. */
  readonly order: number;
}

/** Are the conditions met that neither the host nor the trie has decided? */
export function meetsConditions(entry: RouteEntry<unknown>, facts: RequestFacts, normalizedPath: string): boolean {
  if (entry.methods !== null && !entry.methods.includes(facts.method)) return false;
  if (!entry.criteria.every((criterion) => meets(criterion, facts))) return false;
  return entry.path.kind !== "regex" || entry.path.test(normalizedPath);
}

/**
 * A text that is the same for two entries exactly when they ask for the same: host, path, set of methods and set of
 * criteria. Of two such entries the later in the document can never win. Names of parameters make no difference.
 */
export function conditionKey(entry: RouteEntry<unknown>): string {
  const { host, path } = entry;
  if (entry.methods === null && entry.criteria.length === 0) return JSON.stringify([host, path.kind, pathKey(path)]);
  const methods = entry.methods && [...new Set(entry.methods)].sort();
  const criteria = entry.criteria.map(({ source, name, kind, expected }) =>
    JSON.stringify([source, name, kind, expected]),
  );
  return JSON.stringify([host, path.kind, pathKey(path), methods, [...new Set(criteria)].sort()]);
}

function pathKey(path: PathMatcher): unknown {
  switch (path.kind) {
    case "exact":
    case "prefix":
      return path.path;
    case "pattern":
      return path.segments.map((segment) => (segment.kind === "literal" ? [segment.text] : segment.kind));
    case "regex":
      return path.source;
  }
}

import type { RequestFacts } from "../facts.ts";
import type { RouteEntry } from "./entry.ts";
import { hostMatcher } from "./host.ts";
import { normalizePath } from "./path.ts";
import { readParams } from "./pattern.ts";
import { sortByPrecedence } from "./precedence.ts";
import { insert, newNode, pickFrom, type Ranked, type Search, type TrieNode, walk } from "./trie.ts";

/** The entries of one host, one wildcard, or no host. */
interface HostGroup<R> {
  readonly exactPaths: Map<string, Ranked<R>[]>;
  readonly root: TrieNode<R>;
}

/** Entries filed so that a request looks at few of them. Made by `buildRouteTable`, never changed after. */
export interface RouteTable<R> {
  readonly exactHosts: ReadonlyMap<string, HostGroup<R>>;
  /** By suffix: ".example.com". */
  readonly wildcardHosts: ReadonlyMap<string, HostGroup<R>>;
  /** Length of the longest suffix; 0 without wildcards. */
  readonly suffixLengthMax: number;
  readonly anyHost: HostGroup<R> | null;
}

/** The entry that won, and what its path captured. */
export interface RouteMatch<R> {
  readonly entry: RouteEntry<R>;
  /** Of a pattern: value by name, as in `normalizedPath`. No prototype. */
  readonly params: Readonly<Record<string, string>>;
  readonly normalizedPath: string;
}

const noParams: Readonly<Record<string, string>> = Object.freeze(Object.create(null));

/** Outcome of a search. `match` is null when no entry fits. */
export interface RouteSearch<R> {
  readonly match: RouteMatch<R> | null;
  /** Work done: host groups and trie nodes visited, entries whose conditions were looked at. */
  readonly examined: number;
}

/** Files the entries, in O(n log n) for n of them. Their hosts and paths are in normalised form. */
export function buildRouteTable<R>(entries: readonly RouteEntry<R>[]): RouteTable<R> {
  const exactHosts = new Map<string, HostGroup<R>>();
  const wildcardHosts = new Map<string, HostGroup<R>>();
  let suffixLengthMax = 0;
  let anyHost: HostGroup<R> | null = null;
  for (const [rank, entry] of sortByPrecedence(entries).entries()) {
    const host = hostMatcher(entry.host);
    let group: HostGroup<R>;
    switch (host.kind) {
      case "exact":
        group = groupOf(exactHosts, host.host, rank);
        break;
      case "wildcard":
        group = groupOf(wildcardHosts, host.suffix, rank);
        suffixLengthMax = Math.max(suffixLengthMax, host.suffix.length);
        break;
      case "any":
        anyHost ??= newGroup(rank);
        group = anyHost;
    }
    file(group, { entry, rank });
  }
  return { exactHosts, wildcardHosts, suffixLengthMax, anyHost };
}

function groupOf<R>(groups: Map<string, HostGroup<R>>, key: string, rank: number): HostGroup<R> {
  let group = groups.get(key);
  if (group === undefined) {
    group = newGroup(rank);
    groups.set(key, group);
  }
  return group;
}

function newGroup<R>(rank: number): HostGroup<R> {
  return { exactPaths: new Map(), root: newNode(rank) };
}

function file<R>(group: HostGroup<R>, ranked: Ranked<R>): void {
  const { path } = ranked.entry;
  if (path.kind !== "exact") {
    insert(group.root, ranked, path);
    return;
  }
  const list = group.exactPaths.get(path.path);
  if (list === undefined) group.exactPaths.set(path.path, [ranked]);
  else list.push(ranked);
}

/**
 * The entry that outranks all others that fit the request. A host outranks but does not hide: when nothing of the exact
 * host fits, wildcards from the longest on and then the entries without a host are tried.
 */
export function matchRoute<R>(table: RouteTable<R>, facts: RequestFacts): RouteSearch<R> {
  const { host } = facts;
  const search: Search<R> = { facts, path: normalizePath(facts.path), best: null, examined: 0 };
  // No generator over the groups: its objects would cost more than the search (bench/micro: match).
  searchGroup(table.exactHosts.get(host), search);
  // From 1 on: at least one character stands for the "*". Without wildcards from the end on, where no dot is.
  let dot = host.indexOf(".", Math.max(1, host.length - table.suffixLengthMax));
  while (dot !== -1 && search.best === null) {
    searchGroup(table.wildcardHosts.get(host.slice(dot)), search);
    dot = host.indexOf(".", dot + 1);
  }
  if (search.best === null) searchGroup(table.anyHost, search);
  return { match: search.best && toMatch(search.best.entry, search.path), examined: search.examined };
}

/** Leaves the best entry of a group in `search.best`, in which there is none yet. */
function searchGroup<R>(group: HostGroup<R> | null | undefined, search: Search<R>): void {
  if (!group) return;
  search.examined += 1;
  pickFrom(group.exactPaths.get(search.path), search);
  // An exact path outranks everything else of its host.
  if (search.best === null) walk(group.root, 1, search);
}

function toMatch<R>(entry: RouteEntry<R>, normalizedPath: string): RouteMatch<R> {
  const params = entry.path.kind === "pattern" ? readParams(entry.path.segments, normalizedPath) : noParams;
  return { entry, params, normalizedPath };
}

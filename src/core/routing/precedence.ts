import type { ValueSource } from "../facts.ts";
import type { RouteEntry } from "./entry.ts";
import { hostMatcher } from "./host.ts";
import { literalLength, type PathMatcher } from "./matcher.ts";

const hostOrder = { exact: 0, wildcard: 1, any: 2 } as const;
/** Among paths with equally many literal characters; an exact path has won before. */
const kindOrder = { exact: 0, pattern: 1, prefix: 2, regex: 3 } as const satisfies Record<PathMatcher["kind"], number>;

/**
 * What decides between entries that fit the same request, the weightiest first; the smaller number wins at the first
 * difference: exact host, longer wildcard, none; exact path, more literal characters, kind of path; methods given; more
 * headers; more query parameters; place in the document (Kubernetes Gateway API, HTTPRouteRule, widened by two kinds).
 */
export function precedenceKey(entry: RouteEntry<unknown>): readonly number[] {
  const host = hostMatcher(entry.host);
  return [
    hostOrder[host.kind],
    host.kind === "wildcard" ? -host.suffix.length : 0,
    entry.path.kind === "exact" ? 0 : 1,
    -literalLength(entry.path),
    kindOrder[entry.path.kind],
    entry.methods === null ? 1 : 0,
    -countOf(entry, "header"),
    -countOf(entry, "query"),
    entry.order,
  ];
}

/** All entries, the one that outranks the others first. */
export function sortByPrecedence<R>(entries: readonly RouteEntry<R>[]): RouteEntry<R>[] {
  const keyed = entries.map((entry) => ({ entry, key: precedenceKey(entry) }));
  return keyed.sort((a, b) => compareKeys(a.key, b.key)).map(({ entry }) => entry);
}

/** Place of the first difference between two keys, which decides; -1: none. */
export function decidingPlace(a: readonly number[], b: readonly number[]): number {
  return a.findIndex((value, index) => value !== b[index]);
}

function compareKeys(a: readonly number[], b: readonly number[]): number {
  for (let place = 0; place < a.length; place++) if (a[place] !== b[place]) return a[place]! - b[place]!;
  return 0;
}

function countOf(entry: RouteEntry<unknown>, source: ValueSource): number {
  let count = 0;
  for (const criterion of entry.criteria) if (criterion.source === source) count++;
  return count;
}

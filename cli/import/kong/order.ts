/** Where Kong and we would give the same request to different routes. */
import {
  exactPath,
  literalLength,
  type PathMatcher,
  prefixPath,
  regexPath,
} from "../../../src/core/routing/matcher.ts";
import { precedenceKey } from "../../../src/core/routing/precedence.ts";
import type { Part } from "../reader.ts";
import type { TranslatedPath } from "./path.ts";
import type { TranslatedRoute } from "./route.ts";

/** One path of one route. */
interface Entry {
  readonly part: Part;
  readonly route: TranslatedRoute;
  readonly path: PathMatcher;
  readonly kong: readonly number[];
  readonly ours: readonly (readonly number[])[];
}

/** A route with its place in the original. */
export interface OrderedRoute {
  readonly part: Part;
  readonly route: TranslatedRoute;
}

/** Entries that are compared with one another; a larger file is told to look itself. */
const entriesMax = 2_000;

/** Remarks at the routes that Kong would have preferred. */
export function remarkOrder(routes: readonly OrderedRoute[], root: Part): void {
  const entries = routes.flatMap((route) => route.route.paths.map((path) => entryOf(route, path)));
  if (entries.length > entriesMax) {
    root.remark(
      "order of the routes",
      "There are too many to compare: see precedence in the documentation of routing.",
    );
    return;
  }
  for (const [index, one] of entries.entries()) {
    for (const other of entries.slice(index + 1)) compareEntries(one, other);
  }
}

function compareEntries(one: Entry, other: Entry): void {
  if (one.part === other.part || !mayShare(one, other)) return;
  const byKong = order(one.kong, other.kong);
  const byUs = one.ours.flatMap((a) => other.ours.map((b) => order(a, b)));
  if (byKong === 0 || !byUs.some((result) => result * byKong < 0)) return;
  const [winner, loser] = byKong < 0 ? [one, other] : [other, one];
  const name = loser.part.get("name").value ?? "another route";
  const hint = `Kong counts kinds of conditions first, we the host and the length of the path: ${name} gets requests that fit both.`;
  winner.part.get("name").remark("precedence among routes", hint);
}

/** Smaller is better in both; Kong's as its router computes priorities (traditional_compatible). */
function entryOf({ part, route }: OrderedRoute, translated: TranslatedPath): Entry {
  const { hosts, methods, headers, paths } = route;
  const { match, prefixLength } = translated;
  const path = match.regex === undefined ? prefixPath(match.prefix ?? "/") : regexPath(match.regex, () => true);
  const hasPaths = paths.length > 1 || prefixLength !== 0;
  const kinds = [hosts, methods, headers].filter((kind) => kind !== undefined).length + (hasPaths ? 1 : 0);
  const isPlain = hosts?.every((host) => !host.includes("*")) ?? false;
  const kong = [
    -kinds,
    isPlain ? 0 : 1,
    -(headers?.length ?? 0),
    prefixLength === null ? 0 : 1,
    prefixLength === null ? -route.regexPriority : 0,
    -(prefixLength ?? 0),
  ];
  const criteria = (headers ?? []).map(
    ({ name }) => ({ source: "header", name, kind: "present", expected: "" }) as const,
  );
  const ours = (hosts ?? [null]).map((host) =>
    precedenceKey({ route, host: host?.toLowerCase() ?? null, path, methods: methods ?? null, criteria, order: 0 }),
  );
  return { part, route, path, kong, ours };
}

function order(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((value, at) => value !== b[at]);
  return index === -1 ? 0 : (a[index] ?? 0) - (b[index] ?? 0);
}

/** May a request fit both? When in doubt yes. */
function mayShare(one: Entry, other: Entry): boolean {
  const [methods, others] = [one.route.methods, other.route.methods];
  if (methods && others && !methods.some((method) => others.includes(method))) return false;
  const hosts = one.route.hosts ?? [null];
  if (!hosts.some((host) => (other.route.hosts ?? [null]).some((otherHost) => hostsShare(host, otherHost))))
    return false;
  const [a, b] = [beginningOf(one.path), beginningOf(other.path)];
  return a.startsWith(b) || b.startsWith(a);
}

function hostsShare(a: string | null, b: string | null): boolean {
  if (a === null || b === null || a === b) return true;
  const covers = (wildcard: string, host: string) => wildcard.startsWith("*.") && host.endsWith(wildcard.slice(1));
  return covers(a, b) || covers(b, a);
}

/** What every path that fits begins with; a prefix in whole segments. */
function beginningOf(path: PathMatcher): string {
  if (path.kind === "regex") return path.source.slice(0, literalLength(path));
  return path.kind === "prefix" ? `${path.path}/` : exactPath(path.path).path;
}

/** Why the routes that a request does not get have lost it. */
import { meets, type RequestFacts } from "../facts.ts";
import { quoted, type Show, unmetCriterion } from "../unmet.ts";
import type { RouteEntry } from "./entry.ts";
import { outrankedText } from "./explain-rank.ts";
import { type PathMatcher, prefixPath } from "./matcher.ts";
import { buildRouteTable, matchRoute, type RouteTable } from "./table.ts";
import type { Ranked, TrieNode } from "./trie.ts";

/** The first criterion that fails, or by which the winner is ahead. `text` is a sentence without its subject. */
export interface Loss {
  readonly kind: "unmatched" | "outranked";
  readonly criterion: "host" | "path" | "method" | "header" | "query" | "order";
  readonly text: string;
}

/** A route that lost: the one of its entries that came closest. */
export interface Loser<R> {
  readonly entry: RouteEntry<R>;
  readonly loss: Loss;
}

/** Who won, and the losers in their order: first those that match, by precedence; then by how much of them matches. */
export interface ExplainedRoutes<R> {
  readonly winner: RouteEntry<R> | null;
  readonly losers: readonly Loser<R>[];
  /** Losers that are not listed. */
  readonly more: number;
}

/** What an explanation needs to know of the caller's routes. */
export interface Telling<R> {
  /** Entries with the same name are one route. */
  readonly nameOf: (route: R) => string;
  readonly show: Show;
  readonly losersMax: number;
}

const everyPath = prefixPath("/");
const closest = ["query", "header", "method", "path", "host"] as const;

/** Explains `matchRoute`. Looks at every entry, in O(n log n) for n of them. */
export function explainRoutes<R>(
  table: RouteTable<R>,
  facts: RequestFacts,
  { nameOf, show, losersMax }: Telling<R>,
): ExplainedRoutes<R> {
  const winner = matchRoute(table, facts).match?.entry ?? null;
  const hosts = new Map<string | null, boolean>();
  const all = [...entriesOf(table)].map(({ entry, rank }) => ({ entry, rank, failed: failureOf(entry, facts, hosts) }));
  const distance = ({ failed }: (typeof all)[number]) => (failed === null ? -1 : closest.indexOf(failed));
  all.sort((a, b) => distance(a) - distance(b) || a.rank - b.rank);
  const losers = new Map<string, (typeof all)[number]>();
  const won = winner && nameOf(winner.route);
  for (const one of all) {
    const name = nameOf(one.entry.route);
    if (name !== won && !losers.has(name)) losers.set(name, one);
  }
  const listed = [...losers.values()].slice(0, losersMax).map(({ entry, failed }): Loser<R> => {
    if (failed !== null) {
      const text = `does not match: ${unmatchedText(entry, failed, facts, show)}`;
      return { entry, loss: { kind: "unmatched", criterion: failed, text } };
    }
    // What matches and has not won is outranked by what has.
    const { criterion, text } = outrankedText(winner!, entry);
    return { entry, loss: { kind: "outranked", criterion, text: `matches, but is outranked by ${won}: ${text}` } };
  });
  return { winner, losers: listed, more: losers.size - listed.length };
}

/** A path as the document has it, normalised. */
export function pathText(path: PathMatcher): string {
  return path.kind === "regex" ? path.source : path.path || "/";
}

function* entriesOf<R>({ exactHosts, wildcardHosts, anyHost }: RouteTable<R>): Generator<Ranked<R>> {
  const groups = [...exactHosts.values(), ...wildcardHosts.values(), ...(anyHost === null ? [] : [anyHost])];
  for (const { exactPaths, root } of groups) {
    for (const list of exactPaths.values()) yield* list;
    yield* entriesBelow(root);
  }
}

function* entriesBelow<R>({ ends, rest, literals, param }: TrieNode<R>): Generator<Ranked<R>> {
  yield* ends ?? [];
  yield* rest ?? [];
  for (const child of literals?.values() ?? []) yield* entriesBelow(child);
  if (param !== null) yield* entriesBelow(param);
}

/** The first criterion of an entry that fails; null: all hold. Asks tables of one entry, of which a part is left out. */
function failureOf(
  entry: RouteEntry<unknown>,
  facts: RequestFacts,
  hosts: Map<string | null, boolean>,
): (typeof closest)[number] | null {
  const fits = (part: Partial<RouteEntry<unknown>>) =>
    matchRoute(
      buildRouteTable([{ ...entry, host: null, path: everyPath, methods: null, criteria: [], ...part }]),
      facts,
    ).match !== null;
  const { host, path, methods, criteria } = entry;
  if (!hosts.has(host)) hosts.set(host, fits({ host }));
  if (!hosts.get(host)) return "host";
  if (!fits({ path })) return "path";
  if (!fits({ methods })) return "method";
  const unmet = criteria.find((criterion) => !meets(criterion, facts));
  // The document has no criteria on cookies here.
  return unmet ? (unmet.source as "header" | "query") : null;
}

function unmatchedText(
  { host, path, methods, criteria }: RouteEntry<unknown>,
  failed: (typeof closest)[number],
  facts: RequestFacts,
  show: Show,
): string {
  switch (failed) {
    case "host":
      return `host is ${quoted(facts.host)}, want ${show(host!)}`;
    case "path":
      return `path is ${quoted(facts.path)}, want ${path.kind} ${show(pathText(path))}`;
    case "method":
      return `method is ${facts.method}, want ${methods!.join(" or ") || "none"}`;
    default:
      return unmetCriterion(criteria.find((criterion) => !meets(criterion, facts))!, facts, show);
  }
}

/** By what one of two entries that fit the same request comes first. */
import type { RouteEntry } from "./entry.ts";
import { hostMatcher } from "./host.ts";
import { decidingPlace, precedenceKey } from "./precedence.ts";

/** `criterion` names what the document says; `text` completes "is outranked by x: ". */
interface Outranked {
  readonly criterion: "host" | "path" | "method" | "header" | "query" | "order";
  readonly text: string;
}

type Entry = RouteEntry<unknown>;
const hostKinds = { exact: "exact host", wildcard: "wildcard host", any: "no host" } as const;
const hostKind = ({ host }: Entry) => hostKinds[hostMatcher(host).kind];

/** What decides at each place of `precedenceKey`; `first` and `second` are the numbers there. */
const places: readonly ((winner: Entry, loser: Entry, first: number, second: number) => Outranked)[] = [
  (winner, loser) => ({ criterion: "host", text: `${hostKind(winner)} before ${hostKind(loser)}` }),
  () => ({ criterion: "host", text: "longer wildcard host" }),
  (_, { path }) => ({ criterion: "path", text: `exact path before ${path.kind}` }),
  (_, __, first, second) => ({
    criterion: "path",
    text: `longer path (${-first} literal characters before ${-second})`,
  }),
  (winner, loser) => ({
    criterion: "path",
    text: `${winner.path.kind} before ${loser.path.kind} of the same length`,
  }),
  () => ({ criterion: "method", text: "method given before any method" }),
  (_, __, first, second) => ({ criterion: "header", text: `more headers (${-first} before ${-second})` }),
  (_, __, first, second) => ({ criterion: "query", text: `more query parameters (${-first} before ${-second})` }),
  () => ({ criterion: "order", text: "order in the document" }),
];

/** Why `winner` comes before `loser`. They are two entries of one table. */
export function outrankedText(winner: Entry, loser: Entry): Outranked {
  const [first, second] = [precedenceKey(winner), precedenceKey(loser)];
  const place = decidingPlace(first, second);
  return places[place]!(winner, loser, first[place]!, second[place]!);
}

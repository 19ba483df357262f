/** Part of `explain.ts`: which route won, and why the others did not. */
import { bounds } from "../bounds.ts";
import { type RequestFacts, withMethod } from "../core/facts.ts";
import type { RouteEntry } from "../core/routing/entry.ts";
import { explainRoutes, type Loss, pathText } from "../core/routing/explain.ts";
import type { Show } from "../core/unmet.ts";
import { GatewayError } from "../errors.ts";
import type { Route, Snapshot } from "../snapshot/types.ts";
import type { Matched } from "./match.ts";

/** One host with one match of a route. */
interface ShownEntry {
  readonly route: string;
  /** null: every host. */
  readonly host: string | null;
  /** `prefix /api` */
  readonly path: string;
}

/** The winner, and the losers in their order. */
export interface ExplainedRoutes {
  readonly winner: (ShownEntry & { readonly params: Record<string, string> }) | null;
  readonly losers: (ShownEntry & {
    readonly lost: "unmatched" | "outranked";
    readonly criterion: Loss["criterion"];
    readonly detail: string;
  })[];
  /** Losers that are not listed. */
  readonly more: number;
}

/** Explains what `match` said. */
export function explainMatch(
  snapshot: Snapshot,
  facts: RequestFacts,
  matched: Matched | GatewayError,
  show: Show,
): ExplainedRoutes {
  const telling = { nameOf: ({ name }: Route) => name, show, losersMax: bounds.explainedRoutesMax };
  const found = matched instanceof GatewayError ? null : matched;
  // A preflight is matched by the method that it asks for.
  const method = (found?.preflight && facts.header("access-control-request-method")) || facts.method;
  const { winner, losers, more } = explainRoutes(snapshot.config.table, withMethod(facts, method), telling);
  return {
    winner: winner && { ...shown(winner, show), params: { ...found?.params } },
    losers: losers.map(({ entry, loss }) => ({
      ...shown(entry, show),
      lost: loss.kind,
      criterion: loss.criterion,
      detail: loss.text,
    })),
    more,
  };
}

function shown({ route, host, path }: RouteEntry<Route>, show: Show): ShownEntry {
  return { route: route.name, host: host && show(host), path: `${path.kind} ${show(pathText(path))}` };
}

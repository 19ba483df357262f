/** Stage: which route has won the request. */
import { isPreflight } from "../core/cors/cors.ts";
import { type RequestFacts, withMethod } from "../core/facts.ts";
import { matchRoute } from "../core/routing/table.ts";
import { GatewayError } from "../errors.ts";
import type { Route, Snapshot } from "../snapshot/types.ts";

/** The route, and the parameters of its path. */
export interface Matched {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
  /** The request is a CORS preflight that the gateway itself answers by the route's policy. */
  readonly preflight: boolean;
}

/**
 * A preflight is matched by the method that it asks for, since the route that will take the request is the one whose
 * policy counts. If that route has no policy, the preflight is an ordinary OPTIONS request.
 */
export function match(snapshot: Snapshot, facts: RequestFacts): Matched | GatewayError {
  if (isPreflight(facts)) {
    const asked = facts.header("access-control-request-method") ?? "";
    const found = search(snapshot, withMethod(facts, asked), true);
    if (found?.route.cors) return found;
  }
  return search(snapshot, facts, false) ?? new GatewayError("route_not_found");
}

function search(snapshot: Snapshot, facts: RequestFacts, preflight: boolean): Matched | null {
  const { match: found } = matchRoute(snapshot.config.table, facts);
  return found && { route: found.entry.route, params: found.params, preflight };
}

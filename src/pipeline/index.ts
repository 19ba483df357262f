/** A request of traffic, from its first byte to its answer. The stages know nothing of each other; what they share passes here. */
import type { GatewayError } from "../errors.ts";
import { currentSnapshot, snapshotAgeMs } from "../snapshot/cache.ts";
import type { Snapshot } from "../snapshot/types.ts";
import { goneAway } from "./exchange.ts";
import { injectFault } from "./fault.ts";
import { limit } from "./limit.ts";
import { match } from "./match.ts";
import { preflight } from "./preflight.ts";
import { type Incoming, read, requestIdOf } from "./read.ts";
import { redirect } from "./redirect.ts";
import {
  type Decision,
  type Finishing,
  finishOwn,
  finishRefusal,
  newDecision,
  newFinishing,
  refusal,
} from "./respond.ts";
import { revisionFor } from "./revision.ts";
import { type Routed, serve } from "./serve.ts";

/** Answers a request of traffic. Never throws. */
export async function handle(incoming: Incoming, env: Env, ctx: ExecutionContext): Promise<Response> {
  const requestId = requestIdOf(incoming.headers.get("x-request-id"));
  try {
    let calls = 0;
    const found = currentSnapshot(env, ctx, () => {
      calls = 1;
    });
    const inForce = found instanceof Promise ? await found : found;
    if (!inForce) return refusal("gateway_unconfigured", requestId);
    const snapshot = revisionFor(inForce, (hops) => read(incoming, hops));
    return await answer(incoming, requestId, snapshot, calls, env, ctx);
  } catch (error) {
    return refusal("internal_error", requestId, error);
  }
}

async function answer(
  incoming: Incoming,
  requestId: string,
  snapshot: Snapshot,
  calls: number,
  env: Env,
  ctx: ExecutionContext,
): Promise<Response> {
  const { gateway } = snapshot.config;
  const decision = newDecision(calls, snapshot.revision, snapshotAgeMs());
  const finishing = newFinishing(gateway, incoming.headers.get("origin"), requestId, decision);

  const received = read(incoming, gateway.trustedProxyHops);
  if (received instanceof Error) return finishRefusal(received, requestId, finishing);
  const { client, facts } = received;

  const matched = match(snapshot, facts);
  if (matched instanceof Error) return finishRefusal(matched, requestId, finishing);
  const { route, params } = matched;
  decision.route = route.name;
  // Without the route: a preflight's headers are its own, not those of an answer.
  if (matched.preflight && route.cors) return finishOwn(preflight(route.cors, incoming.request), finishing);
  finishing.route = route;
  const routed: Routed = { incoming, requestId, client, facts, params, snapshot, route };
  const mayBeHeld = route.limits.length > 0 || route.faults.length > 0;
  const held = mayBeHeld ? await admit(routed, decision, finishing, env, ctx) : null;
  if (held !== null) return finishRefusal(held, requestId, finishing);
  if (route.redirect) return finishOwn(redirect(route.redirect, incoming.target), finishing);
  return serve(routed, decision, finishing, env, ctx);
}

/** By the route's limits and faults: after their delays null, or what the request is refused with. */
async function admit(
  { incoming, facts, params, route }: Routed,
  decision: Decision,
  finishing: Finishing,
  env: Env,
  ctx: ExecutionContext,
): Promise<GatewayError | null> {
  let hasWaited = false;
  if (route.limits.length > 0) {
    const limiting = limit(route, facts, params, env, ctx);
    const outcome = limiting instanceof Promise ? await limiting : limiting;
    hasWaited = limiting instanceof Promise || outcome.delayMs > 0;
    finishing.limits = outcome.reports;
    decision.limit = outcome.mark;
    decision.calls += outcome.calls;
    if (outcome.refusal) return outcome.refusal;
    if (outcome.delayMs > 0) await scheduler.wait(outcome.delayMs);
  }
  if (route.faults.length > 0) {
    const injected = await injectFault(route, facts);
    hasWaited = true;
    if (injected) decision.fault = injected.mark;
    if (injected?.refusal) return injected.refusal;
  }
  return hasWaited ? goneAway(incoming) : null;
}

/** A request of traffic, from its first byte to its answer. The stages know nothing of each other; what they share passes here. */
import { currentSnapshot, snapshotStatus } from "../snapshot/cache.ts";
import type { Route, Snapshot } from "../snapshot/types.ts";
import { forward } from "./forward.ts";
import { limit } from "./limit.ts";
import { match } from "./match.ts";
import { pick } from "./pick.ts";
import { preflight } from "./preflight.ts";
import { read, requestIdOf } from "./read.ts";
import { redirect } from "./redirect.ts";
import { type Decision, type Finishing, finishOwn, finishRefusal, finishUpstream, refusal } from "./respond.ts";
import { select } from "./select.ts";

const noneTried: ReadonlySet<string> = new Set();

/** Answers a request of traffic to `url`, which is the request's, parsed. Never throws. */
export async function handle(request: Request, url: URL, env: Env, ctx: ExecutionContext): Promise<Response> {
  const requestId = requestIdOf(request);
  try {
    let calls = 0;
    const snapshot = await currentSnapshot(env, ctx, () => {
      calls = 1;
    });
    if (!snapshot) return refusal("gateway_unconfigured", requestId);
    return await answer(request, url, requestId, snapshot, calls, env, ctx);
  } catch (error) {
    return refusal("internal_error", requestId, error);
  }
}

async function answer(
  request: Request,
  url: URL,
  requestId: string,
  snapshot: Snapshot,
  calls: number,
  env: Env,
  ctx: ExecutionContext,
): Promise<Response> {
  const { gateway } = snapshot.config;
  const decision: Decision = { calls, revision: snapshot.revision, age: snapshotStatus().ageMs };
  let limits: Finishing["limits"] = [];
  const finishing = (route: Route | null, notice?: Finishing["notice"]): Finishing => ({
    route,
    notice,
    limits,
    requestOrigin: request.headers.get("origin"),
    requestId: gateway.echoRequestId || gateway.debugHeaders ? requestId : null,
    decision: gateway.debugHeaders ? decision : null,
  });

  const received = read(request, url, gateway.trustedProxyHops);
  if (received instanceof Error) return finishRefusal(received, requestId, finishing(null));
  const { client, facts } = received;

  const matched = match(snapshot, facts);
  if (matched instanceof Error) return finishRefusal(matched, requestId, finishing(null));
  const { route, params } = matched;
  decision.route = route.name;
  // Without the route: a preflight's headers are its own, not those of an answer.
  if (matched.preflight && route.cors) return finishOwn(preflight(route.cors, request), finishing(null));
  if (route.limits.length > 0) {
    const outcome = await limit(route, facts, params, env, ctx);
    limits = outcome.reports;
    Object.assign(decision, { limit: outcome.mark, calls: calls + outcome.calls });
    if (outcome.refusal) return finishRefusal(outcome.refusal, requestId, finishing(route));
    if (outcome.delayMs > 0) await scheduler.wait(outcome.delayMs);
  }
  if (route.redirect) return finishOwn(redirect(route.redirect, url), finishing(route));
  const service = snapshot.services.get(route.service ?? "");
  if (!service) throw new Error(`the service of route ${route.name} is not in the snapshot`);
  decision.service = service.config.name;

  const selected = select(route, service, facts, params);
  if (selected instanceof Error) return finishRefusal(selected, requestId, finishing(route));
  const { version, reason, candidates, rewrite } = selected;
  Object.assign(decision, { reason, ...(version !== null && { version }) });

  const picked = pick(snapshot, service, candidates, noneTried);
  if (picked instanceof Error) return finishRefusal(picked, requestId, finishing(route));
  decision.origin = picked.origin.id;

  const { requestTimeoutMs: timeoutMs } = route;
  const { maxBodyBytes } = gateway;
  const { result, tries } = await forward(request, {
    ...{ url, client, requestId, rewrite, timeoutMs, maxBodyBytes },
    ...picked,
  });
  decision.tries = tries;
  if (result instanceof Error) return finishRefusal(result, requestId, finishing(route));
  return finishUpstream(result, finishing(route, service.config.notices.get(version ?? picked.origin.version ?? "")));
}

/** A request of traffic, from its first byte to its answer. The stages know nothing of each other; what they share passes here. */
import { bounds } from "../bounds.ts";
import { superviseChecks } from "../clients/health-checks.ts";
import { GatewayError } from "../errors.ts";
import { currentSnapshot, snapshotStatus } from "../snapshot/cache.ts";
import type { Fallback, Mirror, Route, ServiceView, Snapshot } from "../snapshot/types.ts";
import { outgoingBody } from "../upstream/body.ts";
import { loadOf } from "../upstream/load.ts";
import { type Call, type Exchanged, exchange, isHarmlessTwice, outgoingOf } from "./exchange.ts";
import { hasFallback, staticAnswer } from "./fallback.ts";
import { injectFault } from "./fault.ts";
import type { Outgoing } from "./forward.ts";
import { limit } from "./limit.ts";
import { match } from "./match.ts";
import { drawMirrors, sendMirror } from "./mirror.ts";
import { type Picked, pick } from "./pick.ts";
import { preflight } from "./preflight.ts";
import { read, requestIdOf } from "./read.ts";
import { redirect } from "./redirect.ts";
import { type Decision, type Finishing, finishOwn, finishRefusal, finishUpstream, refusal } from "./respond.ts";
import { revisionFor } from "./revision.ts";
import { type Selected, select, selectDefault, selectNamed } from "./select.ts";

/** Answers a request of traffic to `url`, which is the request's, parsed. Never throws. */
export async function handle(request: Request, url: URL, env: Env, ctx: ExecutionContext): Promise<Response> {
  const requestId = requestIdOf(request);
  try {
    let calls = 0;
    const inForce = await currentSnapshot(env, ctx, () => {
      calls = 1;
    });
    if (!inForce) return refusal("gateway_unconfigured", requestId);
    const snapshot = revisionFor(inForce, (hops) => read(request, url, hops));
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
  const finishing = (route: Route | null, more: Partial<Finishing> = {}): Finishing => ({
    ...{ route, notice: undefined, limits, ...more },
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
    Object.assign(decision, { limit: outcome.mark, calls: decision.calls + outcome.calls });
    if (outcome.refusal) return finishRefusal(outcome.refusal, requestId, finishing(route));
    if (outcome.delayMs > 0) await scheduler.wait(outcome.delayMs);
  }
  if (route.faults.length > 0) {
    const injected = await injectFault(route, facts);
    if (injected) decision.fault = injected.mark;
    if (injected?.refusal) return finishRefusal(injected.refusal, requestId, finishing(route));
  }
  if (route.redirect) return finishOwn(redirect(route.redirect, url), finishing(route));
  const service = serviceOf(snapshot, route.service ?? "");
  decision.service = service.config.name;
  // Checks are one for all clients: those of the document in force.
  if (snapshot.inForce === null) superviseChecks(env, ctx, service);

  const selected = select(route, service, facts, params);
  if (selected instanceof Error) return finishRefusal(selected, requestId, finishing(route));
  Object.assign(decision, { reason: selected.reason, ...(selected.version !== null && { version: selected.version }) });

  const mirrors = drawMirrors(route, facts);
  const { maxBodyBytes } = gateway;
  const body = outgoingBody(request, {
    maxBytes: maxBodyBytes,
    keepBytes: keepBytesOf(route, request, mirrors),
    idleMs: route.idleTimeoutMs,
    stallMs: route.idleTimeoutMs || route.attemptTimeoutMs || route.requestTimeoutMs,
  });
  if (!body) return finishRefusal(new GatewayError("payload_too_large"), requestId, finishing(route));
  const call: Call = { request, url, requestId, client, facts, params, snapshot, route, service, selected, body };
  const outgoing = outgoingOf(call);
  const exchanged = await exchange(call, outgoing, env, ctx);
  note(decision, exchanged);
  for (const mirror of mirrors) mirrorTo(mirror, call, outgoing, ctx);
  const { result, picked } = exchanged;
  if (result instanceof Response) {
    return finishUpstream(result, finishing(route, { notice: noticeOf(service, selected, picked) }));
  }
  if (!hasFallback(route.fallback, result)) return finishRefusal(result, requestId, finishing(route));
  const instead = await fallBack(route.fallback, call, decision, env, ctx);
  if (instead === null) return finishRefusal(result, requestId, finishing(route));
  const finish = route.fallback.kind === "static" ? finishOwn : finishUpstream;
  return finish(instead.answer, finishing(route, { notice: instead.notice, fallbackFor: result }));
}

function serviceOf(snapshot: Snapshot, name: string): ServiceView {
  const service = snapshot.services.get(name);
  if (!service) throw new Error(`the service ${name} is not in the snapshot`);
  return service;
}

/** Up to which size a body has to be kept for somebody else than the first origin. */
function keepBytesOf({ retries, fallback }: Route, request: Request, mirrors: readonly Mirror[]): number {
  const mayRepeat = isHarmlessTwice(request);
  const others = mirrors.length > 0 || (fallback?.kind === "service" && mayRepeat);
  return Math.max(retries && mayRepeat ? retries.bodyBytes : 0, others ? bounds.copiedBodyBytesMax : 0);
}

function note(decision: Decision, { picked, tries, calls, shed, breaker, retry }: Exchanged): void {
  decision.calls += calls;
  if (tries > 0) decision.tries = tries;
  if (picked) decision.origin = picked.origin.id;
  if (picked?.isPanic) decision.pick = "panic";
  if (shed) decision.shed = shed;
  if (breaker) decision.breaker = breaker;
  if (retry) decision.retry = retry;
}

/** What the answers of a version say of its end. */
function noticeOf({ config }: ServiceView, { version }: Selected, picked: Picked | null): Finishing["notice"] {
  return config.notices.get(version ?? picked?.origin.version ?? "");
}

/** The fallback's answer; null when it has none either, or the body is not there any more. */
async function fallBack(
  fallback: Fallback,
  call: Call,
  decision: Decision,
  env: Env,
  ctx: ExecutionContext,
): Promise<{ readonly answer: Response; readonly notice: Finishing["notice"] } | null> {
  if (fallback.kind === "static") {
    decision.fallback = "static";
    return { answer: staticAnswer(fallback), notice: undefined };
  }
  // An origin that was asked may have done what it was asked for.
  if (decision.tries !== undefined && !isHarmlessTwice(call.request)) return null;
  if (!call.body.isRepeatable(bounds.copiedBodyBytesMax)) return null;
  const service = serviceOf(call.snapshot, fallback.service);
  const instead = { ...call, service, selected: selectDefault(call.route, service) };
  const exchanged = await exchange(instead, outgoingOf(instead), env, ctx);
  decision.calls += exchanged.calls;
  const { result: answer, picked } = exchanged;
  if (answer instanceof GatewayError) return null;
  decision.fallback = service.config.name;
  if (picked) decision.origin = picked.origin.id;
  return { answer, notice: noticeOf(service, instead.selected, picked) };
}

/** Sends a copy when an origin for it is there; none: silently nothing. */
function mirrorTo(mirror: Mirror, call: Call, outgoing: Outgoing, ctx: ExecutionContext): void {
  const { snapshot, route } = call;
  const service = mirror.service === null ? call.service : serviceOf(snapshot, mirror.service);
  const { candidates } =
    mirror.version === null ? selectDefault(route, service) : selectNamed(route, service, mirror.version);
  const load = loadOf(snapshot, service);
  const picked = pick(service, candidates, new Set(), { zone: null, hashKey: null, mayWiden: false }, load);
  if (!(picked instanceof Error)) ctx.waitUntil(sendMirror(outgoing, picked.origin, mirror.timeoutMs));
}

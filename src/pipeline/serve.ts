/** What the route's service answers, or its fallback in its place; mirrors get a copy. The conductor between `index.ts` and `exchange.ts`. */
import { bounds } from "../bounds.ts";
import { superviseChecks } from "../clients/health-checks.ts";
import { GatewayError } from "../errors.ts";
import type { Fallback, Mirror, Route, ServiceView, Snapshot } from "../snapshot/types.ts";
import { outgoingBody } from "../upstream/body.ts";
import { loadOf } from "../upstream/load.ts";
import { type Call, type Exchanged, exchange, goneAway, isHarmlessTwice, outgoingOf } from "./exchange.ts";
import { hasFallback, staticAnswer } from "./fallback.ts";
import type { Outgoing } from "./forward.ts";
import { drawMirrors, sendMirror } from "./mirror.ts";
import { type Picked, pick } from "./pick.ts";
import type { Incoming } from "./read.ts";
import { type Decision, type Finishing, finishOwn, finishRefusal, finishUpstream } from "./respond.ts";
import { type Selected, select, selectDefault, selectNamed } from "./select.ts";

/** A request and the route that it matched. */
export type Routed = Omit<Call, "service" | "selected" | "body">;

/** Sends the request to an origin of the route's service, or in its place to the fallback; writes down in `decision` how it went. */
export async function serve(
  routed: Routed,
  decision: Decision,
  finishing: Finishing,
  env: Env,
  ctx: ExecutionContext,
): Promise<Response> {
  const { incoming, requestId, facts, params, snapshot, route } = routed;
  const service = serviceOf(snapshot, route.service ?? "");
  decision.service = service.config.name;
  // Checks are one for all clients: those of the document in force.
  if (snapshot.inForce === null) superviseChecks(env, ctx, service);

  const selected = select(route, service, facts, params);
  if (selected instanceof Error) return finishRefusal(selected, requestId, finishing);
  decision.reason = selected.reason;
  decision.version = selected.version ?? undefined;

  const mirrors = drawMirrors(route, facts);
  const body = outgoingBody(incoming.request, {
    maxBytes: snapshot.config.gateway.maxBodyBytes,
    keepBytes: keepBytesOf(route, incoming, mirrors),
    idleMs: route.idleTimeoutMs,
    stallMs: route.idleTimeoutMs || route.attemptTimeoutMs || route.requestTimeoutMs,
  });
  if (!body) return finishRefusal(new GatewayError("payload_too_large"), requestId, finishing);
  const call: Call = { ...routed, service, selected, body };
  const outgoing = outgoingOf(call);
  const exchanged = await exchange(call, outgoing, env, ctx);
  note(decision, exchanged);
  for (const mirror of mirrors) mirrorTo(mirror, call, outgoing, ctx);
  const { result, picked } = exchanged;
  if (result instanceof Error) return answerFailure(result, call, decision, finishing, env, ctx);
  finishing.notice = noticeOf(service, selected, picked);
  return finishUpstream(result, finishing);
}

/** By the route's fallback, if it has one for this failure. */
async function answerFailure(
  failure: GatewayError,
  call: Call,
  decision: Decision,
  finishing: Finishing,
  env: Env,
  ctx: ExecutionContext,
): Promise<Response> {
  const { fallback } = call.route;
  const instead = hasFallback(fallback, failure) ? await fallBack(fallback, call, decision, env, ctx) : null;
  if (instead === null) return finishRefusal(failure, call.requestId, finishing);
  finishing.notice = instead.notice;
  finishing.fallbackFor = failure;
  const finish = fallback?.kind === "static" ? finishOwn : finishUpstream;
  return finish(instead.answer, finishing);
}

function serviceOf(snapshot: Snapshot, name: string): ServiceView {
  const service = snapshot.services.get(name);
  if (!service) throw new Error(`the service ${name} is not in the snapshot`);
  return service;
}

/** Up to which size a body has to be kept for somebody else than the first origin. */
function keepBytesOf({ retries, fallback }: Route, incoming: Incoming, mirrors: readonly Mirror[]): number {
  const mayRepeat = isHarmlessTwice(incoming);
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
  if (config.notices.size === 0) return undefined;
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
  if (goneAway(call.incoming) !== null) return null;
  // An origin that was asked may have done what it was asked for.
  if (decision.tries !== undefined && !isHarmlessTwice(call.incoming)) return null;
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
  const nowMs = Date.now();
  const load = loadOf(snapshot, service, nowMs);
  const picked = pick(service, candidates, new Set(), { zone: null, hashKey: null, mayWiden: false }, load, nowMs);
  if (!(picked instanceof Error)) ctx.waitUntil(sendMirror(outgoing, picked.origin, mirror.timeoutMs));
}

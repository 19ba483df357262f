/** One service asked, with all its tries: the second conductor beside `index.ts`. The stages know nothing of each other. */
import { bounds } from "../bounds.ts";
import { breakerState, isSensed, type Permit, recordCall } from "../clients/health.ts";
import { ended, started } from "../core/balancing/load.ts";
import { zoneOfPlace } from "../core/balancing/zone.ts";
import type { RequestFacts } from "../core/facts.ts";
import type { Client } from "../core/forwarding/client.ts";
import { keyOf } from "../core/keys/keys.ts";
import { noteRequest, trySpendRetry } from "../core/retrying/budget.ts";
import { isRepeatable, isSafe } from "../core/retrying/classify.ts";
import { hedgeDelayMs } from "../core/retrying/latency.ts";
import { GatewayError } from "../errors.ts";
import type { Route, ServiceView, Snapshot } from "../snapshot/types.ts";
import type { OutgoingBody } from "../upstream/body.ts";
import { newDeadline } from "../upstream/deadline.ts";
import { latenciesOf, loadOf, type ServiceLoad } from "../upstream/load.ts";
import { type RetryPlan, sendUntilAnswered, type Tried, type TryOnce } from "../upstream/retry.ts";
import { watched } from "../upstream/watch.ts";
import { forward, headersOf, type Outgoing, targetOf } from "./forward.ts";
import { guard } from "./guard.ts";
import { type Picked, type Preference, pick } from "./pick.ts";
import { record } from "./record.ts";
import type { Selected } from "./select.ts";
import { shed } from "./shed.ts";

/** A request, and the service that it is for. */
export interface Call {
  readonly request: Request;
  readonly url: URL;
  readonly requestId: string;
  readonly client: Client;
  readonly facts: RequestFacts;
  readonly params: Readonly<Record<string, string>>;
  readonly snapshot: Snapshot;
  readonly route: Route;
  readonly service: ServiceView;
  readonly selected: Selected;
  readonly body: OutgoingBody;
}

/** The answer or the failure, and what `sluice-decision` says of how it came about. */
export interface Exchanged {
  readonly result: Response | GatewayError;
  /** Who answered or failed last, and whether it was picked among bad ones; null: nobody was asked. */
  readonly picked: Picked | null;
  readonly tries: number;
  /** Calls to objects that were waited for. */
  readonly calls: number;
  readonly shed: string | null;
  readonly breaker: string | null;
  /** `spent`: a retry was due, but not in the budget. */
  readonly retry: "spent" | null;
}

/** The request as the origins of the call's service receive it. */
export function outgoingOf({ request, url, client, requestId, route, selected, body }: Call): Outgoing {
  const { rewrite } = selected;
  return {
    method: request.method,
    target: targetOf(url, rewrite),
    headers: headersOf(request, client, requestId, rewrite),
    body,
    deadline: newDeadline(route.requestTimeoutMs, true),
  };
}

/** Asks the service: lets the request in, then tries origins until one answers or there is no reason to go on. */
export async function exchange(call: Call, outgoing: Outgoing, env: Env, ctx: ExecutionContext): Promise<Exchanged> {
  const { route, service, snapshot, selected } = call;
  const load = loadOf(snapshot, service);
  const room = await shed(env, ctx, service, load);
  const { calls, by } = room;
  const marks = { calls, shed: by, retry: null, breaker: null };
  if (room.refusal) return { ...marks, result: room.refusal, picked: null, tries: 0 };
  noteRequest(load.budget, Date.now());
  const held = heldBy(call.request, outgoing);
  held.add(room.leave);
  const leave = () => void (held.delete(room.leave) && room.leave());
  const trail: Trail = { picks: new Map(), tries: 0, version: selected.version ?? "" };
  const tryOnce = tryOnceOf(call, outgoing, load, trail, held, env, ctx);
  try {
    const sent = await sendUntilAnswered(planOf(call, outgoing, load), tryOnce);
    outgoing.deadline.stop();
    const isWatched = route.idleTimeoutMs > 0 || service.config.health.maxConcurrent > 0;
    const answer = isWatched && sent.result instanceof Response ? sent.result : null;
    if (answer === null) leave();
    return {
      ...marks,
      result: answer ? watched(answer, { idleMs: route.idleTimeoutMs, ended: leave }, ctx) : sent.result,
      picked: trail.picks.get(sent.origin ?? "") ?? null,
      tries: trail.tries,
      retry: sent.isBudgetSpent ? "spent" : null,
      breaker: isSensed(service) ? breakerState(service, trail.version) : null,
    };
  } catch (error) {
    leave();
    throw error;
  }
}

/** May an origin act on the request twice? */
export function isHarmlessTwice({ method, headers }: Request): boolean {
  return isRepeatable(method, headers.has("idempotency-key"));
}

function planOf({ request, route, selected }: Call, { body, deadline }: Outgoing, load: ServiceLoad): RetryPlan {
  const { retries: policy, hedging } = route;
  const { method } = request;
  const bytesMax = policy?.bodyBytes ?? 0;
  const mayRepeat = () => !request.signal.aborted && isHarmlessTwice(request) && body.isRepeatable(bytesMax);
  // A second try at the only origin would make it slower still.
  const mayHedge = selected.candidates.length > 1 && mayRepeat();
  const hasBody = request.body !== null && method !== "GET" && method !== "HEAD";
  return {
    policy,
    isSafe: isSafe(method) && !hasBody,
    isRepeatable: mayRepeat,
    spend: () => trySpendRetry(load.budget, policy?.budget ?? bounds.hedgingBudget, Date.now()),
    hedgeAfterMs: hedging && mayHedge ? hedgeDelayMs(hedging, latenciesOf(load), Date.now()) : null,
    uploaded: () => body.whole(bytesMax),
    deadline,
    random: Math.random,
  };
}

/**
 * What has to be given back when the client goes away. Its request is then cut off without a word: nothing that it awaits
 * goes on, not even a `finally`, or else all of it does, when a report still waits in its name. So the origin is let go
 * here too. What is given back in time is taken out.
 */
function heldBy({ signal }: Request, { deadline }: Outgoing): Set<() => void> {
  const held = new Set<() => void>();
  const giveBack = () => {
    for (const release of held) release();
    held.clear();
    deadline.abort(new Error("the client has gone away"));
  };
  signal.addEventListener("abort", giveBack, { once: true });
  return held;
}

/** What the tries of one request leave behind. */
interface Trail {
  /** Who was asked, by id. */
  readonly picks: Map<string, Picked>;
  /** How often the request was sent, tries that were given up included. */
  tries: number;
  /** Whose breaker was asked last; "" for origins without a version. */
  version: string;
}

/** One try: pick, guard, forward, record. */
function tryOnceOf(
  call: Call,
  outgoing: Outgoing,
  load: ServiceLoad,
  trail: Trail,
  held: Set<() => void>,
  env: Env,
  ctx: ExecutionContext,
): TryOnce {
  const { route, service } = call;
  const preference = preferenceOf(call);
  return async (tried, cancel) => {
    if (call.request.signal.aborted) return unwanted();
    const chosen = choose(call, tried, preference, load, trail, env, ctx);
    if (chosen instanceof GatewayError) return { result: chosen, origin: null, isLost: false };
    const { origin, permit } = chosen;
    // All were asked: a new round begins, in which again each is asked once.
    if (tried.has(origin.id)) tried.clear();
    tried.add(origin.id);
    trail.tries++;
    trail.picks.set(origin.id, chosen);
    started(load.state, origin.id);
    const release = () => {
      ended(load.state, origin.id);
      if (permit) recordCall(env, ctx, service, permit, origin.id, "ignored", 0);
    };
    held.add(release);
    const { result, isLost, isClients, latencyMs } = await forward(outgoing, origin, route.attemptTimeoutMs, cancel);
    // Already given back: the client has left, and something else has kept its request alive until now.
    if (!held.delete(release)) return { result, origin: origin.id, isLost: false };
    ended(load.state, origin.id);
    const isIgnored = isClients || cancel?.aborted === true;
    record(route, { service, load, origin, permit, result, latencyMs, isIgnored }, env, ctx);
    return { result, origin: origin.id, isLost };
  };
}

/** No origin is asked for a client that has gone; nobody gets this. */
function unwanted(): Tried {
  const result = new GatewayError("upstream_unreachable", { reason: "the client has gone away" });
  return { result, origin: null, isLost: false };
}

/** An origin whose version's breaker lets the request through. Where several versions may answer, each is asked. */
function choose(
  { service, selected }: Call,
  tried: ReadonlySet<string>,
  preference: Preference,
  load: ServiceLoad,
  trail: Trail,
  env: Env,
  ctx: ExecutionContext,
): (Picked & { readonly permit: Permit | null }) | GatewayError {
  let { candidates } = selected;
  for (let refusal: GatewayError | null = null; ; ) {
    const picked = pick(service, candidates, tried, preference, load);
    if (picked instanceof GatewayError) return refusal ?? picked;
    if (!isSensed(service)) return { ...picked, permit: null };
    trail.version = picked.origin.version ?? "";
    const permit = guard(env, ctx, service, picked.origin);
    if (!(permit instanceof GatewayError)) return { ...picked, permit };
    refusal ??= permit;
    candidates = candidates.filter(({ version }) => version !== picked.origin.version);
  }
}

/** What of the request has a say in the choice of its origin. */
export function preferenceOf({
  service,
  facts,
  params,
  route,
}: Pick<Call, "service" | "facts" | "params" | "route">): Preference {
  const { zones, hashOn } = service.config;
  return {
    zone: zones && zoneOfPlace(zones, facts),
    hashKey: hashOn.length > 0 ? keyOf(hashOn, facts, { params, route: route.name }) : null,
    // What is sent once more for a stale connection is best sent to the same origin, if that is the only good one.
    mayWiden: route.retries !== null,
  };
}

/** One service asked, with all its tries: a conductor, as `index.ts` and `serve.ts` are. The stages know nothing of each other. */
import { bounds } from "../bounds.ts";
import { breakerState, isProbe, isSensed, type Permit, recordCall } from "../clients/health.ts";
import { ended, started } from "../core/balancing/load.ts";
import { withoutVersion } from "../core/balancing/usable.ts";
import { zoneOfPlace } from "../core/balancing/zone.ts";
import type { RequestFacts } from "../core/facts.ts";
import type { Client } from "../core/forwarding/client.ts";
import { keyOf } from "../core/keys/keys.ts";
import { noteRequest, trySpendRetry } from "../core/retrying/budget.ts";
import { isRepeatable, isSafe } from "../core/retrying/classify.ts";
import { hedgeDelayMs } from "../core/retrying/latency.ts";
import type { RetryPolicy } from "../core/retrying/types.ts";
import { GatewayError } from "../errors.ts";
import type { Route, ServiceView, Snapshot } from "../snapshot/types.ts";
import type { OutgoingBody } from "../upstream/body.ts";
import { type Deadline, newDeadline } from "../upstream/deadline.ts";
import { countsInFlight, latenciesOf, loadOf, type ServiceLoad } from "../upstream/load.ts";
import { type Sending, sendUntilAnswered, type Tried } from "../upstream/retry.ts";
import { watched } from "../upstream/watch.ts";
import { forward, type Outgoing, sentHeaders, sentTarget } from "./forward.ts";
import { guard } from "./guard.ts";
import { type Picked, type Preference, pick } from "./pick.ts";
import type { Incoming } from "./read.ts";
import { record } from "./record.ts";
import type { Selected } from "./select.ts";
import { shed } from "./shed.ts";

/** A request, and the service that it is for. */
export interface Call {
  readonly incoming: Incoming;
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
export function outgoingOf({ incoming, client, requestId, route, selected, body }: Call): Outgoing {
  const { request, method, target, headers } = incoming;
  return {
    method,
    target: sentTarget(target, selected.rewrite),
    headers: sentHeaders(request, headers, client, requestId, selected.rewrite),
    body,
    deadline: newDeadline(route.requestTimeoutMs, true),
  };
}

/** Asks the service: lets the request in, then tries origins until one answers or there is no reason to go on. */
export async function exchange(call: Call, outgoing: Outgoing, env: Env, ctx: ExecutionContext): Promise<Exchanged> {
  const { route, service, snapshot } = call;
  const nowMs = Date.now();
  const load = loadOf(snapshot, service, nowMs);
  const tries = new Tries(call, outgoing, load, env, ctx);
  const asked = shed(env, ctx, service, load);
  const room = asked instanceof Promise ? await asked : asked;
  const { calls, by, leave } = room;
  // Who waited may have waited for nothing.
  const refusal = room.refusal ?? (asked instanceof Promise ? goneAway(call.incoming) : null);
  if (refusal !== null) {
    leave?.();
    return { result: refusal, picked: null, tries: 0, calls, shed: by, retry: null, breaker: null };
  }
  noteRequest(load.budget, nowMs);
  if (leave) tries.hold(leave);
  try {
    const sent = await sendUntilAnswered(tries);
    outgoing.deadline.stop();
    const isWatched = route.idleTimeoutMs > 0 || leave !== null;
    let { result } = sent;
    if (isWatched && result instanceof Response) {
      result = watched(result, { idleMs: route.idleTimeoutMs, ended: () => tries.release(leave) }, ctx);
    } else tries.release(leave);
    return {
      result,
      picked: tries.pickedOf(sent.origin),
      tries: tries.count,
      calls,
      shed: by,
      retry: sent.isBudgetSpent ? "spent" : null,
      breaker: isSensed(service) ? breakerState(service, tries.version, Date.now()) : null,
    };
  } catch (error) {
    tries.release(leave);
    throw error;
  }
}

/**
 * What becomes of a request whose client has gone: no origin is asked for it, and nobody gets this. null: it is still there.
 * To be asked after a wait, and not without one, as the first look at the signal costs a good part of a fetch.
 */
export function goneAway({ request }: Incoming): GatewayError | null {
  if (!request.signal.aborted) return null;
  return new GatewayError("upstream_unreachable", { reason: "the client has gone away" });
}

/** May an origin act on the request twice? */
export function isHarmlessTwice({ method, headers }: Incoming): boolean {
  return isRepeatable(method, headers.get("idempotency-key") !== null);
}

/** The tries of one request, and what they leave behind. A class, as it is made for every request. */
class Tries implements Sending {
  readonly policy: RetryPolicy | null;
  readonly hedgeAfterMs: number | null;
  readonly deadline: Deadline;
  readonly random = Math.random;
  /** How often the request was sent, tries that were given up included. */
  count = 0;
  /** Whose breaker was asked last; "" for origins without a version. */
  version: string;
  private readonly call: Call;
  private readonly outgoing: Outgoing;
  private readonly load: ServiceLoad;
  private readonly env: Env;
  private readonly ctx: ExecutionContext;
  private readonly preference: Preference;
  private readonly picks: Picked[] = [];
  /** What must be given back when the client goes away; null: nothing had to be yet. */
  private held: Set<() => void> | null = null;

  constructor(call: Call, outgoing: Outgoing, load: ServiceLoad, env: Env, ctx: ExecutionContext) {
    const { route, selected } = call;
    this.policy = route.retries;
    this.deadline = outgoing.deadline;
    this.version = selected.version ?? "";
    this.call = call;
    this.outgoing = outgoing;
    this.load = load;
    this.env = env;
    this.ctx = ctx;
    this.preference = preferenceOf(call);
    // A second try at the only origin would make it slower still.
    const mayHedge = route.hedging !== null && selected.candidates.length > 1 && this.isRepeatable();
    this.hedgeAfterMs = mayHedge ? hedgeDelayMs(route.hedging!, latenciesOf(load), Date.now()) : null;
  }

  isSafe(): boolean {
    const { method, request } = this.call.incoming;
    return isSafe(method) && (method === "GET" || method === "HEAD" || request.body === null);
  }

  isRepeatable(): boolean {
    const { incoming } = this.call;
    const bytesMax = this.policy?.bodyBytes ?? 0;
    return !incoming.request.signal.aborted && isHarmlessTwice(incoming) && this.outgoing.body.isRepeatable(bytesMax);
  }

  spend(): boolean {
    return trySpendRetry(this.load.budget, this.policy?.budget ?? bounds.hedgingBudget, Date.now());
  }

  uploaded(): Promise<unknown> {
    return this.outgoing.body.whole(this.policy?.bodyBytes ?? 0);
  }

  /** The last pick of the origin; null: it was not asked. */
  pickedOf(origin: string | null): Picked | null {
    return this.picks.findLast((picked) => picked.origin.id === origin) ?? null;
  }

  /**
   * Sees to it that `release` is called when the client goes away, unless it is released before. The request is then cut off
   * without a word: nothing that it awaits goes on, not even a `finally`, or else all of it does, when a report still waits in
   * its name. So the origin is let go here too. Only what others would miss is held, as to listen costs a good part of a fetch.
   */
  hold(release: () => void): void {
    if (this.held === null) {
      const held = new Set<() => void>();
      this.held = held;
      const giveBack = () => {
        for (const some of held) some();
        held.clear();
        this.deadline.abort(new Error("the client has gone away"));
      };
      this.call.incoming.request.signal.addEventListener("abort", giveBack, { once: true });
    }
    this.held.add(release);
  }

  /** Calls what is held, once; null is nothing. */
  release(release: (() => void) | null): void {
    if (release !== null && this.held?.delete(release)) release();
  }

  /** One try: pick, guard, forward, record. */
  async tryOnce(tried: Set<string>, cancel: AbortSignal | undefined): Promise<Tried> {
    const { call, load, env, ctx } = this;
    const { route, service } = call;
    const nowMs = Date.now();
    const chosen = (this.count > 0 && goneAway(call.incoming)) || this.choose(tried, nowMs);
    if (chosen instanceof GatewayError) return { result: chosen, origin: null, isLost: false };
    const { picked, permit } = chosen;
    const { origin } = picked;
    // All were asked: a new round begins, in which again each is asked once.
    if (tried.has(origin.id)) tried.clear();
    tried.add(origin.id);
    this.count++;
    this.picks.push(picked);
    const isCounted = countsInFlight(service);
    const turn = isCounted ? started(load.state, origin.id) : null;
    let giveBack: (() => void) | null = null;
    if (service.config.gradient !== null || (permit !== null && isProbe(permit))) {
      giveBack = () => {
        if (turn !== null) ended(load.state, origin.id, turn);
        if (permit) recordCall(env, ctx, service, permit, origin.id, "ignored", 0, Date.now());
      };
      this.hold(giveBack);
    }
    const { result, isLost, isClients, latencyMs, endedAtMs } = await forward(
      this.outgoing,
      origin,
      route.attemptTimeoutMs,
      cancel,
      nowMs,
    );
    // Already given back: the client has left, and something else has kept its request alive until now.
    if (giveBack !== null && !this.held!.delete(giveBack)) return { result, origin: origin.id, isLost: false };
    if (turn !== null) ended(load.state, origin.id, turn);
    const isIgnored = isClients || cancel?.aborted === true;
    record(route, { service, load, origin, permit, result, latencyMs, nowMs: endedAtMs, isIgnored }, env, ctx);
    return { result, origin: origin.id, isLost };
  }

  /** An origin whose version's breaker lets the request through. Where several versions may answer, each is asked. */
  private choose(tried: ReadonlySet<string>, nowMs: number): Chosen | GatewayError {
    const { service, selected } = this.call;
    let { candidates } = selected;
    for (let refusal: GatewayError | null = null; ; ) {
      const picked = pick(service, candidates, tried, this.preference, this.load, nowMs);
      if (picked instanceof GatewayError) return refusal ?? picked;
      if (!isSensed(service)) return { picked, permit: null };
      this.version = picked.origin.version ?? "";
      const permit = guard(this.env, this.ctx, service, picked.origin, nowMs);
      if (!(permit instanceof GatewayError)) return { picked, permit };
      refusal ??= permit;
      candidates = withoutVersion(candidates, picked.origin.version);
    }
  }
}

/** An origin that may be asked. `permit` null: the service has no breaker. */
interface Chosen {
  readonly picked: Picked;
  readonly permit: Permit | null;
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

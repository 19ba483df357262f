/** Stage: what the request is for its origins, and one try at one of them. */
import { bounds } from "../bounds.ts";
import type { Client } from "../core/forwarding/client.ts";
import { mendCookies } from "../core/forwarding/headers.ts";
import { applyHeaderEdits } from "../core/rewriting/headers.ts";
import { rewritePath } from "../core/rewriting/path.ts";
import { GatewayError } from "../errors.ts";
import type { HeaderSection } from "../header-section.ts";
import type { Origin, Rewrite } from "../snapshot/types.ts";
import type { Target } from "../target.ts";
import type { OutgoingBody } from "../upstream/body.ts";
import { type Deadline, newDeadline } from "../upstream/deadline.ts";
import { upstreamHeaders } from "../upstream/headers.ts";
import { isLostConnection } from "../upstream/lost.ts";

/** Highest status that a Response may have; some servers send more. */
const statusMax = 599;

/** Everything of a request that is the same for every origin of the service. */
export interface Outgoing {
  readonly method: string;
  /** Path and query, after rewriting. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: OutgoingBody;
  /** To the headers of the answer, all tries and waits included. */
  readonly deadline: Deadline;
}

/**
 * One try. `isLost`: the connection ended before any header. `isClients`: the client's body is to blame. `latencyMs`: time to
 * the headers, or to the failure, since the body was handed over; `endedAtMs`: when that was.
 */
export interface Forwarded {
  readonly result: Response | GatewayError;
  readonly isLost: boolean;
  readonly isClients: boolean;
  readonly latencyMs: number;
  readonly endedAtMs: number;
}

/** Path and query of a request to `target`, after rewriting. */
export function sentTarget({ path, query }: Target, rewrite: Rewrite): string {
  return (rewrite.path ? rewritePath(rewrite.path, path) : path) + query;
}

/** The header section that the origins receive; `incoming` is the same section as the request's own. */
export function sentHeaders(
  request: Request,
  incoming: HeaderSection,
  client: Client,
  requestId: string,
  rewrite: Rewrite,
): Headers {
  const headers = upstreamHeaders(request, incoming, client, requestId);
  if (rewrite.headers) applyHeaderEdits(rewrite.headers, headers);
  // After the edits, which may add a cookie.
  const cookie = rewrite.headers ? headers.get("cookie") : incoming.get("cookie");
  const mended = cookie && mendCookies(cookie);
  if (mended !== null && mended !== cookie) headers.set("cookie", mended);
  return headers;
}

/**
 * Sends the request to the origin, now at `beganMs`. `attemptMs`: time to the headers, 0 = that of the request; `cancel` gives
 * the try up.
 */
export async function forward(
  { method, target, headers, body, deadline }: Outgoing,
  origin: Origin,
  attemptMs: number,
  cancel: AbortSignal | undefined,
  beganMs: number,
): Promise<Forwarded> {
  // A client that breaks off ends the request, an origin that takes nothing only this try.
  const fetching = { abort: (reason: Error) => deadline.abort(reason), expire: () => clock.expire() };
  const sending = body.open(fetching);
  const clock = newDeadline(attemptMs, sending !== null);
  let sinceMs = beganMs;
  const start = (nowMs: number) => {
    sinceMs = nowMs;
    deadline.start(nowMs);
    clock.start(nowMs);
  };
  // A client that uploads slowly is no failure of the origin: the clocks wait for the body.
  if (sending) void sending.handedOver.then(() => start(Date.now()));
  else start(beganMs);
  const init = {
    method,
    headers,
    body: sending === null ? null : sending.stream,
    signal: signalOf(deadline, clock, cancel),
    // They are the client's business.
    redirect: "manual" as const,
  };
  let failure: unknown;
  try {
    const response = await fetch(origin.url + target, init);
    clock.stop();
    const endedAtMs = Date.now();
    const result = validated(response);
    return { result, isLost: false, isClients: false, latencyMs: endedAtMs - sinceMs, endedAtMs };
  } catch (error) {
    failure = error;
  }
  clock.stop();
  const endedAtMs = Date.now();
  const isLost = isLostConnection(failure) && !deadline.expired && !clock.expired;
  // An origin may grow tired of a request that does not get whole; that is the client's doing.
  const isTired = isLost && !body.isReceived && endedAtMs - beganMs > bounds.uploadPatienceMs;
  const isClients = body.failure !== null || isTired;
  return {
    result: failureOf(body, deadline, clock, `origin ${origin.id}: ${failure}`),
    isLost,
    isClients,
    latencyMs: endedAtMs - sinceMs,
    endedAtMs,
  };
}

/** Ends when one of them does; null: nothing ends it. */
function signalOf(deadline: Deadline, clock: Deadline, cancel: AbortSignal | undefined): AbortSignal | null {
  // The commonest, without a list.
  if (clock.signal === undefined && cancel === undefined) return deadline.signal ?? null;
  return AbortSignal.any([deadline.signal, clock.signal, cancel].filter((signal) => signal !== undefined));
}

const brokenOff = "The request's body broke off before its end, or is not framed as HTTP has it.";

function failureOf(body: OutgoingBody, deadline: Deadline, clock: Deadline, reason: string): GatewayError {
  if (body.failure === "too_large") return new GatewayError("payload_too_large");
  if (body.failure === "idle") return new GatewayError("upload_idle");
  if (body.failure === "client") return new GatewayError("invalid_request", { detail: brokenOff, reason });
  if (deadline.expired) return new GatewayError("request_timeout", { reason });
  return new GatewayError(clock.expired ? "upstream_timeout" : "upstream_unreachable", { reason });
}

function validated(response: Response): Response | GatewayError {
  // The runtime takes a 101 for an answer even where no WebSocket was asked for.
  const switchesUnasked = response.status === 101 && response.webSocket === null;
  if (response.status <= statusMax && !switchesUnasked) return response;
  void response.body?.cancel().catch(() => {});
  return new GatewayError("upstream_invalid_response", {
    detail: `The origin answered with the status ${response.status}, which HTTP does not have here.`,
  });
}

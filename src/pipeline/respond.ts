/** Stage: what the client gets. An origin's answer is changed in nothing, if nothing asks for it. */
import { serializeDictionary, serializeList } from "structured-headers";
import { corsResponseHeaderNames, responseHeaders } from "../core/cors/cors.ts";
import { isForged } from "../core/forwarding/headers.ts";
import { type LimitReport, limitField, policyFields } from "../core/limiting/fields.ts";
import { applyHeaderEdits } from "../core/rewriting/headers.ts";
import { type ErrorCode, GatewayError } from "../errors.ts";
import { errorResponse } from "../respond.ts";
import type { Route, VersionNotice } from "../snapshot/types.ts";

/** How the request was decided, for `sluice-decision` (an RFC 9651 dictionary). Absent members were not decided. */
export interface Decision {
  route?: string;
  service?: string;
  version?: string;
  reason?: string;
  /** Of rate limits: `ok`, `denied`, `shadow` or `degraded`. */
  limit?: string;
  /** Injected: `delay` or `abort`. */
  fault?: string;
  origin?: string;
  /** `panic`: so few origins are good that the bad ones are used too. */
  pick?: string;
  tries?: number;
  /** `spent`: a retry was due, but not in the budget. */
  retry?: string;
  /** State of the breaker of the origin's version, after the request; absent when nothing watches the service. */
  breaker?: string;
  /** What refused the request with `overloaded`: `throttle`, `gradient` or `concurrency`. */
  shed?: string;
  /** The service that answered instead of `service`, or `static`. */
  fallback?: string;
  /** Durable Object calls that the request waited for. */
  calls: number;
  /** The configuration's. */
  revision: number;
  /** Age of the snapshot in milliseconds: since the control plane last confirmed it. */
  age: number;
}

/** What may ask for a change. */
export interface Finishing {
  readonly route: Route | null;
  readonly notice: VersionNotice | undefined;
  /** The request's Origin header. */
  readonly requestOrigin: string | null;
  /** Set when answers carry it. */
  readonly requestId: string | null;
  /** Set when answers carry it. */
  readonly decision: Decision | null;
  /** Limits that the request was subject to. */
  readonly limits: readonly LimitReport[];
  /** The failure for which a fallback answers. */
  readonly fallbackFor?: GatewayError;
}

/**
 * The origin's response. The object itself is passed on if it needs no change: so its body is never looked at, and bytes,
 * encoding and framing stay what they were.
 */
export function finishUpstream(response: Response, finishing: Finishing): Response {
  const forged = [...response.headers.keys()].filter(isForged);
  const { route, notice, requestId, decision, limits, fallbackFor } = finishing;
  const asks = route?.response ?? route?.cors ?? notice ?? requestId ?? decision ?? fallbackFor;
  if (forged.length === 0 && !asks && limits.every(({ headers }) => headers === "none")) return response;
  const headers = new Headers(response.headers);
  for (const name of forged) headers.delete(name);
  if (route?.cors) for (const name of corsResponseHeaderNames) headers.delete(name);
  addOwn(headers, finishing, true);
  return rewrapped(response, headers);
}

/** A refusal before anything was decided. `cause` is for the log. */
export function refusal(code: ErrorCode, requestId: string, cause?: unknown): Response {
  const reason = cause instanceof Error ? String(cause.stack) : undefined;
  return errorResponse(new GatewayError(code, reason === undefined ? {} : { reason }), requestId);
}

/** A refusal by a stage. */
export function finishRefusal(error: GatewayError, requestId: string, finishing: Finishing): Response {
  const response = errorResponse(error, requestId);
  addOwn(response.headers, finishing, false);
  return response;
}

/** A redirect, a preflight's answer or a static fallback. */
export function finishOwn(response: Response, finishing: Finishing): Response {
  addOwn(response.headers, finishing, true);
  return response;
}

function addOwn(headers: Headers, finishing: Finishing, isAnswer: boolean): void {
  const { route, notice, requestOrigin, requestId, decision, limits, fallbackFor } = finishing;
  if (fallbackFor) {
    headers.set("sluice-error", fallbackFor.code);
    headers.set("sluice-fallback", "?1");
  }
  if (limits.length > 0) addLimits(headers, limits);
  if (route?.cors) for (const [name, value] of responseHeaders(route.cors, requestOrigin)) headers.append(name, value);
  if (notice?.deprecation) headers.set("deprecation", notice.deprecation);
  if (notice?.sunset) headers.set("sunset", notice.sunset);
  if (requestId) headers.set("x-request-id", requestId);
  if (decision) headers.set("sluice-decision", serializeDictionary(membersOf(decision)));
  // Last, and not on errors: those are the gateway's.
  if (isAnswer && route?.response) applyHeaderEdits(route.response, headers);
}

/** `RateLimit` and its policy (draft-ietf-httpapi-ratelimit-headers), or the older three of the tightest legacy limit. */
function addLimits(headers: Headers, limits: readonly LimitReport[]): void {
  const draft = limits.filter((report) => report.headers === "draft");
  if (draft.length > 0) {
    const policies = draft.flatMap(policyFields).map(({ name, q, w }) =>
      item(name, [
        ["q", q],
        ["w", w],
      ]),
    );
    headers.set("ratelimit-policy", serializeList(policies));
    headers.set(
      "ratelimit",
      serializeList(
        draft.map(limitField).map(({ name, r, t }) =>
          item(name, [
            ["r", r],
            ["t", t],
          ]),
        ),
      ),
    );
  }
  const [legacy] = limits
    .filter((report) => report.headers === "legacy")
    .sort((a, b) => a.standing.remaining - b.standing.remaining);
  if (!legacy) return;
  const [policy] = policyFields(legacy);
  const { r, t } = limitField(legacy);
  headers.set("x-ratelimit-limit", String(policy?.q));
  headers.set("x-ratelimit-remaining", String(r));
  headers.set("x-ratelimit-reset", String(t));
}

function item(name: string, parameters: [string, number][]): [string, Map<string, number>] {
  return [name, new Map(parameters)];
}

/** In the order in which a request is decided; what is not here comes last. */
const memberOrder: readonly (keyof Decision)[] = [
  ...(["route", "service", "limit", "fault", "version", "reason", "origin"] as const),
  ...(["pick", "tries", "retry", "breaker", "shed", "fallback"] as const),
];

function membersOf(decision: Decision): Record<string, string | number> {
  const names = new Set([...memberOrder, ...(Object.keys(decision) as (keyof Decision)[])]);
  return Object.fromEntries(
    [...names].flatMap((name) => (decision[name] === undefined ? [] : [[name, decision[name]]])),
  );
}

/**
 * The same answer with other headers. A body that is only passed on keeps its bytes, as long as its encoding is the one
 * that the headers name; `encodeBody: "manual"` would have it decoded.
 */
function rewrapped(response: Response, headers: Headers): Response {
  const { status, statusText, webSocket, body } = response;
  if (webSocket) return new Response(null, { status, statusText, headers, webSocket });
  return new Response(body, { status, statusText, headers });
}

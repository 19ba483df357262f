/** Stage: what the client gets. An origin's answer is changed in nothing, if nothing asks for it. */
import { serializeDictionary, serializeItem, serializeList } from "structured-headers";
import { corsResponseHeaderNames, responseHeaders } from "../core/cors/cors.ts";
import { isForged } from "../core/forwarding/headers.ts";
import { type LimitReport, limitField, policyFields } from "../core/limiting/fields.ts";
import { applyHeaderEdits } from "../core/rewriting/headers.ts";
import { type ErrorCode, GatewayError } from "../errors.ts";
import { errorResponse } from "../respond.ts";
import type { Route, Snapshot, VersionNotice } from "../snapshot/types.ts";

/** How the request was decided, for `sluice-decision` (an RFC 9651 dictionary). Members that are undefined were not decided. */
export interface Decision {
  route: string | undefined;
  service: string | undefined;
  version: string | undefined;
  reason: string | undefined;
  /** Of rate limits: `ok`, `denied`, `shadow` or `degraded`. */
  limit: string | undefined;
  /** Injected: `delay` or `abort`. */
  fault: string | undefined;
  origin: string | undefined;
  /** `panic`: so few origins are good that the bad ones are used too. */
  pick: string | undefined;
  tries: number | undefined;
  /** `spent`: a retry was due, but not in the budget. */
  retry: string | undefined;
  /** State of the breaker of the origin's version, after the request; absent when nothing watches the service. */
  breaker: string | undefined;
  /** What refused the request with `overloaded`: `throttle`, `gradient` or `concurrency`. */
  shed: string | undefined;
  /** The service that answered instead of `service`, or `static`. */
  fallback: string | undefined;
  /** Durable Object calls that the request waited for. */
  calls: number;
  /** The configuration's. */
  revision: number;
  /** Age of the snapshot in milliseconds: since the control plane last confirmed it. */
  age: number;
}

/** A decision of which nothing is decided yet. Its members stand in the order in which a request is decided. */
export function newDecision(calls: number, revision: number, age: number): Decision {
  return {
    route: undefined,
    service: undefined,
    limit: undefined,
    fault: undefined,
    version: undefined,
    reason: undefined,
    origin: undefined,
    pick: undefined,
    tries: undefined,
    retry: undefined,
    breaker: undefined,
    shed: undefined,
    fallback: undefined,
    calls,
    revision,
    age,
  };
}

/** What may ask for a change. One object a request, to which is added what comes to be known. */
export interface Finishing {
  route: Route | null;
  notice: VersionNotice | undefined;
  /** The request's Origin header. */
  readonly requestOrigin: string | null;
  /** Set when answers carry it. */
  readonly requestId: string | null;
  /** Set when answers carry it. */
  readonly decision: Decision | null;
  /** Limits that the request was subject to. */
  limits: readonly LimitReport[];
  /** The failure for which a fallback answers; null: none does. */
  fallbackFor: GatewayError | null;
}

/** What asks for a change before anything is decided. Answers carry id and decision as the configuration says. */
export function newFinishing(
  { echoRequestId, debugHeaders }: Snapshot["config"]["gateway"],
  requestOrigin: string | null,
  requestId: string,
  decision: Decision,
): Finishing {
  return {
    route: null,
    notice: undefined,
    requestOrigin,
    requestId: echoRequestId || debugHeaders ? requestId : null,
    decision: debugHeaders ? decision : null,
    limits: [],
    fallbackFor: null,
  };
}

/**
 * The origin's response. The object itself is passed on if it needs no change: so its body is never looked at, and bytes,
 * encoding and framing stay what they were.
 */
export function finishUpstream(response: Response, finishing: Finishing): Response {
  const forged = forgedIn(response.headers);
  const { route, notice, requestId, decision, limits, fallbackFor } = finishing;
  const asks = route?.response ?? route?.cors ?? notice ?? requestId ?? decision ?? fallbackFor;
  if (forged === null && !asks && limits.every(({ headers }) => headers === "none")) return response;
  // A body that is only passed on keeps its bytes, as long as its encoding is the one that the headers name.
  const answer = response.status === 101 ? upgraded(response) : new Response(response.body, response);
  const { headers } = answer;
  if (forged !== null) for (const name of forged) headers.delete(name);
  if (route?.cors) for (const name of corsResponseHeaderNames) headers.delete(name);
  addOwn(headers, finishing, true);
  return answer;
}

function upgraded({ status, statusText, headers, webSocket }: Response): Response {
  return new Response(null, { status, statusText, headers, webSocket });
}

/** Names of headers that an origin must not send; null: there are none, as ever. */
function forgedIn(headers: Headers): string[] | null {
  let forged: string[] | null = null;
  // An iterator costs twice as much.
  headers.forEach((_, name) => {
    if (!isForged(name)) return;
    forged ??= [];
    forged.push(name);
  });
  return forged;
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
  let [policies, standings] = ["", ""];
  let legacy: LimitReport | null = null;
  for (const report of limits) {
    if (report.headers === "draft") {
      const names = namesOf(report);
      const { window, r, t } = limitField(report);
      policies += `${policies && ", "}${names.policies}`;
      standings += `${standings && ", "}${names.windows[window]};r=${r};t=${t}`;
    } else if (report.headers === "legacy") {
      const isTighter = legacy === null || report.standing.remaining < legacy.standing.remaining;
      if (isTighter) legacy = report;
    }
  }
  if (policies !== "") {
    headers.set("ratelimit-policy", policies);
    headers.set("ratelimit", standings);
  }
  if (legacy === null) return;
  const [policy] = policyFields(legacy);
  const { r, t } = limitField(legacy);
  headers.set("x-ratelimit-limit", String(policy?.q));
  headers.set("x-ratelimit-remaining", String(r));
  headers.set("x-ratelimit-reset", String(t));
}

/** What is the same for all requests of a limit: its policies, and the names of its windows, as RFC 9651 writes them. */
interface FieldTexts {
  readonly policies: string;
  readonly windows: readonly string[];
}

/** By a policy's windows, which a name belongs to: to serialize costs more than all the rest of a limit. */
const texts = new WeakMap<LimitReport["windows"], FieldTexts & { readonly name: string }>();

function namesOf(report: LimitReport): FieldTexts {
  const known = texts.get(report.windows);
  if (known?.name === report.name) return known;
  const fields = policyFields(report);
  const made = {
    name: report.name,
    policies: serializeList(
      fields.map(({ name, q, w }) => [
        name,
        new Map([
          ["q", q],
          ["w", w],
        ]),
      ]),
    ),
    windows: fields.map(({ name }) => serializeItem([name, new Map()])),
  };
  texts.set(report.windows, made);
  return made;
}

function membersOf(decision: Decision): Record<string, string | number> {
  return Object.fromEntries(Object.entries(decision).filter(([, value]) => value !== undefined));
}

/** Stage: what the client gets. An origin's answer is changed in nothing, if nothing asks for it. */
import { serializeDictionary } from "structured-headers";
import { corsResponseHeaderNames, responseHeaders } from "../core/cors/cors.ts";
import { isForged } from "../core/forwarding/headers.ts";
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
  origin?: string;
  tries?: number;
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
}

/**
 * The origin's response. The object itself is passed on if it needs no change: so its body is never looked at, and bytes,
 * encoding and framing stay what they were.
 */
export function finishUpstream(response: Response, finishing: Finishing): Response {
  const forged = [...response.headers.keys()].filter(isForged);
  const { route, notice, requestId, decision } = finishing;
  if (forged.length === 0 && !route?.response && !route?.cors && !notice && !requestId && !decision) return response;
  const headers = new Headers(response.headers);
  for (const name of forged) headers.delete(name);
  if (route?.cors) for (const name of corsResponseHeaderNames) headers.delete(name);
  addOwn(headers, finishing);
  if (route?.response) applyHeaderEdits(route.response, headers);
  return rewrapped(response, headers);
}

/** A refusal before anything was decided. `cause` is for the log. */
export function refusal(code: ErrorCode, requestId: string, cause?: unknown): Response {
  const reason = cause instanceof Error ? String(cause.stack) : undefined;
  return errorResponse(new GatewayError(code, reason === undefined ? {} : { reason }), requestId);
}

/** A refusal by a stage. */
export function finishRefusal(error: GatewayError, requestId: string, finishing: Finishing): Response {
  return finishOwn(errorResponse(error, requestId), finishing);
}

/** An answer that the gateway made itself. */
export function finishOwn(response: Response, finishing: Finishing): Response {
  addOwn(response.headers, finishing);
  return response;
}

function addOwn(headers: Headers, { route, notice, requestOrigin, requestId, decision }: Finishing): void {
  if (route?.cors) for (const [name, value] of responseHeaders(route.cors, requestOrigin)) headers.append(name, value);
  if (notice?.deprecation) headers.set("deprecation", notice.deprecation);
  if (notice?.sunset) headers.set("sunset", notice.sunset);
  if (requestId) headers.set("x-request-id", requestId);
  if (decision) headers.set("sluice-decision", serializeDictionary(membersOf(decision)));
}

/** In the order in which the request was decided. */
function membersOf(decision: Decision): Record<string, string | number> {
  const { route, service, version, reason, origin, tries, calls, revision, age } = decision;
  const members = { route, service, version, reason, origin, tries, calls, revision, age };
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
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

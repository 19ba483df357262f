/** Renders the answers that the gateway makes itself. */
import { type ErrorCode, errorKinds, type GatewayError, problemOf } from "./errors.ts";

/** By code, with its own status: what never changes is written once. */
const templates = new Map<ErrorCode, Response>();

/** An error as the client sees it: problem+json, with its code in `sluice-error` and the request's id. */
export function errorResponse(error: GatewayError, requestId: string): Response {
  const template = templateOf(error);
  if (template.status >= 500 && error.extras.reason) {
    console.error(JSON.stringify({ requestId, code: error.code, reason: error.extras.reason }));
  }
  // Another response's headers are taken over in one go (bench: denied); its own would be written one by one.
  const response = new Response(JSON.stringify(problemOf(error, requestId)), template);
  const { headers } = response;
  headers.append("x-request-id", requestId);
  const { headers: more } = error.extras;
  for (const name in more) headers.append(name, more[name]!);
  return response;
}

/** Status and fixed headers of an error. */
function templateOf({ code, extras }: GatewayError): Response {
  if (extras.status !== undefined) return newTemplate(code, extras.status);
  const known = templates.get(code);
  if (known !== undefined) return known;
  const template = newTemplate(code, errorKinds[code].status);
  templates.set(code, template);
  return template;
}

function newTemplate(code: ErrorCode, status: number): Response {
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store", "sluice-error": code };
  return new Response(null, { status, headers });
}

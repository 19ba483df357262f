/** Renders the answers that the gateway makes itself. */
import { errorKinds, type GatewayError, problemOf } from "./errors.ts";

/** An error as the client sees it: problem+json, with its code in `sluice-error` and the request's id. */
export function errorResponse(error: GatewayError, requestId: string): Response {
  const status = error.extras.status ?? errorKinds[error.code].status;
  if (status >= 500 && error.extras.reason) {
    console.error(JSON.stringify({ requestId, code: error.code, reason: error.extras.reason }));
  }
  return new Response(JSON.stringify(problemOf(error, requestId)), {
    status,
    headers: {
      ...error.extras.headers,
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "sluice-error": error.code,
      "x-request-id": requestId,
    },
  });
}

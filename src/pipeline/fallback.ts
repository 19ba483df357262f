/** Stage: who answers when the gateway would have to with a failure of its own. */
import type { ErrorCode, GatewayError } from "../errors.ts";
import type { Fallback } from "../snapshot/types.ts";

/** Failures that a fallback answers for. What an origin answered is its answer. */
const codes: ReadonlySet<ErrorCode> = new Set([
  "circuit_open",
  "no_origin",
  "overloaded",
  "upstream_unreachable",
  "upstream_timeout",
  "upstream_invalid_response",
  "request_timeout",
]);

/** Has the route a fallback, and does it answer for this failure? */
export function hasFallback(fallback: Fallback | null, { code }: GatewayError): fallback is Fallback {
  return fallback !== null && codes.has(code);
}

/** The answer that the document has in store. */
export function staticAnswer({ status, headers, body }: Extract<Fallback, { kind: "static" }>): Response {
  const answer = new Headers();
  for (const [name, value] of headers) answer.append(name, value);
  return new Response(body, { status, headers: answer });
}

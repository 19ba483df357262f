/** Stage: the request to one origin, and its answer or the reason why there is none. */
import { ended, started } from "../core/balancing/load.ts";
import type { Client } from "../core/forwarding/client.ts";
import { mendCookies } from "../core/forwarding/headers.ts";
import { applyHeaderEdits } from "../core/rewriting/headers.ts";
import { rewritePath } from "../core/rewriting/path.ts";
import { GatewayError } from "../errors.ts";
import type { Origin, Rewrite } from "../snapshot/types.ts";
import { outgoingBody } from "../upstream/body.ts";
import { newDeadline } from "../upstream/deadline.ts";
import { upstreamHeaders } from "../upstream/headers.ts";
import type { ServiceLoad } from "../upstream/load.ts";
import { send } from "../upstream/retry.ts";

/** Highest status that a Response may have; some servers send more. */
const statusMax = 599;

/** What the forwarding needs beside the request itself. */
export interface Forwarding {
  readonly url: URL;
  readonly client: Client;
  readonly requestId: string;
  readonly origin: Origin;
  /** The request counts in it until the response's headers. */
  readonly load: ServiceLoad;
  readonly rewrite: Rewrite;
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
}

/** The origin's response, untouched, or the error that the client gets; and how often the request was sent. */
export interface Forwarded {
  readonly result: Response | GatewayError;
  readonly tries: number;
}

export async function forward(request: Request, forwarding: Forwarding): Promise<Forwarded> {
  const { origin, load, rewrite, url, timeoutMs } = forwarding;
  const deadline = newDeadline(timeoutMs, request.body !== null);
  const body = outgoingBody(request, forwarding.maxBodyBytes, deadline.abort);
  if (!body) return { result: new GatewayError("payload_too_large"), tries: 0 };
  const headers = upstreamHeaders(request, forwarding.client, forwarding.requestId);
  if (rewrite.headers) applyHeaderEdits(rewrite.headers, headers);
  // After the edits, which may add a cookie.
  const cookie = headers.get("cookie");
  if (cookie !== null) headers.set("cookie", mendCookies(cookie));
  const path = rewrite.path ? rewritePath(rewrite.path, url.pathname) : url.pathname;
  // A client that uploads slowly is no failure of the origin: the clock waits for the body.
  if (body.stream) void body.handedOver.then(() => deadline.start());
  else deadline.start();
  const init = {
    method: request.method,
    headers,
    body: body.stream,
    ...(deadline.signal && { signal: deadline.signal }),
  };
  started(load.state, origin.id);
  const { outcome, tries } = await send(origin.url + path + queryOf(url), init);
  ended(load.state, origin.id);
  deadline.stop();
  if (outcome.kind === "response") return { result: validated(outcome.response), tries };
  if (body.tooLarge) return { result: new GatewayError("payload_too_large"), tries };
  const code = deadline.expired ? "request_timeout" : "upstream_unreachable";
  return { result: new GatewayError(code, { reason: `origin ${origin.id}: ${outcome.reason}` }), tries };
}

/** The query with its "?", also when nothing follows it: `search` does not tell `/a?` from `/a`. */
function queryOf({ search, href }: URL): string {
  return search === "" && href.endsWith("?") ? "?" : search;
}

function validated(response: Response): Response | GatewayError {
  // The runtime takes a 101 for an answer even where no WebSocket was asked for.
  const switchesUnasked = response.status === 101 && response.webSocket === null;
  if (response.status <= statusMax && !switchesUnasked) return response;
  void response.body?.cancel();
  return new GatewayError("upstream_invalid_response", {
    detail: `The origin answered with the status ${response.status}, which HTTP does not have here.`,
  });
}

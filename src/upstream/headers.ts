/** The header section that an origin receives. */

import type { Client } from "../core/forwarding/client.ts";
import { isWithheld, viaWith } from "../core/forwarding/headers.ts";
import type { HeaderSection } from "../header-section.ts";

/**
 * A copy of the request's headers without what must not cross, with what the gateway says of the request. `incoming` is the
 * same section as the request's own.
 */
export function upstreamHeaders(
  { method, headers: copied }: Request,
  incoming: HeaderSection,
  client: Client,
  requestId: string,
): Headers {
  const headers = new Headers(copied);
  for (const name of incoming.names) if (isWithheld(name)) headers.delete(name);
  // The runtime performs the handshake of a WebSocket itself (RFC 6455 4.1: a GET); it only needs to be told.
  if (method === "GET" && incoming.get("upgrade")?.toLowerCase() === "websocket") headers.set("upgrade", "websocket");
  headers.set("x-request-id", requestId);
  if (client.forwardedFor !== null) headers.set("x-forwarded-for", client.forwardedFor);
  headers.set("x-forwarded-proto", client.proto);
  headers.set("x-forwarded-host", client.host);
  headers.set("via", viaWith(incoming.get("via")));
  return headers;
}

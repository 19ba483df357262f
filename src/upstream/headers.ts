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
  const via = incoming.get("via");
  if (via !== null) headers.delete("via");
  if (incoming.get("x-request-id") !== null) headers.delete("x-request-id");
  // Of these there is none any more; to add one costs less than to set it.
  headers.append("via", viaWith(via));
  headers.append("x-request-id", requestId);
  if (client.forwardedFor !== null) headers.append("x-forwarded-for", client.forwardedFor);
  headers.append("x-forwarded-proto", client.proto);
  headers.append("x-forwarded-host", client.host);
  return headers;
}

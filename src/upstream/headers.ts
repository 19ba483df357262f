/** The header section that an origin receives. */
import type { Client } from "../core/forwarding/client.ts";
import { isWithheld, mendCookies, viaWith } from "../core/forwarding/headers.ts";

/** A copy of the request's headers without what must not cross, with what the gateway says of the request. */
export function upstreamHeaders(incoming: Headers, client: Client, requestId: string): Headers {
  const headers = new Headers(incoming);
  for (const name of incoming.keys()) if (isWithheld(name)) headers.delete(name);
  // The runtime performs the handshake itself; it only needs to be told that there is one.
  if (isWebSocket(incoming)) headers.set("upgrade", "websocket");
  const cookie = headers.get("cookie");
  if (cookie !== null) headers.set("cookie", mendCookies(cookie));
  headers.set("x-request-id", requestId);
  if (client.forwardedFor !== null) headers.set("x-forwarded-for", client.forwardedFor);
  headers.set("x-forwarded-proto", client.proto);
  headers.set("x-forwarded-host", client.host);
  headers.set("via", viaWith(incoming.get("via")));
  return headers;
}

/** Does the client ask for a WebSocket (RFC 6455 4.1)? */
export function isWebSocket(headers: Headers): boolean {
  return headers.get("upgrade")?.toLowerCase() === "websocket";
}

/** The header section that an origin receives. */
import type { Client } from "../core/forwarding/client.ts";
import { isWithheld, viaWith } from "../core/forwarding/headers.ts";

/** A copy of the request's headers without what must not cross, with what the gateway says of the request. */
export function upstreamHeaders({ method, headers: incoming }: Request, client: Client, requestId: string): Headers {
  const headers = new Headers(incoming);
  for (const name of incoming.keys()) if (isWithheld(name)) headers.delete(name);
  // The runtime performs the handshake of a WebSocket itself (RFC 6455 4.1: a GET); it only needs to be told.
  if (method === "GET" && incoming.get("upgrade")?.toLowerCase() === "websocket") headers.set("upgrade", "websocket");
  headers.set("x-request-id", requestId);
  if (client.forwardedFor !== null) headers.set("x-forwarded-for", client.forwardedFor);
  headers.set("x-forwarded-proto", client.proto);
  headers.set("x-forwarded-host", client.host);
  headers.set("via", viaWith(incoming.get("via")));
  return headers;
}

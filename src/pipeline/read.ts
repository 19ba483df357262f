/** Stage: a raw request -> its id, its client, and what the decisions may know of it. */
import { bounds } from "../bounds.ts";
import type { RequestFacts } from "../core/facts.ts";
import { type Client, clientOf } from "../core/forwarding/client.ts";
import { cookieOf, isDistrusted, isRequestId, passesOf } from "../core/forwarding/headers.ts";
import { normalizeHost } from "../core/routing/host.ts";
import { GatewayError } from "../errors.ts";

/** A request that may be decided on. */
export interface Read {
  readonly client: Client;
  readonly facts: RequestFacts;
}

/** The client's `x-request-id` if it is harmless, else a new one. */
export function requestIdOf(request: Request): string {
  const given = request.headers.get("x-request-id");
  return isRequestId(given) ? given : crypto.randomUUID();
}

/** Reads a request to `url` that came through `trustedProxyHops` proxies; `loop_detected` if it passed us too often. */
export function read(request: Request, url: URL, trustedProxyHops: number): Read | GatewayError {
  const { headers, cf } = request;
  if (passesOf(headers.get("via")) > bounds.loopPassesMax) return new GatewayError("loop_detected");
  const client = clientOf(
    {
      peer: headers.get("cf-connecting-ip"),
      proto: url.protocol.slice(0, -1),
      host: url.host,
      forwardedFor: headers.get("x-forwarded-for"),
      forwardedProto: headers.get("x-forwarded-proto"),
      forwardedHost: headers.get("x-forwarded-host"),
    },
    trustedProxyHops,
  );
  const place = (name: string) => {
    const value = cf?.[name];
    return typeof value === "string" ? value : null;
  };
  // What the gateway itself would say to the origin.
  const vouched: Readonly<Record<string, string | null>> = {
    "x-forwarded-for": client.forwardedFor,
    "x-forwarded-proto": client.proto,
    "x-forwarded-host": client.host,
  };
  const facts: RequestFacts = {
    method: request.method,
    host: normalizeHost(url.host),
    path: url.pathname,
    header: (name) => (isDistrusted(name) ? (vouched[name] ?? null) : headers.get(name)),
    query: (name) => url.searchParams.get(name),
    cookie: (name) => cookieOf(headers.get("cookie"), name),
    clientIp: client.ip,
    continent: place("continent"),
    country: place("country"),
    region: place("regionCode"),
    colo: place("colo"),
  };
  return { client, facts };
}

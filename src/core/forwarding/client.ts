/**
 * Who the client is, and what the gateway may believe of what stands before it.
 *
 * `X-Forwarded-*` grow to the right: the last entry was written by the proxy nearest to us. With n trusted proxies the
 * n-th entry from the right is the first that a proxy of ours wrote, so it is the client; everything to its left is hearsay.
 */

import { canonicalAddress } from "./address.ts";

/** What the gateway knows of the client and says to the origin. */
export interface Client {
  /** Address of the client in its one spelling; null when neither the platform nor a trusted proxy gave one. */
  readonly ip: string | null;
  /** `x-forwarded-for` for the origin: the trusted entries and the peer; null when there is nothing to say. */
  readonly forwardedFor: string | null;
  /** `x-forwarded-proto` for the origin. */
  readonly proto: string;
  /** `x-forwarded-host` for the origin. */
  readonly host: string;
}

/** What came in. `proto` and `host` are the request's own; the other three are header values as received. */
export interface Incoming {
  readonly peer: string | null;
  readonly proto: string;
  readonly host: string;
  readonly forwardedFor: string | null;
  readonly forwardedProto: string | null;
  readonly forwardedHost: string | null;
}

/** The client of a request that came through `trustedHops` proxies of ours; 0 = the peer is the client. */
export function clientOf(incoming: Incoming, trustedHops: number): Client {
  const { peer, proto, host } = incoming;
  if (trustedHops === 0) return { ip: addressOf(peer), forwardedFor: peer, proto, host };
  const trusted = entriesOf(incoming.forwardedFor).slice(-trustedHops);
  return {
    ip: addressOf(trusted[0] ?? peer),
    forwardedFor: [...trusted, ...(peer === null ? [] : [peer])].join(", ") || null,
    proto: entriesOf(incoming.forwardedProto).slice(-trustedHops)[0] ?? proto,
    host: entriesOf(incoming.forwardedHost).slice(-trustedHops)[0] ?? host,
  };
}

const addressOf = (text: string | null): string | null => text && canonicalAddress(text);

function entriesOf(list: string | null): string[] {
  if (list === null) return [];
  return list
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

/**
 * Which URLs an origin may register under: the gateway will send traffic there, so a registrant must not be able to
 * point it at loopback, at a private network or at a metadata service (server-side request forgery).
 *
 * The WHATWG URL parser first brings every spelling of an address to one form: `2130706433`, `0x7f.1` and `017700000001`
 * are `127.0.0.1` after it, as are full-width digits. Names are judged by their spelling only: what they resolve to can
 * change after any check, so an egress that must be closed to private addresses needs `allowedHosts`.
 */
import ipaddr from "ipaddr.js";
import { bounds } from "../bounds.ts";

/** What the service and the deployment allow. */
export interface OriginUrlRules {
  /** Exact hosts or `*.suffix` (any number of labels, never the bare suffix), ports aside. Left out: every host. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Allows private addresses and names. `allowedHosts` does not: an allowed host must also be public. */
  readonly allowPrivate: boolean;
}

/** `url`: normalised, without one final "/". `detail`: a sentence for the registrant. */
export type OriginUrlResult =
  | { readonly ok: true; readonly url: string }
  | { readonly ok: false; readonly detail: string };

/** Names that only a private network resolves (RFC 6761, 6762, 8375), and those of cloud metadata services. */
const privateSuffixes = ["localhost", "localdomain", "local", "internal", "home.arpa"];

/** Global unicast is 2000::/3 (RFC 4291, 2.4). Outside it are, among others, the IPv4-compatible addresses `::a.b.c.d`. */
const globalUnicast = ipaddr.IPv6.parse("2000::");

/**
 * Only ordinary unicast is public. What embeds an IPv4 address (mapped, NAT64, 6to4, Teredo) is refused whatever it
 * embeds: a public origin has an address of its own.
 */
function isPublicAddress(text: string): boolean {
  const address = ipaddr.parse(text);
  if (address.range() !== "unicast") return false;
  return address instanceof ipaddr.IPv4 || address.match(globalUnicast, 3);
}

/** A name of one label is resolved by search domains, so it is private too. */
function isPublicName(host: string): boolean {
  return host.includes(".") && !privateSuffixes.some((suffix) => host === suffix || host.endsWith(`.${suffix}`));
}

/** Lower case, without brackets and final dots. */
function bareHost(hostname: string): string {
  return hostname.toLowerCase().replace(/^\[|\]$|\.+$/g, "");
}

function isAllowedHost(host: string, allowed: string): boolean {
  return allowed.startsWith("*.") ? host.endsWith(allowed.slice(1).toLowerCase()) : host === bareHost(allowed);
}

function problemOf(url: URL, rules: OriginUrlRules): string | null {
  if (url.protocol !== "http:" && url.protocol !== "https:") return "The URL must begin with http:// or https://.";
  if (url.username !== "" || url.password !== "") return "The URL must not contain credentials.";
  if (url.hash !== "") return "The URL must not contain a fragment.";
  if (url.search !== "") return "The URL must not contain a query.";
  const host = bareHost(url.hostname);
  if (rules.allowedHosts !== undefined && !rules.allowedHosts.some((allowed) => isAllowedHost(host, allowed))) {
    return "The host is not among the allowedHosts of the service.";
  }
  if (rules.allowPrivate) return null;
  const isPublic = ipaddr.isValid(host) ? isPublicAddress(host) : isPublicName(host);
  return isPublic ? null : "The host must be a public address or name.";
}

/** Checks and normalises the URL of an origin. */
export function parseOriginUrl(text: string, rules: OriginUrlRules): OriginUrlResult {
  if (text.length > bounds.originUrlLengthMax) {
    return { ok: false, detail: `The URL must have at most ${bounds.originUrlLengthMax} characters.` };
  }
  const url = URL.parse(text);
  if (url === null) return { ok: false, detail: "The URL is not an absolute URL." };
  const detail = problemOf(url, rules);
  if (detail !== null) return { ok: false, detail };
  // The path of a request begins with "/" and is appended.
  return { ok: true, url: url.origin + url.pathname.replace(/\/$/, "") };
}

/** What is read of every request: headers, addresses, cookies. */
import { isPreflight } from "../../../src/core/cors/cors.ts";
import { canonicalAddress } from "../../../src/core/forwarding/address.ts";
import { clientOf, type Incoming } from "../../../src/core/forwarding/client.ts";
import { cookieOf, isRequestId, isWithheld, passesOf, viaWith } from "../../../src/core/forwarding/headers.ts";
import { normalizeHost } from "../../../src/core/routing/host.ts";
import { normalizePath } from "../../../src/core/routing/path.ts";
import type { Case } from "../measure.ts";
import { byTurns } from "./facts.ts";

const names = [
  "accept",
  "accept-encoding",
  "accept-language",
  "authorization",
  "cf-connecting-ip",
  "cf-ray",
  "content-type",
  "cookie",
  "host",
  "user-agent",
  "x-forwarded-proto",
  "x-request-id",
];

export function reading(): Case[] {
  // Names come out of a Headers object as new strings each time, so they are not the same objects as in any table.
  const fresh = byTurns(() => names.map((name) => [...name].join("")));
  const v4 = byTurns((index) => `203.0.113.${index}`);
  const v6 = byTurns((index) => `2001:db8:0:1::${(index + 1).toString(16)}`);
  const cookies = byTurns((index) => `theme=dark; session=${index}abcdef0123456789; lang=en-GB; consent=1`);
  const peer = { forwardedProto: null, forwardedHost: null, proto: "https", host: "api.example.com" };
  const direct = byTurns((index): Incoming => ({ ...peer, peer: v4(index), forwardedFor: null }));
  const behind = byTurns(
    (index): Incoming => ({ ...peer, peer: "10.0.0.1", forwardedFor: `198.51.100.1, ${v4(index)}` }),
  );
  return [
    { name: "isWithheld over 12 names", run: (index) => fresh(index).filter(isWithheld).length },
    { name: "passesOf, no Via", run: () => passesOf(null) },
    { name: "passesOf, one entry", run: () => passesOf("1.1 varnish (Varnish/7.1)") },
    { name: "passesOf, two entries, one ours", run: () => passesOf("1.1 varnish, 1.1 sluice") },
    { name: "viaWith, no Via", run: () => viaWith(null) },
    { name: "canonicalAddress, IPv4", run: (index) => canonicalAddress(v4(index)) },
    { name: "canonicalAddress, IPv6", run: (index) => canonicalAddress(v6(index)) },
    { name: "clientOf, no proxy", run: (index) => clientOf(direct(index), 0) },
    { name: "clientOf, one proxy", run: (index) => clientOf(behind(index), 1) },
    { name: "cookieOf, second of four", run: (index) => cookieOf(cookies(index), "session") },
    { name: "isPreflight, GET", run: () => isPreflight({ method: "GET", header: () => null }) },
    { name: "isRequestId, a UUID", run: () => isRequestId("3f2c9d3e-1b7a-4f0e-9a50-6f0a1c2b3d4e") },
    { name: "normalizeHost", run: () => normalizeHost("api.example.com") },
    { name: "normalizePath, nothing to do", run: () => normalizePath("/v1/users/4711") },
    { name: "normalizePath, one octet", run: () => normalizePath("/v1/users/a%20b") },
  ];
}

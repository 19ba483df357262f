import { canonicalAddress, ipv6Groups } from "../forwarding/address.ts";

/**
 * The part of a client's address that stands for the client: an IPv4 address as a whole, of an IPv6 address the /64, since
 * a household or a server has all addresses of its /64 and could otherwise spend a budget with each.
 */
export function ipGroup(ip: string): string {
  if (!ip.includes(":")) return ip;
  // IPv4 in IPv6 form becomes IPv4 here.
  const address = canonicalAddress(ip) ?? ip;
  const groups = ipv6Groups(address);
  if (groups === null) return address;
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(":")}::/64`;
}
